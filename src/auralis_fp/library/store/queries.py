"""Queries that change nothing: counts, one track, all fingerprints, a sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, func, or_, select

from auralis_fp.library.store.columns import as_path, as_text, optional, reading
from auralis_fp.library.store.database import Database
from auralis_fp.library.store.stored import StoredFingerprint
from auralis_fp.library.store.tables import ERROR, holds_fingerprint
from auralis_fp.schema import FINGERPRINT_VERSION, NAMES

__all__ = [
    "LibraryStatus",
    "StoredTrack",
    "find_track",
    "library_status",
    "sample_tracks",
    "stored_tracks",
    "work_ahead",
]

_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class LibraryStatus:
    """Counts of a library.

    Attributes
    ----------
    tracks : int
        Rows in ``tracks``.
    by_status : dict
        Number of tracks by ``fingerprint_status``.
    by_version : dict
        Number of fingerprints by ``fingerprint_version``, placeholder rows left out.
    placeholders : int
        Rows that look like a fingerprint but are none.
    failures : list of (int, str, str)
        Id, file and reason of the last failed tracks.
    """

    tracks: int
    by_status: dict[str, int]
    by_version: dict[int, int]
    placeholders: int
    failures: list[tuple[int, str, str]]

    @property
    def fingerprinted(self) -> int:
        """Tracks with a fingerprint of any version."""
        return sum(self.by_version.values())

    @property
    def outdated(self) -> int:
        """Tracks whose fingerprint is of an older version."""
        return sum(count for version, count in self.by_version.items() if version < FINGERPRINT_VERSION)


@dataclass(frozen=True, slots=True)
class StoredTrack:
    """A track with its fingerprint, if it has one, and the build that computed it, if that is known."""

    id: int
    path: str
    title: str
    status: str
    error: str | None
    fingerprint: StoredFingerprint | None
    build: str | None = None


def library_status(database: Database, *, failures: int = 10) -> LibraryStatus:
    """Count what a library holds, and list its last ``failures`` failed tracks."""
    t, f = database.tracks, database.fingerprints
    status, message = optional(t, "fingerprint_status"), optional(t, "fingerprint_error_message")
    with database.read() as connection:
        by_status = connection.execute(select(status, func.count()).select_from(t).group_by(status)).all()
        by_version = connection.execute(
            select(f.c.fingerprint_version, func.count())
            .where(holds_fingerprint(f))
            .group_by(f.c.fingerprint_version)
        ).all()
        placeholders = connection.execute(
            select(func.count()).select_from(f).where(~holds_fingerprint(f))
        ).scalar_one()
        last = connection.execute(
            select(t.c.id, reading(t.c.filepath), message)
            .where(status == ERROR)
            .order_by(optional(t, "fingerprint_started_at").desc(), t.c.id.desc())
            .limit(failures)
        ).all()
    return LibraryStatus(
        tracks=sum(count for _, count in by_status),
        by_status=_summed((_clean(name), count) for name, count in by_status),
        by_version={int(version): count for version, count in sorted(by_version)},
        placeholders=placeholders,
        failures=[(row[0], as_path(row[1]), _clean(row[2], "")) for row in last],
    )


def work_ahead(database: Database, *, outdated: bool, retry_failed: bool) -> int:
    """Count the tracks that a scan would analyse, not counting new files in its folders."""
    t, f = database.tracks, database.fingerprints
    status = optional(t, "fingerprint_status")
    wanted = or_(f.c.id.is_(None), ~holds_fingerprint(f))
    if outdated:
        wanted = or_(wanted, f.c.fingerprint_version < FINGERPRINT_VERSION)
    query = select(func.count()).select_from(t.outerjoin(f, f.c.track_id == t.c.id)).where(wanted)
    if not retry_failed:
        query = query.where(status.is_distinct_from(ERROR))
    with database.read() as connection:
        return int(connection.execute(query).scalar_one())


def find_track(database: Database, track: str, path: str) -> StoredTrack | None:
    """Find a track by its id, or else by its file."""
    t = database.tracks.c
    is_id = track.isascii() and track.isdigit() and len(track) < 19  # no column holds longer ones
    wanted: list[ColumnElement[bool]] = [t.id == int(track)] if is_id else []
    for condition in [*wanted, t.filepath == path]:
        for found in _select(database, condition):
            return found
    return None


def stored_tracks(database: Database, version: int | None = FINGERPRINT_VERSION) -> Iterator[StoredTrack]:
    """Yield all tracks with a fingerprint of ``version`` (None: of any), read a page at a time."""
    f, key = database.fingerprints.c, database.tracks.c.id
    conditions = [f.track_id.is_not(None), holds_fingerprint(database.fingerprints)]
    if version is not None:
        conditions.append(f.fingerprint_version == version)
    last: int | None = None
    while True:
        after = [] if last is None else [key > last]
        page = _select(database, *conditions, *after, order=key, limit=_PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        last = page[-1].id


def sample_tracks(database: Database, size: int) -> list[StoredTrack]:
    """Draw ``size`` tracks with a fingerprint of this version at random."""
    f = database.fingerprints
    conditions = (f.c.fingerprint_version == FINGERPRINT_VERSION, holds_fingerprint(f))
    return _select(database, *conditions, order=func.random(), limit=size)


def _select(
    database: Database,
    *conditions: ColumnElement[bool],
    order: ColumnElement[Any] | None = None,
    limit: int | None = None,
) -> list[StoredTrack]:
    t, f = database.tracks, database.fingerprints
    query = (
        select(
            t.c.id,
            reading(t.c.filepath),
            reading(t.c.title),
            optional(t, "fingerprint_status"),
            optional(t, "fingerprint_error_message"),
            f.c.fingerprint_version,
            holds_fingerprint(f),
            optional(f, "fingerprint_build"),
            *(f.c[name] for name in NAMES),
        )
        .select_from(t.outerjoin(f, f.c.track_id == t.c.id))
        .where(*conditions)
        .order_by(order)
        .limit(limit)
    )
    with database.read() as connection:
        return [_stored(row) for row in connection.execute(query)]


def _stored(row: Any) -> StoredTrack:
    track_id, path, title, status, error, version, holds, build, *values = row
    fingerprint = StoredFingerprint(track_id, int(version), values) if holds else None
    message = _clean(error) if error is not None else None
    return StoredTrack(
        track_id, as_path(path), _clean(title, ""), _clean(status), message, fingerprint, as_text(build)
    )


def _clean(value: object, absent: str = "(none)") -> str:
    """Return a value as text that can be printed and encoded, whatever the column holds."""
    return absent if value is None else str(value).encode("utf-8", "backslashreplace").decode()


def _summed(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for name, count in counts:
        totals[name] = totals.get(name, 0) + count
    return totals
