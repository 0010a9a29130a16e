"""The tracks that wait for a fingerprint: the conditions in SQL, counts, and statuses to correct."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Enum,
    Float,
    Integer,
    Numeric,
    and_,
    case,
    cast,
    exists,
    func,
    or_,
    select,
    update,
)

from auralis_fp.library.errors import LibraryError, RefusedRow
from auralis_fp.library.store.columns import as_path, between, declared, reading
from auralis_fp.library.store.database import Database, utc_now
from auralis_fp.library.store.tables import COMPLETE, CRASHED, ERROR, PENDING, PROCESSING, holds_fingerprint
from auralis_fp.schema import FINGERPRINT_VERSION

__all__ = ["ABANDONED", "Backlog", "Unfinished", "WorkLeft"]

ABANDONED: Final = CRASHED + "the process that last analysed it is gone"

_RETRY_AFTER: Final = timedelta(minutes=10)
_LARGEST_FILE: Final = 2**40  # so that the sum of millions does not overflow
_MOST_REFUSED: Final = 100


@dataclass(frozen=True, slots=True)
class WorkLeft:
    """Tracks that wait for a fingerprint, and their size in bytes where it is known."""

    tracks: int
    bytes: int
    sized_tracks: int


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Tracks without the fingerprint they should have.

    Attributes
    ----------
    tracks : int
        Those that have not failed.
    paths : tuple of str
        Files of the first of them.
    failed : int
        Those that have.
    """

    tracks: int
    paths: tuple[str, ...]
    failed: int


