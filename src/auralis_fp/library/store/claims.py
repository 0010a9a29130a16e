"""Atomic claims of tracks that expire, so that a killed process loses nothing.

A claim is the pair ``fingerprint_status = 'processing'`` and ``fingerprint_started_at``. The time is
also the owner's token: renewing, storing and releasing all demand that it is still the one the owner
wrote, so that an owner that slept through its expiry cannot overwrite its successor.

The file of a claim that expired may have killed its owner. It is on record for that, in the message of
its track, until it has a fingerprint or another verdict: who claims it next should take care.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, exists, func, null, or_, select, update

from auralis_fp.library.store.database import Database, utc_now
from auralis_fp.library.store.filenames import from_column
from auralis_fp.library.store.tables import COMPLETE, CRASHED, PENDING, PROCESSING, is_placeholder, is_suspect
from auralis_fp.schema import FINGERPRINT_VERSION

__all__ = ["ClaimedTrack", "Claims", "WorkLeft"]

_RETRY_AFTER: Final = timedelta(minutes=10)
_ABANDONED: Final = CRASHED + "the process that last analysed it is gone"


@dataclass(frozen=True, slots=True)
class ClaimedTrack:
    """A track to analyse, claimed for this process.

    Attributes
    ----------
    id : int
        Primary key in ``tracks``.
    filepath : str
        The file, in Python's form of file names.
    duration : float or None
        Seconds, where the database knows.
    filesize : int or None
        Bytes, where the database knows.
    suspect : bool
        Whether a process that analysed it died, or was killed by it.
    """

    id: int
    filepath: str
    duration: float | None = None
    filesize: int | None = None
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class WorkLeft:
    """Tracks that wait for a fingerprint, and their size in bytes where it is known."""

    tracks: int
    bytes: int
    sized_tracks: int


@dataclass(slots=True)
class _Claim:
    token: datetime
    restore: str  # the status to go back to if the claim is given up
    lock: threading.Lock = field(default_factory=threading.Lock)


class Claims:
    """The claims of one process on one database.

    Parameters
    ----------
    database : Database
        Where the tracks are.
    timeout : timedelta
        A claim that was not renewed for so long is free for anyone.
    outdated : bool
        Also claim tracks whose fingerprint is of an older version.
    """

    def __init__(self, database: Database, *, timeout: timedelta, outdated: bool = False) -> None:
        self._db: Final = database
        self.timeout: Final = timeout
        self.outdated: Final = outdated
        self._tracks: Final = database.tracks.c
        self._held: Final[dict[int, _Claim]] = {}
        self._opened: Final = utc_now()
        # Searches go forward through the ids, so that rows that are skipped are skipped once.
        self._after: Final = {PENDING: 0, COMPLETE: 0}

    @property
    def held(self) -> frozenset[int]:
        """Ids of the tracks that this process holds."""
        return frozenset(self._held)

    def next(self) -> ClaimedTrack | None:
        """Claim a track; return None if there is none to claim now."""
        with self._db.write() as connection:
            row = self._candidate(connection)
            if row is None:
                return None
            claim = _Claim(utc_now(), COMPLETE if row.fingerprint_status == COMPLETE else PENDING)
            values = {"fingerprint_status": PROCESSING, "fingerprint_started_at": claim.token}
            if row.fingerprint_status == PROCESSING:
                values["fingerprint_error_message"] = _ABANDONED
            connection.execute(
                update(self._db.tracks)
                .where(self._tracks.id == row.id)
                .values(self._db.row(self._db.tracks, values))
            )
        self._held[row.id] = claim
        suspect = bool(row.suspect) or row.fingerprint_status == PROCESSING
        return ClaimedTrack(row.id, from_column(row.filepath), row.duration, row.filesize, suspect)

    def renew(self) -> list[int]:
        """Renew every claim held; return the ids of those that were lost to someone else."""
        lost = []
        for track_id, claim in list(self._held.items()):
            with claim.lock:
                if self._held.get(track_id) is not claim:
                    continue
                token = utc_now()
                with self._db.write() as connection:
                    renewed = connection.execute(
                        update(self._db.tracks)
                        .where(*self._owned(track_id, claim))
                        .values(fingerprint_started_at=self._time(token))
                    ).rowcount
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
        with claim.lock, self._db.write() as connection:
            connection.execute(update(self._db.tracks).where(*self._owned(track_id, claim)).values(values))
        self._held.pop(track_id, None)

    @contextmanager
    def settling(self, track_id: int) -> Iterator[list[ColumnElement[bool]]]:
        """Yield the conditions under which this process may settle a track; its claim ends with the block.

        A track that this process has not claimed may be settled in any state: the caller said so.
        An exception inside leaves the claim as it is.
        """
        claim = self._held.get(track_id)
        if claim is None:
            yield [self._tracks.id == track_id]
            return
        with claim.lock:
            yield self._owned(track_id, claim)
            self._held.pop(track_id, None)

    def unclaimed(self) -> ColumnElement[bool]:
        """Return the SQL condition that nobody works on a track and that it has not failed."""
        status = self._tracks.fingerprint_status
        return or_(
            status.is_(None),
            status.in_((PENDING, COMPLETE)),
            and_(status == PROCESSING, self._expired()),
        )

    def reconcile(self) -> None:
        """Correct statuses in databases that older programs wrote, by the fingerprints that are there.

        A track with a fingerprint is complete; one that is complete in name only, or has no status,
        is pending. Failed tracks and living claims stay as they are.
        """
        status, started = self._tracks.fingerprint_status, self._tracks.fingerprint_started_at
        has_one = self._has_fingerprint()
        current = self._db.fingerprints.c.fingerprint_version >= FINGERPRINT_VERSION
        with self._db.write() as connection:
            self._db.one_at_a_time(connection)
            abandoned = self._db.row(self._db.tracks, {"fingerprint_error_message": _ABANDONED})
            if abandoned:  # while their old fingerprint was to be replaced: below, they look like any other
                connection.execute(
                    update(self._db.tracks)
                    .where(status == PROCESSING, self._expired(), has_one, ~self._has_fingerprint(current))
                    .values(abandoned)
                )
            connection.execute(
                update(self._db.tracks)
                .where(
                    or_(status.is_(None), status == PENDING, and_(status == PROCESSING, self._expired())),
                    has_one,
                )
                .values({status: COMPLETE})
            )
            connection.execute(
                update(self._db.tracks)
                .where(or_(status.is_(None), and_(status == COMPLETE, ~has_one)))
                .values({status: PENDING, started: None})
            )

    def left(self) -> WorkLeft:
        """Count what :meth:`next` could still return, not including the claims of others."""
        t, f = self._db.tracks, self._db.fingerprints
        size = t.c.filesize if "filesize" in t.c else None
        figures: list[ColumnElement[Any]] = [func.count()]
        if size is not None:
            figures += [func.coalesce(func.sum(size), 0), func.count(size)]
        queries: list[Any] = [
            select(*figures).select_from(t).where(t.c.fingerprint_status == PENDING, self._due())
        ]
        if self.outdated:
            queries.append(
                select(*figures)
                .select_from(f.join(t, t.c.id == f.c.track_id))
                .where(t.c.fingerprint_status == COMPLETE, *self._old_row())
            )
        totals = [0, 0, 0]
        with self._db.read() as connection:
            for query in queries:
                for index, value in enumerate(connection.execute(query).one()):
                    totals[index] += int(value)
        return WorkLeft(*totals)

    def of_others(self) -> int:
        """Count the tracks that other processes are working on, or were when they died."""
        query = (
            select(func.count())
            .select_from(self._db.tracks)
            .where(
                self._tracks.fingerprint_status == PROCESSING,
                self._tracks.id.not_in(list(self._held)),
                self._wanted(),
            )
        )
        with self._db.read() as connection:
            return int(connection.execute(query).scalar_one())

    def _candidate(self, connection: Connection) -> Any:
        status = self._tracks.fingerprint_status
        row = self._first(connection, status == PENDING, self._due(), self._wanted(), after=PENDING)
        if row is None and self._after[PENDING]:  # come round once: rows may have been released behind us
            self._after[PENDING] = 0
            row = self._first(connection, status == PENDING, self._due(), self._wanted(), after=PENDING)
        if row is None:
            row = self._first(connection, status == PROCESSING, self._expired(), self._wanted())
        if row is None and self.outdated:
            row = self._first_outdated(connection)
        return row

    def _columns(self) -> list[ColumnElement[Any]]:
        t = self._tracks
        known = [t[name] if name in t else null().label(name) for name in ("duration", "filesize")]
        return [t.id, t.filepath, t.fingerprint_status, *known, is_suspect(self._db.tracks).label("suspect")]

    def _first(
        self, connection: Connection, *conditions: ColumnElement[bool], after: str | None = None
    ) -> Any:
        query = select(*self._columns()).where(*conditions).order_by(self._tracks.id).limit(1)
        if after is not None:
            query = query.where(self._tracks.id > self._after[after])
        row = connection.execute(query.with_for_update(skip_locked=True, of=self._db.tracks)).first()
        if row is not None and after is not None:
            self._after[after] = row.id
        return row

    def _first_outdated(self, connection: Connection) -> Any:
        t, f = self._db.tracks, self._db.fingerprints
        query = (
            select(*self._columns())
            .select_from(f.join(t, t.c.id == f.c.track_id))
            .where(f.c.track_id > self._after[COMPLETE], t.c.fingerprint_status == COMPLETE, *self._old_row())
            .order_by(f.c.track_id)
            .limit(1)
            .with_for_update(skip_locked=True, of=t)
        )
        row = connection.execute(query).first()
        if row is not None:
            self._after[COMPLETE] = row.id
        return row

    def _due(self) -> ColumnElement[bool]:
        started = self._tracks.fingerprint_started_at
        before = max(self._opened, utc_now() - _RETRY_AFTER)
        return or_(started.is_(None), self._db.before(started, before))

    def _expired(self) -> ColumnElement[bool]:
        # Without a time nobody renews it: the worker is of an older program, and gone.
        started = self._tracks.fingerprint_started_at
        return or_(started.is_(None), self._db.before(started, utc_now() - self.timeout))

    def _has_fingerprint(self, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        f = self._db.fingerprints
        return exists(
            select(f.c.id)
            .where(f.c.track_id == self._tracks.id, ~is_placeholder(f), *conditions)
            .correlate(self._db.tracks)
        )

    def _wanted(self) -> ColumnElement[bool]:
        version = self._db.fingerprints.c.fingerprint_version
        return ~self._has_fingerprint(*([version >= FINGERPRINT_VERSION] if self.outdated else []))

    def _old_row(self) -> list[ColumnElement[bool]]:
        f = self._db.fingerprints
        return [f.c.fingerprint_version < FINGERPRINT_VERSION, ~is_placeholder(f)]

    def _owned(self, track_id: int, claim: _Claim) -> list[ColumnElement[bool]]:
        return [
            self._tracks.id == track_id,
            self._tracks.fingerprint_status == PROCESSING,
            self._tracks.fingerprint_started_at == self._time(claim.token),
        ]

    def _time(self, when: datetime) -> Any:
        return self._db.timestamp(self._tracks.fingerprint_started_at, when)
