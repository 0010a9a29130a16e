"""Where the fingerprints of a library are: in a database, or in Parquet files."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from auralis_fp.library.errors import translated
from auralis_fp.library.similar.tracks import Track, TrackNames, read_durations, read_names, read_tracks
from auralis_fp.library.similar.vectors import Vectors, read_values, read_vectors, vectors_stamp, versions
from auralis_fp.library.store.database import Database
from auralis_fp.library.store.filenames import to_column
from auralis_fp.library.store.parquet import is_parquet
from auralis_fp.schema import FINGERPRINT_VERSION

__all__ = ["DatabaseSource", "Source", "open_source"]


class Source(Protocol):
    """A library, as far as similarity is concerned: numbers, names, and whether they have changed."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def vectors(self) -> Vectors:
        """Return all fingerprints of this version."""

    def values(self, ids: Iterable[int]) -> NDArray[np.float32]:
        """Return the fingerprints of some tracks; those without one are left out."""

    def changed(self) -> bool:
        """Return whether the fingerprints may be others than when this was last asked, or read."""

    def tracks(self, ids: Iterable[int]) -> list[Track]:
        """Return tracks in the order of their ids; ids that are none are left out."""

    def durations(self, ids: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the lengths of tracks in seconds; NaN where they are not known."""

    def names(self) -> Iterator[TrackNames]:
        """Yield title and file of every track."""

    def at_path(self, path: str) -> int | None:
        """Return the id of the track with this absolute path."""

    def without_vectors(self) -> str:
        """Return why there is not a single fingerprint, in a sentence."""


class DatabaseSource:
    """The library in a database.

    Parameters
    ----------
    database : Database
        Open, and nothing is written to it.
    """

    def __init__(self, database: Database) -> None:
        self._name: Final = database.name
        self._database: Final = database
        # SQLite counts the commits of others on a connection that stays open, and needs no time to answer.
        self._observer: Connection | None = None
        if database.is_sqlite and database.url.database not in (None, "", ":memory:"):
            with translated(self.name):
                self._observer = database.engine.connect()
        self._commits: object = None
        self._stamp: Hashable = None

    @property
    def name(self) -> str:
        """The file, or the URL without a password."""
        return self._name

    def close(self) -> None:
        """Close the connection that watches for changes; the database stays open."""
        if self._observer is not None:
            self._observer.close()

    def vectors(self) -> Vectors:
        """Return all fingerprints of this version."""
        self._commits = self._count_of_commits()
        self._stamp = None if self._observer else vectors_stamp(self._database)
        return read_vectors(self._database)

    def values(self, ids: Iterable[int]) -> NDArray[np.float32]:
        """Return the fingerprints of some tracks; those without one are left out."""
        return read_values(self._database, ids)

    def changed(self) -> bool:
        """Return whether the fingerprints may be others than when this was last asked, or read."""
        commits = self._count_of_commits()
        if commits is not None and commits == self._commits:
            return False
        stamp = vectors_stamp(self._database)
        self._commits, before, self._stamp = commits, self._stamp, stamp
        return stamp != before

    def tracks(self, ids: Iterable[int]) -> list[Track]:
        """Return tracks in the order of their ids; ids that are none are left out."""
        return read_tracks(self._database, ids)

    def durations(self, ids: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the lengths of tracks in seconds; NaN where they are not known."""
        known = read_durations(self._database)
        return np.array([known.get(one, np.nan) for one in ids.tolist()])

    def names(self) -> Iterator[TrackNames]:
        """Yield title and file of every track."""
        return read_names(self._database)

    def at_path(self, path: str) -> int | None:
        """Return the id of the track with this absolute path."""
        t = self._database.tracks.c
        with self._database.read() as connection:
            return connection.execute(select(t.id).where(t.filepath == to_column(path))).scalar()

    def without_vectors(self) -> str:
        """Return why there is not a single fingerprint, in a sentence."""
        others = sum(
            count for version, count in versions(self._database).items() if version != FINGERPRINT_VERSION
        )
        if others:
            return (
                f"{self.name}: all {others} fingerprints are of other versions, which cannot be compared; "
                "scan --outdated replaces those of older ones"
            )
        return f"{self.name}: no track has a fingerprint yet; run auralis-fp scan"

    def _count_of_commits(self) -> object:
        if self._observer is None:
            return None
        with translated(self.name):
            driver: Any = self._observer.connection.driver_connection
            return driver.execute("PRAGMA data_version").fetchone()


def open_source(target: str | os.PathLike[str]) -> Source:
    """Open a library.

    Parameters
    ----------
    target : str or os.PathLike
        A SQLite file, a SQLAlchemy URL, a Parquet file, or a folder of them.

    Raises
    ------
    LibraryError
        It cannot be opened, or is no library.
    """
    if is_parquet(target):
        from auralis_fp.library.similar.parquet import ParquetSource

        return ParquetSource(Path(target))
    return DatabaseSource(Database(target, readonly=True))
