"""Fingerprints in Parquet files: those of ``auralis-fp export``, or any with the same columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from auralis_fp._text import printable
from auralis_fp.library.errors import LibraryError
from auralis_fp.library.similar.tracks import Track, TrackNames
from auralis_fp.library.similar.vectors import Vectors, ascending, undefined_as_nan
from auralis_fp.library.store.parquet import PATH_COLUMNS, parquet_files, parquet_module, reading_parquet
from auralis_fp.library.store.queries import LibraryStatus
from auralis_fp.library.store.tables import LARGEST
from auralis_fp.metadata import Metadata
from auralis_fp.schema import FINGERPRINT_VERSION, NAMES

__all__ = ["ParquetSource"]

_TEXTS: Final = ("title", "artist", "album")
_ROWS: Final = 65_536


class ParquetSource:
    """The library in a Parquet file, or in all ``.parquet`` files of a folder and the folders in it.

    The columns are the 25 names, ``fingerprint_version``, and ``filepath`` (or ``path``, ``uri``); a
    ``track_id``, ``title``, ``artist``, ``album`` and ``duration`` are used where they exist. Without
    ids, tracks are numbered in the order of the files' names. Rows without numbers are left out.

    Parameters
    ----------
    path : Path
        The file or folder.
    """

    def __init__(self, path: Path) -> None:
        self._name: Final = printable(path)
        self._path: Final = path
        self._arrow: Final[Any] = parquet_module("pyarrow")
        self._reader: Final[Any] = parquet_module("pyarrow.parquet")
        self._seen: Hashable = None  # the state of the files when they were last asked about
        self._read: Hashable = None  # and when names were read
        self._ids: NDArray[np.int64] = np.empty(0, np.int64)
        self._others = 0  # rows of other versions
        self._facts: Any = None
        self._read_facts()

    @property
    def name(self) -> str:
        """The file or folder."""
        return self._name

    def vectors(self) -> Vectors:
        """Return all fingerprints of this version."""
        if self._stamp() != self._read:
            self._read_facts()
        values = np.empty((len(self._ids), len(NAMES)), np.float32)
        usable = np.zeros(len(self._ids), bool)
        for part, numbers, ours in self._numbers():
            usable[part] = ours
            values[part] = undefined_as_nan(numbers)
        self._others = int(len(usable) - usable.sum())
        if self._others:
            return ascending(self._ids[usable], values[usable])
        return ascending(self._ids, values)

    def values(self, ids: Iterable[int]) -> NDArray[np.float32]:
        """Return the fingerprints of some tracks, by reading all; those without one are left out."""
        rows = self._rows(ids)
        wanted = np.sort(rows)
        found: dict[int, NDArray[np.float64]] = {}
        for part, numbers, ours in self._numbers():
            low, high = np.searchsorted(wanted, [part.start, part.stop])
            for row in wanted[low:high].tolist():
                if ours[row - part.start]:
                    found[row] = numbers[row - part.start]
        present = [found[row] for row in rows.tolist() if row in found]
        return undefined_as_nan(np.array(present).reshape(-1, len(NAMES))).astype(np.float32)

    def changed(self) -> bool:
        """Return whether the files are others than when this was last asked, or read."""
        before, self._seen = self._seen, self._stamp()
        return self._seen != before

    def tracks(self, ids: Iterable[int]) -> list[Track]:
        """Return tracks in the order of their ids; ids that are none are left out."""
        rows = self._rows(ids)
        found = self._facts.take(self._arrow.array(rows)).to_pylist()
        return [self._track(int(self._ids[row]), fact) for row, fact in zip(rows, found, strict=True)]

    def durations(self, ids: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the lengths of tracks in seconds; NaN where they are not known."""
        if "duration" not in self._facts.column_names:
            return np.full(len(ids), np.nan)
        known = self._facts.column("duration").to_numpy().astype(np.float64)[self._rows(ids)]
        return np.where(known > 0, known, np.nan)

    def all_durations(self) -> NDArray[np.float64]:
        """Return the lengths of all tracks whose length is known."""
        if "duration" not in self._facts.column_names:
            return np.empty(0)
        known = self._facts.column("duration").to_numpy().astype(np.float64)
        return np.asarray(known[known > 0])

    def names(self) -> Iterator[TrackNames]:
        """Yield title and file of every track."""
        start = 0
        for batch in self._facts.to_batches(max_chunksize=4096):
            for row, fact in enumerate(batch.to_pylist(), start=start):
                path = fact["path"] or ""
                yield TrackNames(int(self._ids[row]), fact.get("title") or Path(path).stem, path)
            start += batch.num_rows

    def at_path(self, path: str) -> int | None:
        """Return the id of the track with this path."""
        compute: Any = parquet_module("pyarrow.compute")
        row = compute.index(self._facts.column("path"), printable(path)).as_py()
        return None if row < 0 else int(self._ids[row])

    def metadata(self, ids: Iterable[int]) -> list[Metadata | None]:
        """Return what is known about the recordings of some tracks, in the order of their ids."""
        wanted = list(ids)
        names = [field.name for field in fields(Metadata)]
        first = parquet_files(self._path)[0]
        with reading_parquet(first):
            if not {"uri", *names} <= set(self._reader.ParquetFile(first).schema_arrow.names):
                return [None] * len(wanted)
        rows = self._arrow.Table.from_batches(list(self._batches(names)))
        found = rows.take(self._arrow.array(self._rows(wanted))).to_pylist()
        return [None if row["duration"] is None else Metadata(**row) for row in found]

    def status(self, *, failures: int = 10) -> LibraryStatus:
        """Count the rows by what they hold, and list the first ``failures`` of those that hold an error."""
        first = parquet_files(self._path)[0]
        with reading_parquet(first):
            names = self._reader.ParquetFile(first).schema_arrow.names
        errors = ["error_kind", "error_cause"] if "error_kind" in names else []
        versions: Counter[int] = Counter()
        failed: list[tuple[int, str, str]] = []
        start = 0
        for batch in self._batches(["fingerprint_version", *errors]):
            for row, fact in enumerate(batch.to_pylist(), start=start):
                if fact["fingerprint_version"] is not None:
                    versions[fact["fingerprint_version"]] += 1
                elif len(failed) < failures and errors:
                    path = self._facts.column("path")[row].as_py() or ""
                    failed.append((int(self._ids[row]), path, f"{fact['error_kind']}: {fact['error_cause']}"))
            start += batch.num_rows
        complete = versions.total()
        by_status = {"complete": complete, "error": start - complete}
        return LibraryStatus(
            tracks=start,
            by_status={name: count for name, count in by_status.items() if count},
            by_version=dict(sorted(versions.items())),
            placeholders=0,
            failures=failed,
        )

    def without_vectors(self) -> str:
        """Return why there is not a single fingerprint, in a sentence."""
        if self._others:
            return f"{self.name}: no row is a fingerprint of version {FINGERPRINT_VERSION}"
        return f"{self.name}: there are no rows in it"

    def _rows(self, ids: Iterable[int]) -> NDArray[np.intp]:
        """Return the rows of tracks in all files; ids that are none are left out."""
        wanted = np.fromiter(ids, np.int64)
        order = np.argsort(self._ids, kind="stable")
        places = np.searchsorted(self._ids, wanted, sorter=order)
        known = places < len(self._ids)
        rows = order[places[known]]
        return np.asarray(rows[self._ids[rows] == wanted[known]])

    def _numbers(self) -> Iterator[tuple[slice, NDArray[np.float64], NDArray[np.bool_]]]:
        """Yield parts of all rows: their places, their numbers, and which are comparable fingerprints."""
        start = 0
        for table in self._batches(("fingerprint_version", *NAMES)):
            columns = [table.column(name).to_numpy(zero_copy_only=False) for name in NAMES]
            numbers = np.stack([column.astype(np.float64) for column in columns], axis=1)
            version = table.column("fingerprint_version").to_numpy(zero_copy_only=False)
            ours = version.astype(np.float64) == FINGERPRINT_VERSION
            end = start + table.num_rows
            if end > len(self._ids):
                break
            yield slice(start, end), numbers, ours & (np.abs(numbers) <= LARGEST).all(axis=1)
            start = end
        if start != len(self._ids):
            raise LibraryError(f"{self.name}: changed while it was read; try again")

    def _track(self, track_id: int, fact: dict[str, Any]) -> Track:
        path = fact["path"] or ""
        duration = fact.get("duration")
        return Track(
            track_id,
            path,
            printable(fact.get("title") or Path(path).stem),
            printable(fact.get("artist") or "") or None,
            printable(fact.get("album") or "") or None,
            duration=float(duration) if duration and duration > 0 else None,
        )

    def _stamp(self) -> Hashable:
        return tuple(
            (str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in parquet_files(self._path)
        )

    def _batches(self, columns: Iterable[str]) -> Iterator[Any]:
        for path in parquet_files(self._path):
            with reading_parquet(path):
                file = self._reader.ParquetFile(path)
                if lacking := sorted(set(columns) - set(file.schema_arrow.names)):
                    raise LibraryError(f"{printable(path)}: no column {', '.join(lacking[:3])}")
                yield from file.iter_batches(_ROWS, columns=list(columns))

    def _read_facts(self) -> None:
        self._read = self._seen = self._stamp()
        first = parquet_files(self._path)[0]
        with reading_parquet(first):
            names = set(self._reader.ParquetFile(first).schema_arrow.names)
        path = next((name for name in PATH_COLUMNS if name in names), None)
        if path is None:
            raise LibraryError(f"{self.name}: no column {' or '.join(PATH_COLUMNS)}")
        present = [name for name in (*_TEXTS, "duration", "track_id") if name in names]
        batches = list(self._batches((path, *present)))
        table = (
            self._arrow.Table.from_batches(batches)
            if batches
            else self._arrow.table({path: [], "track_id": []})
        )
        table = table.rename_columns(["path" if name == path else name for name in table.column_names])
        self._ids = np.arange(1, table.num_rows + 1)
        if "track_id" in table.column_names:
            ids = table.column("track_id")
            if ids.null_count == 0 and len(ids.unique()) == len(ids):
                self._ids = ids.to_numpy().astype(np.int64)
        self._facts = table.select([name for name in table.column_names if name != "track_id"])
