"""Rows of Parquet files: those of exports and of runs on clusters, or any with the same columns."""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from auralis_fp._text import printable
from auralis_fp.library.errors import LibraryError
from auralis_fp.library.store.filenames import from_column
from auralis_fp.library.store.queries import StoredTrack
from auralis_fp.library.store.stored import StoredFingerprint
from auralis_fp.library.store.tables import LARGEST
from auralis_fp.schema import FINGERPRINT_VERSION, NAMES

__all__ = [
    "PATH_COLUMNS", "is_parquet", "parquet_files", "parquet_module", "path_of", "reading_parquet",
    "stored_rows", "tables_of", "values_of",
]  # fmt: skip

PATH_COLUMNS: Final = ("filepath", "path", "uri")
"""Columns that may name the file of a row, the first of them that is there."""

_ROWS: Final = 10_000


def is_parquet(target: str | os.PathLike[str]) -> bool:
    """Return whether a library is in Parquet files: a folder, or a file with their ending."""
    text = os.fspath(target)
    return "://" not in text and (Path(text).is_dir() or Path(text).suffix.lower() in (".parquet", ".pq"))


def parquet_module(name: str) -> Any:
    """Import a module of pyarrow.

    Raises
    ------
    ImportError
        pyarrow is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError("Parquet files need pyarrow: pip install 'auralis-fp[parquet]'") from error


def parquet_files(path: Path) -> list[Path]:
    """Return a file, or the Parquet files in a folder and the folders in it, in order of their names.

    As in every data set, names that begin with ``_`` or ``.`` are not part of it.

    Raises
    ------
    LibraryError
        There are none.
    """
    if not path.is_dir():
        if not path.exists():
            raise LibraryError(f"{printable(path)}: no such file")
        return [path]
    files = sorted(path.rglob("*.parquet"))
    files = [one for one in files if not any(part[0] in "_." for part in one.relative_to(path).parts)]
    if not files:
        raise LibraryError(f"{printable(path)}: no .parquet file in this folder")
    return files


@contextmanager
def reading_parquet(path: Path) -> Iterator[None]:
    """Turn the errors of pyarrow into a :class:`LibraryError` that names the file."""
    arrow = parquet_module("pyarrow")
    try:
        yield
    except (OSError, arrow.ArrowException) as error:
        raise LibraryError(f"{printable(path)}: {str(error).splitlines()[0]}") from error


def tables_of(path: Path) -> Iterator[Any]:
    """Yield the rows of all files as Arrow tables, of at most ten thousand rows each."""
    arrow, reader = parquet_module("pyarrow"), parquet_module("pyarrow.parquet")
    for file in parquet_files(path):
        with reading_parquet(file):
            opened = reader.ParquetFile(file)
            lacking = sorted({*NAMES, "fingerprint_version"} - set(opened.schema_arrow.names))
            if lacking:
                raise LibraryError(f"{printable(file)}: no column {', '.join(lacking[:3])}")
            if not set(PATH_COLUMNS) & set(opened.schema_arrow.names):
                raise LibraryError(f"{printable(file)}: no column {' or '.join(PATH_COLUMNS)}")
            for batch in opened.iter_batches(_ROWS):
                yield arrow.Table.from_batches([batch])


def values_of(row: Mapping[str, Any]) -> tuple[int, list[float]] | None:
    """Return version and numbers of a row; None if it holds no fingerprint."""
    version, values = row["fingerprint_version"], [row[name] for name in NAMES]
    if not isinstance(version, int) or not 0 < version < 2**31 or None in values:
        return None
    if not all(math.isfinite(value) and abs(value) <= LARGEST for value in values):
        return None
    return version, [float(value) for value in values]


def path_of(row: Mapping[str, Any]) -> str:
    """Return the path, in Python's form, or the URI of a row."""
    return next((from_column(str(row[name])) for name in PATH_COLUMNS if row.get(name)), "")


def stored_rows(path: Path, version: int | None = FINGERPRINT_VERSION) -> Iterator[StoredTrack]:
    """Yield the rows with a fingerprint of ``version`` (None: of any), as a database yields its tracks.

    Without a column ``track_id``, rows are numbered in the order of the files' names.
    """
    number = 0
    for table in tables_of(path):
        for row in table.to_pylist():
            number += 1
            known = values_of(row)
            if known is None or version not in (None, known[0]):
                continue
            track_id, file = row.get("track_id") or number, path_of(row)
            yield StoredTrack(
                track_id,
                file,
                row.get("title") or printable(Path(file).stem),
                "complete",
                None,
                StoredFingerprint(track_id, *known),
                row.get("fingerprint_build"),
            )
