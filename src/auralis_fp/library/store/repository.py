"""The repository of this package: fingerprints and their state in a SQLite or PostgreSQL database."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import URL, Connection, bindparam, case, exists, insert, or_, select, update

from auralis_fp.library.errors import RefusedRow
from auralis_fp.library.store.backlog import Backlog, Unfinished, WorkLeft
from auralis_fp.library.store.claims import TRACK, ClaimedTrack, Claims
from auralis_fp.library.store.columns import as_count, as_number, as_path, reading
from auralis_fp.library.store.database import Database, utc_now
from auralis_fp.library.store.prepared import Prepared
from auralis_fp.library.store.stored import StoredFingerprint
from auralis_fp.library.store.tables import (
    COMPLETE,
    ERROR,
    PENDING,
    PROCESSING,
    holds_fingerprint,
    is_new,
    is_suspect,
)
from auralis_fp.schema import FINGERPRINT_VERSION, NAMES

__all__ = ["CLAIM_TIMEOUT_S", "LibraryRepository"]

CLAIM_TIMEOUT_S: Final = 300.0

_STORED: Final = (*NAMES, "fingerprint_version")


class LibraryRepository:
    """The tracks of a database, their fingerprints, and the claims on them.

    Parameters
    ----------
    database : Database, str, os.PathLike or sqlalchemy.URL
        An open database, the file of an SQLite database, or a URL. See :class:`Database` for what is changed
        in the database of an application.
    claim_timeout_s : float
        Seconds after which a claim that was not renewed may be taken over.
    outdated : bool
        Whether claims include tracks with a fingerprint of an older version.

    Raises
    ------
    LibraryError
        From every method: the database is locked, full, read-only or gone.

    Examples
    --------
    >>> from auralis_fp.library import LibraryRepository
    >>> repository = LibraryRepository("sqlite://")
    >>> repository.claim_next_unfingerprinted_track() is None
    True
    """

    def __init__(
        self,
        database: Database | str | os.PathLike[str] | URL,
        *,
        claim_timeout_s: float = CLAIM_TIMEOUT_S,
        outdated: bool = False,
    ) -> None:
        if not claim_timeout_s > 0:
            raise ValueError(f"claim_timeout_s must be positive, not {claim_timeout_s}")
        self.database: Final = database if isinstance(database, Database) else Database(database)
        timeout = timedelta(seconds=claim_timeout_s)
        self._backlog: Final = Backlog(self.database, timeout=timeout, outdated=outdated)
        self._claims: Final = Claims(self.database, self._backlog)
        self._tracks: Final = self.database.tracks
        self._fingerprints: Final = self.database.fingerprints
        # Statements are built once, which takes several times as long as executing them.
        f = self._fingerprints
        row = f.c.track_id == bindparam(TRACK)
        self._replace: Final = Prepared(update(f).where(row))
        self._add: Final = Prepared(insert(f))
        self._stored: Final = Prepared(select(*(f.c[name] for name in _STORED)).where(row))

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    # What every repository has: auralis_fp.library.work.protocol.FingerprintRepository.

    def exists(self, track_id: int) -> bool:
        """Return whether the track has a fingerprint of any version; a placeholder row is not one."""
        f = self._fingerprints
        query = select(exists().where(f.c.track_id == track_id, holds_fingerprint(f)))
        with self.database.read() as connection:
            return bool(connection.execute(query).scalar_one())

    def upsert(self, track_id: int, fingerprint_data: Mapping[str, Any]) -> bool:
        """Store a fingerprint and the track's new state, in one transaction.

        Parameters
        ----------
        track_id : int
            The track. If this process holds a claim on it, the claim ends here.
        fingerprint_data : mapping
            The 25 names, each a finite number, ``fingerprint_version`` (this package's if absent) and
            ``fingerprint_build``, the build that computed them, which is stored if :attr:`keeps_builds`.

        Returns
        -------
        bool
            False, and nothing is stored, if there is no such track or the claim was lost.

        Raises
        ------
        ValueError
            A value is missing or not finite.
        """
        values: dict[str, Any] = {name: float(fingerprint_data.get(name, math.nan)) for name in NAMES}
        wrong = [name for name, value in values.items() if not math.isfinite(value)]
        if wrong:
            raise ValueError(f"track {track_id}: no finite number for {', '.join(wrong)}")
        vector = json.dumps(list(values.values()))
        values["fingerprint_build"] = fingerprint_data.get("fingerprint_build")
        values["fingerprint_version"] = int(fingerprint_data.get("fingerprint_version", FINGERPRINT_VERSION))
        state = {
            "fingerprint_status": COMPLETE,
            "fingerprint_computed_at": utc_now(),
            "fingerprint_error_message": None,
            "fingerprint_vector": vector,
        }
        return self._claims.settle(
            track_id,
            self.database.row(self._tracks, state),
            lambda connection, blank: self._put(connection, track_id, values, blank=blank),
        )

    def _put(self, connection: Connection, track_id: int, values: dict[str, Any], *, blank: bool) -> None:
        f, now = self._fingerprints, utc_now()
        values = {**values, "updated_at": now}
        if not blank:
            row = self.database.row(f, values)
            present = self._replace.execute(connection, {**row, TRACK: track_id}) > 0
        if blank or not present:
            row = self.database.new_row(f, {**values, "track_id": track_id, "created_at": now})
            self._add.execute(connection, row)
        rows = self._stored.rows(connection, {TRACK: track_id})
        if blank and len(rows) > 1:  # in a table that allows it
            raise RefusedRow(f"{self.database.name}: another program has added a fingerprint of the track")
        # A value that a trigger has changed, or a column has rounded, does not count as stored.
        if not rows or not all(_is_stored(row, [values[name] for name in _STORED]) for row in rows):
            raise RefusedRow(f"{self.database.name}: the database holds other numbers than it was given")

    def get_by_track_id(self, track_id: int) -> StoredFingerprint | None:
        """Return the track's fingerprint, of any version; None if it has none."""
        f = self._fingerprints
        query = select(f.c.fingerprint_version, *(f.c[name] for name in NAMES)).where(
            f.c.track_id == track_id, holds_fingerprint(f)
        )
        with self.database.read() as connection:
            row = connection.execute(query).first()
        return StoredFingerprint(track_id, row[0], row[1:]) if row else None

    def get_missing_fingerprints(self, limit: int | None = None) -> list[ClaimedTrack]:
        """Return the tracks without a fingerprint, in order of id, except failed and running ones."""
        t = self._tracks
        suspect = or_(t.c.fingerprint_status == PROCESSING, is_suspect(t)).label("suspect")
        known = [reading(t.c[n]) for n in ("duration", "filesize") if n in t.c]
        query = (
            select(t.c.id, reading(t.c.filepath), suspect, is_new(t).label("new"), *known)
            .where(self._backlog.unclaimed(), ~self._backlog.has_fingerprint())
            .order_by(t.c.id)
            .limit(limit)
        )
        with self.database.read() as connection:
            return [
                ClaimedTrack(
                    row["id"],
                    as_path(row["filepath"]),
                    as_number(row.get("duration")),
                    as_count(row.get("filesize")),
                    suspect=bool(row["suspect"]),
                    new=bool(row["new"]),
                )
                for row in connection.execute(query).mappings()
            ]

    def claim_next_unfingerprinted_track(self) -> ClaimedTrack | None:
        """Claim a track for this process; return None if there is none to claim now."""
        return self._claims.next()

    # What this one has beyond that: FailureKeeper, ClaimKeeper, BuildKeeper, and what a scan asks for.

    @property
    def keeps_builds(self) -> bool:
        """True if the database stores the build of a fingerprint, as those made by this package do."""
        return "fingerprint_build" in self._fingerprints.c

    @property
    def confirms_stores(self) -> bool:
        """True, because :meth:`upsert` reads back what it stores."""
        return True

    @property
    def claim_timeout_s(self) -> float:
        """Seconds after which a claim that was not renewed may be taken over."""
        return self._backlog.timeout.total_seconds()

    def renew_claims(self) -> list[int]:
        """Renew every claim of this process; return the ids of those that others have taken over."""
        return self._claims.renew()

    def release_claim(self, track_id: int, *, retry_later: bool = False) -> None:
        """Release a claim: the track waits again, for at least ten minutes with ``retry_later``."""
        self._claims.release(track_id, retry_later=retry_later)

    def release_all_claims(self) -> None:
        """Release every claim of this process."""
        for track_id in self._claims.held:
            self._claims.release(track_id)

    def fill_in(self, track_id: int, values: Mapping[str, Any]) -> None:
        """Take the tags of a new track, by column; they are stored with its result, except for None."""
        self._claims.describe(track_id, {name: value for name, value in values.items() if value is not None})

    def mark_error(self, track_id: int, message: str) -> bool:
        """Record why a track failed; it is not claimed again until :meth:`retry_failed`."""
        # PostgreSQL takes neither NUL nor lone surrogates, and file names may contain both.
        text = message.replace("\0", "").encode("utf-8", "backslashreplace").decode()
        values = {"fingerprint_status": ERROR, "fingerprint_error_message": text}
        return self._claims.settle(track_id, self.database.row(self._tracks, values))

    def retry_failed(self, track_ids: Iterable[int] | None = None) -> int:
        """Make failed tracks (all, or those given) wait for a worker again; return their number.

        A track whose file may have crashed a process stays suspect until it has a fingerprint or fails for
        another reason.
        """
        t = self._tracks
        message = t.c.get("fingerprint_error_message")
        values = {
            "fingerprint_status": PENDING,
            "fingerprint_started_at": None,
            "fingerprint_error_message": case((is_suspect(t), message)) if message is not None else None,
        }
        statement = update(t).where(t.c.fingerprint_status == ERROR).values(self.database.row(t, values))
        if track_ids is not None:
            statement = statement.where(t.c.id.in_(list(track_ids)))
        with self.database.write() as connection:
            return connection.execute(statement).rowcount

    def reconcile(self) -> None:
        """Correct statuses that older programs left behind, by the fingerprints that are there."""
        self._backlog.reconcile()

    def work_left(self) -> WorkLeft:
        """Count what waits to be claimed."""
        return self._backlog.left()

    def claims_of_others(self) -> int:
        """Count the tracks that other processes hold, or held when they died."""
        return self._backlog.of_others(self._claims.held)

    def more_expected(self) -> bool:
        """Return whether tracks wait that this process cannot claim now: others claimed or locked them."""
        return self._backlog.more_expected(self._claims.held)

    def unfinished(self, names: int = 20) -> Unfinished:
        """Count the tracks that still lack a fingerprint and have not failed; list the first ``names``."""
        return self._backlog.unfinished(names)


def _is_stored(row: Sequence[object], values: Sequence[float]) -> bool:
    return list(row) == values or all(
        math.isclose(value, as_number(held) or 0.0, rel_tol=1e-5, abs_tol=1e-9)
        for held, value in zip(row, values, strict=True)
    )
