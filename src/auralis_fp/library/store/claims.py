"""Atomic claims of tracks that expire, so that a killed process loses nothing.

A claim is the pair ``fingerprint_status = 'processing'`` and ``fingerprint_started_at``. The time is
also the owner's token: renewing, storing and releasing all require that it is still the one the owner
wrote, so that an owner that was suspended until its claim expired cannot overwrite its successor's result.

If a claim has expired, its file may have crashed the owner. The message of its track says so until the track
has a fingerprint or fails for another reason: whoever claims it next should take care.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, Connection, bindparam, exists, null, select, update

from auralis_fp.library.errors import RefusedRow
from auralis_fp.library.store.backlog import ABANDONED, Backlog
from auralis_fp.library.store.columns import as_count, as_number, as_path, reading
from auralis_fp.library.store.database import Database, utc_now
from auralis_fp.library.store.prepared import Prepared
from auralis_fp.library.store.tables import (
    COMPLETE,
    PENDING,
    PROCESSING,
    UNREAD,
    holds_fingerprint,
    is_new,
    is_suspect,
)

__all__ = ["TRACK", "ClaimedTrack", "Claims"]

# Parameters of statements; the names of all others are those of columns.
TRACK: Final = "auralis_fp_track"
_TOKEN: Final = "auralis_fp_token"
_AFTER: Final = "auralis_fp_after"

_Store = Callable[[Connection, bool], None]


@dataclass(frozen=True, slots=True)
class ClaimedTrack:
    """A track to analyse, claimed for this process.

    Attributes
    ----------
    id : int
        Primary key in ``tracks``.
    filepath : str
        The file, in Python's form of file names; empty if the row names none.
    duration : float or None
        Seconds, if the database holds them.
    filesize : int or None
        Bytes, if the database holds them.
    suspect : bool
        Whether a process that analysed it died, or was killed by it.
    new : bool
        Whether a scan added it, and its tags have not been read yet.
    fault : str
        Why the database refused the claim; empty if it did not.
    """

    id: int
    filepath: str
    duration: float | None = None
    filesize: int | None = None
    suspect: bool = False
    new: bool = False
    fault: str = ""


@dataclass(slots=True)
class _Claim:
    token: Any
    restore: str  # the status to go back to if the claim is given up
    blank: bool  # no row of fingerprints belonged to the track
    tags: dict[str, Any] = field(default_factory=dict)  # still to be stored
    lock: threading.Lock = field(default_factory=threading.Lock)

    def doubt(self) -> bool:
        """Give up one assumption about the track, and return whether there was one.

        Since it was claimed, others may have added its row of fingerprints. Its tags may be refused, or
        others may have changed it.
        """
        if self.blank:
            self.blank = False
        elif self.tags:
            self.tags = {}
        else:
            return False
        return True


class Claims:
    """The claims of one process on the tracks of a backlog."""

    def __init__(self, database: Database, backlog: Backlog) -> None:
        self._db: Final = database
        self._backlog: Final = backlog
        self._held: Final[dict[int, _Claim]] = {}
        # Searches go forward through the ids, so that rows that are skipped are skipped once.
        self._after: Final[dict[str, int | None]] = {PENDING: None, COMPLETE: None}
        # Statements are built once, which takes several times as long as executing them.
        t = database.tracks
        status, started_at = t.c.fingerprint_status, t.c.fingerprint_started_at
        mine = t.c.id == bindparam(TRACK, type_=t.c.id.type)
        owned = update(t).where(mine, status == PROCESSING, started_at == bindparam(_TOKEN))
        self._mine: Final = Prepared(update(t).where(mine))
        self._owned: Final = Prepared(owned)
        self._new: Final = Prepared(owned.where(is_new(t)))
        self._token: Final = Prepared(select(started_at).where(mine))
        self._prepare_search()

    @property
    def held(self) -> frozenset[int]:
        """Ids of the tracks that this process holds."""
        return frozenset(self._held)

    def next(self) -> ClaimedTrack | None:
        """Claim a track; return None if there is none to claim now."""
        row = None
        try:
            with self._db.write() as connection:
                row = self._candidate(connection)
                if row is None:
                    return None
                claim = self._claim(connection, row)
        except RefusedRow as error:
            if row is None:
                raise
            self._refuse(row.id)
            return ClaimedTrack(row.id, as_path(row.filepath), fault=str(error))
        self._held[row.id] = claim
        return ClaimedTrack(
            row.id,
            as_path(row.filepath),
            as_number(row.duration),
            as_count(row.filesize),
            suspect=bool(row.suspect) or row.fingerprint_status == PROCESSING,
            new=bool(row.new),
        )

    def _claim(self, connection: Connection, row: Any) -> _Claim:
        now = utc_now()
        values: dict[str, Any] = {"fingerprint_status": PROCESSING, "fingerprint_started_at": now}
        if row.fingerprint_status == PROCESSING:
            values["fingerprint_error_message"] = f"{ABANDONED}; {UNREAD}" if row.new else ABANDONED
        values = self._db.row(self._db.tracks, values)
        self._mine.execute(connection, {**values, TRACK: row.id})
        return _Claim(
            self._as_held(connection, row.id, values["fingerprint_started_at"]),
            COMPLETE if row.fingerprint_status == COMPLETE else PENDING,
            bool(row.blank),
        )

    def _as_held(self, connection: Connection, track_id: int, token: Any) -> Any:
        """Return a token as the database holds it: columns of other systems may hold coarser times."""
        if self._db.is_sqlite:
            return token
        row = self._token.first(connection, {TRACK: track_id})
        if row is None:
            raise RefusedRow(f"{self._db.name}: track {track_id} is gone as soon as it is claimed")
        return row[0]

    def renew(self) -> list[int]:
        """Renew every claim held; return the ids of those that others have taken over."""
        lost = []
        for track_id, claim in list(self._held.items()):
            with claim.lock, suppress(RefusedRow):
                if self._held.get(track_id) is not claim:
                    continue
                values = self._db.row(self._db.tracks, {"fingerprint_started_at": utc_now()})
                with self._db.write() as connection:
                    renewed = self._owned.execute(
                        connection, {**values, TRACK: track_id, _TOKEN: claim.token}
                    )
                    token = values["fingerprint_started_at"]
                    if renewed:
                        token = self._as_held(connection, track_id, token)
                if renewed:
                    claim.token = token
                else:
                    lost.append(track_id)
        return lost

    def release(self, track_id: int, *, retry_later: bool = False) -> None:
        """Release a claim; ``retry_later`` keeps it from being claimed again in the next ten minutes."""
        claim = self._held.get(track_id)
        if claim is None:
            return
        values: dict[str, Any] = {"fingerprint_status": claim.restore}
        if not retry_later:
            values["fingerprint_started_at"] = None
        with claim.lock:
            try:
                with self._db.write() as connection:
                    self._owned.execute(connection, {**values, TRACK: track_id, _TOKEN: claim.token})
            except RefusedRow:
                self._refuse(track_id)
        self._held.pop(track_id, None)

    def describe(self, track_id: int, tags: Mapping[str, Any]) -> None:
        """Keep the tags of a new track, by column, until :meth:`settle` stores them with its result."""
        if claim := self._held.get(track_id):
            claim.tags = self._db.row(self._db.tracks, tags)

    def settle(self, track_id: int, values: Mapping[str, Any], store: _Store | None = None) -> bool:
        """Store a track's result in its row, with its tags if it is new, and end this process's claim on it.

        If this process has not claimed the track, its state does not matter: the caller has asked for it. An
        exception leaves the claim as it is.

        Parameters
        ----------
        track_id : int
            The track.
        values : mapping
            What to store in the row, by column.
        store : callable, optional
            Stores the rest in the same transaction. Its second argument tells whether the track had no row of
            fingerprints when it was claimed.

        Returns
        -------
        bool
            False if the claim was lost, or if there is no such track.
        """
        claim = self._held.get(track_id)
        with claim.lock if claim else nullcontext():
            while True:
                try:
                    settled = self._settle(track_id, claim, values, store)
                except RefusedRow:
                    if not (claim and claim.doubt()):
                        raise
                else:
                    if settled or not (claim and claim.doubt()):
                        break
            self._held.pop(track_id, None)
        return settled

    def _settle(
        self, track_id: int, claim: _Claim | None, values: Mapping[str, Any], store: _Store | None
    ) -> bool:
        statement, parameters = self._mine, {**values, TRACK: track_id}
        if claim:
            statement = self._new if claim.tags else self._owned
            parameters |= {**claim.tags, _TOKEN: claim.token}
        with self._db.write() as connection:
            settled = bool(statement.execute(connection, parameters))
            if settled and store:
                store(connection, claim is not None and claim.blank)
        return settled

    def _refuse(self, track_id: int) -> None:
        self._backlog.refuse(track_id)
        self._prepare_search()

    def _prepare_search(self) -> None:
        """Build the statements that find a track to claim, but none that the database refuses to change."""
        t, f, backlog = self._db.tracks, self._db.fingerprints, self._backlog
        status = t.c.fingerprint_status
        row = select(*self._columns()).limit(1).with_for_update(skip_locked=True, of=t)
        waiting = row.where(backlog.wanted).order_by(t.c.id)
        outdated = row.select_from(f.join(t, t.c.id == f.c.track_id)).order_by(f.c.track_id)
        outdated = outdated.where(~backlog.is_current(), holds_fingerprint(f), backlog.wanted)
        pending = waiting.where(status == PENDING, backlog.due)
        complete = outdated.where(status == COMPLETE)
        self._first = {
            PENDING: Prepared(pending),
            PROCESSING: Prepared(waiting.where(status == PROCESSING, backlog.expired)),
            COMPLETE: Prepared(complete),
        }
        after: BindParameter[Any] = bindparam(_AFTER, None)  # see Prepared
        self._next = {
            PENDING: Prepared(pending.where(t.c.id > after)),
            COMPLETE: Prepared(complete.where(f.c.track_id > after)),
        }

    def _candidate(self, connection: Connection) -> Any:
        row = self._found(connection, PENDING)
        if row is None and self._after[PENDING] is not None:  # earlier rows may have been released since
            self._after[PENDING] = None
            row = self._found(connection, PENDING)
        if row is None:
            row = self._first[PROCESSING].first(connection)
        if row is None and self._backlog.outdated:
            row = self._found(connection, COMPLETE)
        return row

    def _found(self, connection: Connection, status: str) -> Any:
        after = self._after[status]
        if after is None:
            row = self._first[status].first(connection)
        else:
            row = self._next[status].first(connection, {_AFTER: after})
        if row is not None:
            self._after[status] = row.id
        return row

    def _columns(self) -> list[ColumnElement[Any]]:
        t, f = self._db.tracks, self._db.fingerprints
        known = [reading(t.c[n]) if n in t.c else null().label(n) for n in ("duration", "filesize")]
        row = select(f.c.id).where(f.c.track_id == t.c.id).correlate(t)
        marks = is_suspect(t).label("suspect"), is_new(t).label("new"), (~exists(row)).label("blank")
        return [t.c.id, reading(t.c.filepath), reading(t.c.fingerprint_status), *known, *marks]
