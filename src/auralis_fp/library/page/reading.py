"""What the page shows of a library: counts of everything, and tracks with all that is known about them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from auralis_fp.library.errors import LibraryError
from auralis_fp.library.files import sidecar
from auralis_fp.library.similar.parquet import ParquetSource
from auralis_fp.library.similar.sources import DatabaseSource
from auralis_fp.library.similar.tracks import Track, pages_of, read_tracks
from auralis_fp.library.similar.vectors import comparable_ids, read_values
from auralis_fp.library.store.columns import as_number, as_path, optional, reading
from auralis_fp.library.store.database import Database
from auralis_fp.library.store.queries import LibraryStatus, library_status
from auralis_fp.metadata import Metadata
from auralis_fp.schema import NAMES
from auralis_fp.similarity.rows import spaced

__all__ = ["Overview", "Tracks", "format_of", "read_overview", "read_shown"]

_PAGE: Final = 4096
_MOST_FAILURES: Final = 5000
_FORMATS: Final = 12  # that are counted by name; longer lists are of endings that are no formats


@dataclass
class Overview:
    """Counts of a library.

    Attributes
    ----------
    status : LibraryStatus
        Tracks by status, fingerprints by version, and failures.
    seconds : float
        Length of all tracks whose length is known.
    timed : int
        Their number.
    formats : list of (str, int)
        The number of tracks by :func:`format_of`, the most frequent first.
    """

    status: LibraryStatus
    seconds: float
    timed: int
    formats: list[tuple[str, int]]


@dataclass
class Tracks:
    """Tracks that can be compared.

    Attributes
    ----------
    comparable : int
        How many the library has.
    tracks : list of Track
        Those of them that the page shows: all, or evenly spaced ones.
    values : ndarray of float32, shape (n, 25)
        Their numbers; NaN where undefined.
    metadata : list of Metadata or None
        What their sidecars hold; None where that is not known.
    """

    comparable: int
    tracks: list[Track] = field(default_factory=list)
    values: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, len(NAMES)), np.float32))
    metadata: list[Metadata | None] = field(default_factory=list)


def format_of(path: str) -> str:
    """Return the format of a file by the ending of its name."""
    ending = PurePosixPath(path).suffix[1:].upper()
    return ending if ending.isascii() and ending.isalnum() and len(ending) <= 5 else "other"


def read_overview(library: Database | ParquetSource) -> Overview:
    """Count the tracks of a library."""
    if isinstance(library, ParquetSource):
        return _overview_of_rows(library)
    return _overview_of_database(library)


def _overview_of_rows(source: ParquetSource) -> Overview:
    lengths, formats = source.all_durations(), Counter(format_of(one.path) for one in source.names())
    return Overview(
        source.status(failures=_MOST_FAILURES), float(lengths.sum()), len(lengths), _most_frequent(formats)
    )


def _overview_of_database(database: Database) -> Overview:
    """Count tracks, a page of rows in memory at a time."""
    t = database.tracks
    seconds, timed, formats = 0.0, 0, Counter[str]()
    with database.read() as connection:
        query = select(reading(t.c.filepath), optional(t, "duration"))
        for page in connection.execute(query.execution_options(yield_per=_PAGE)).partitions(_PAGE):
            lengths = [length for _path, one in page if (length := as_number(one) or 0) > 0]
            seconds += math.fsum(lengths)
            timed += len(lengths)
            formats.update(format_of(as_path(path)) for path, _length in page)
    return Overview(
        library_status(database, failures=_MOST_FAILURES), seconds, timed, _most_frequent(formats)
    )


def _most_frequent(formats: Counter[str]) -> list[tuple[str, int]]:
    named = formats.most_common(_FORMATS)
    if rest := formats.total() - sum(count for _name, count in named):
        named.append(("further ones", rest))
    return named


def read_shown(library: Database | ParquetSource, most: int, *, use_sidecar_files: bool) -> Tracks:
    """Read the tracks to show: all that can be compared, or ``most`` of them, evenly spaced.

    Raises
    ------
    LibraryError
        There are none.
    """
    if isinstance(library, ParquetSource):
        return _shown_rows(library, most)
    return _shown_of_database(library, most, use_sidecar_files=use_sidecar_files)


def _shown_rows(source: ParquetSource, most: int) -> Tracks:
    vectors = source.vectors()
    if not len(vectors):
        raise LibraryError(source.without_vectors())
    chosen = spaced(len(vectors), most)
    ids = vectors.ids[chosen].tolist()
    return Tracks(len(vectors), source.tracks(ids), vectors.values[chosen], source.metadata(ids))


def _shown_of_database(database: Database, most: int, *, use_sidecar_files: bool) -> Tracks:
    ids = comparable_ids(database)
    if not len(ids):
        raise LibraryError(DatabaseSource(database).without_vectors())
    shown = Tracks(len(ids))
    values = []
    for page in pages_of(ids[spaced(len(ids), most)].tolist()):
        tracks = read_tracks(database, page)
        numbers = read_values(database, [one.id for one in tracks if one.id is not None])
        if len(numbers) != len(tracks):  # rows have gone in between: this page one by one
            tracks = [one for one in tracks if len(read_values(database, [one.id or 0]))]
            numbers = read_values(database, [one.id or 0 for one in tracks])
        shown.tracks += tracks
        values.append(numbers)
        for track in tracks:
            content = sidecar.load(track.path) if use_sidecar_files else None
            shown.metadata.append(content.metadata if content else None)
    shown.values = np.concatenate(values)
    return shown