class Backlog:
    """The tracks of a database that wait for a fingerprint.

    Parameters
    ----------
    database : Database
        Where the tracks are.
    timeout : timedelta
        A claim that has not been renewed for this long is free for anyone.
    outdated : bool
        Whether tracks with a fingerprint of an older version wait as well.

    Attributes
    ----------
    due : SQL condition
        A pending track was not put off a moment ago.
    expired : SQL condition
        A claim has expired: its time is missing, too old or yet to come.
    """

    def __init__(self, database: Database, *, timeout: timedelta, outdated: bool = False) -> None:
        self._db: Final = database
        self.timeout: Final = timeout
        self.outdated: Final = outdated
        self._tracks: Final = database.tracks.c
        self._opened = utc_now()
        self._refused: Final[set[int]] = set()
        started_at = self._tracks.fingerprint_started_at
        self.due: Final = ~between(started_at, self._due_since, utc_now)
        self.expired: Final = ~between(
            started_at, lambda: utc_now() - self.timeout, lambda: utc_now() + self.timeout
        )

    @property
    def wanted(self) -> ColumnElement[bool]:
        """The SQL condition that a track lacks the fingerprint it should have, and may be changed."""
        lacking = ~self.has_fingerprint(*([self.is_current()] if self.outdated else []))
        # A list makes SQLAlchemy write the statement anew whenever it is executed, unless it is prepared.
        return and_(lacking, self._tracks.id.not_in(list(self._refused))) if self._refused else lacking

    def refuse(self, track_id: int) -> None:
        """Leave a track alone from now on, because the database refuses every change to its row."""
        self._refused.add(track_id)
        if len(self._refused) > _MOST_REFUSED:
            raise LibraryError(
                f"{self._db.name}: the database refuses changes to more than {_MOST_REFUSED} tracks"
            )

    # --- conditions ----------------------------------------------------------------------------------

    def _due_since(self) -> datetime:
        """Return the earliest time of a claim that puts a pending track off.

        Putting off a track leaves the time of the claim in place. A time before this process began, or in the
        future because some clock is wrong, does not count.
        """
        now = utc_now()
        self._opened = min(self._opened, now)
        return max(self._opened, now - _RETRY_AFTER)

    def has_fingerprint(self, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        """Return the SQL condition that a track has a fingerprint, one that meets ``conditions``."""
        f = self._db.fingerprints
        return exists(
            select(f.c.id)
            .where(f.c.track_id == self._tracks.id, *conditions, holds_fingerprint(f))
            .correlate(self._db.tracks)
        )

    def is_current(self) -> ColumnElement[bool]:
        """Return the SQL condition that a fingerprint is of this version, or of a later one."""
        version: ColumnElement[Any] = self._db.fingerprints.c.fingerprint_version
        return version >= FINGERPRINT_VERSION

    def unclaimed(self) -> ColumnElement[bool]:
        """Return the SQL condition that nobody is working on a track and that it has not failed."""
        status = self._tracks.fingerprint_status
        return or_(self._unknown(), status.in_((PENDING, COMPLETE)), and_(status == PROCESSING, self.expired))

    def _unknown(self) -> ColumnElement[bool]:
        status = self._tracks.fingerprint_status
        kind = declared(status)
        known = [
            s for s in (PENDING, PROCESSING, COMPLETE, ERROR) if not isinstance(kind, Enum) or s in kind.enums
        ]
        return or_(status.is_(None), status.not_in(known))

    # --- counts --------------------------------------------------------------------------------------

    def left(self) -> WorkLeft:
        """Count what may be claimed, not including the claims of others."""
        t, f = self._db.tracks, self._db.fingerprints
        size = self._size()
        figures = [func.count(), func.sum(size), func.count(size)]
        queries = [select(*figures).select_from(t).where(t.c.fingerprint_status == PENDING, self.due)]
        if self.outdated:
            queries.append(
                select(*figures)
                .select_from(f.join(t, t.c.id == f.c.track_id))
                .where(t.c.fingerprint_status == COMPLETE, ~self.is_current(), holds_fingerprint(f))
            )
        totals = [0, 0, 0]
        with self._db.read() as connection:
            for query in queries:
                for index, value in enumerate(connection.execute(query).one()):
                    totals[index] += int(value or 0)
        return WorkLeft(*totals)

    def more_expected(self, held: frozenset[int]) -> bool:
        """Return whether any track waits that is not ``held``: others have claimed it, or it is locked now.

        This is one query, so that a track that is just being claimed counts as one or the other.
        """
        status = self._tracks.fingerprint_status
        waiting = [and_(status == PENDING, self.due), status == PROCESSING]
        if self.outdated:
            waiting.append(status == COMPLETE)
        others = self._tracks.id.not_in(list(held))
        query = select(self._tracks.id).where(or_(*waiting), others, self.wanted).limit(1)
        with self._db.read() as connection:
            return connection.execute(query).first() is not None

    def of_others(self, held: frozenset[int]) -> int:
        """Count the tracks that other processes are working on, or were when they died."""
        claimed = self._tracks.fingerprint_status == PROCESSING
        query = select(func.count()).where(claimed, self._tracks.id.not_in(list(held)), self.wanted)
        with self._db.read() as connection:
            return int(connection.execute(query.select_from(self._db.tracks)).scalar_one())

    def unfinished(self, names: int) -> Unfinished:
        """Count the tracks that still lack a fingerprint and have not failed; list the first ``names``."""
        status = self._tracks.fingerprint_status
        conditions = (or_(status.is_(None), status != ERROR), self.wanted)
        count = select(func.count()).select_from(self._db.tracks)
        first = select(reading(self._tracks.filepath)).where(*conditions).order_by(self._tracks.id)
        with self._db.read() as connection:
            return Unfinished(
                tracks=int(connection.execute(count.where(*conditions)).scalar_one()),
                paths=tuple(map(as_path, connection.execute(first.limit(names)).scalars())),
                failed=int(connection.execute(count.where(status == ERROR)).scalar_one()),
            )

    def _size(self) -> ColumnElement[Any]:
        """Return the size of a file in SQL, NULL for what is not a size; a sum of them cannot overflow."""
        column = self._tracks.get("filesize")
        if column is None or not (self._db.is_sqlite or isinstance(column.type, Integer | Numeric | Float)):
            return case((self._tracks.id.is_(None), 0))
        return case(
            (column.between(0, _LARGEST_FILE), cast(column, Integer if self._db.is_sqlite else Numeric))
        )

    # --- statuses ------------------------------------------------------------------------------------

    def reconcile(self) -> None:
        """Correct statuses in databases that other programs wrote, by the fingerprints that are there.

        A track with a fingerprint is complete; one that is complete in name only, or has an unknown status,
        is pending. Failed tracks and claims that have not expired stay as they are.
        """
        status = self._tracks.fingerprint_status
        pending = {"fingerprint_status": PENDING, "fingerprint_started_at": None}
        expired = and_(status == PROCESSING, self.expired)
        # Those whose old fingerprint was about to be replaced: below, they look like any other.
        renewed = and_(expired, self.has_fingerprint(), ~self.has_fingerprint(self.is_current()))
        self._correct({"fingerprint_error_message": ABANDONED}, renewed)
        unsettled = or_(self._unknown(), status == PENDING, expired)
        self._correct({"fingerprint_status": COMPLETE}, and_(unsettled, self.has_fingerprint()))
        unfounded = and_(status == COMPLETE, ~self.has_fingerprint())
        self._correct(pending, or_(self._unknown(), unfounded))

    def _correct(self, values: Mapping[str, Any], condition: ColumnElement[bool]) -> None:
        """Change all tracks that meet a condition, except those that the database refuses to change."""
        t = self._db.tracks
        row = self._db.row(t, values)
        if not row:
            return
        statement = update(t).values(row)
        try:
            self._db.run(lambda connection: self._change(connection, statement.where(condition)))
        except RefusedRow:
            with self._db.read() as connection:
                ids = connection.execute(select(t.c.id).where(condition)).scalars().all()
            # Those that are refused even so get their message when they are claimed.
            self._db.run_each(
                lambda connection, i: self._change(connection, statement.where(t.c.id == i)), ids
            )

    def _change(self, connection: Any, statement: Any) -> None:
        self._db.one_at_a_time(connection)
        connection.execute(statement)
