"""The files of a run: those in folders, on disks or in object stores, and those that lists name."""

from __future__ import annotations

import csv
import functools
import io
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import fs

from auralis_fp._audio_files import audio_files, is_audio
from auralis_fp.cluster.storage import (
    ARROW_ERRORS,
    Location,
    StorageError,
    first_line,
    locate,
    patiently,
    to_uri,
)
from auralis_fp.errors import AnalysisError

__all__ = ["FILES_SCHEMA", "URI_COLUMNS", "list_files"]

FILES_SCHEMA: Final = pa.schema([pa.field("uri", pa.large_string(), nullable=False), ("size", pa.int64())])
URI_COLUMNS: Final = ("uri", "filepath", "path")
"""Columns of a list that may hold its URIs, the first of them that is there."""

_LISTS: Final = (".parquet", ".pq", ".csv", ".txt")
_ROWS: Final = 65_536
_LISTED_AT_ONCE: Final = 8
_CHECKED_BUCKETS: Final = 20
_CHECKED_OBJECTS: Final = 3


def list_files(sources: Iterable[str | os.PathLike[str]]) -> pa.Table:
    """Return the files to measure, each once, in order of their URIs.

    Parameters
    ----------
    sources : iterable of str or os.PathLike
        Folders on this machine or in object stores, of which the audio files are taken, by the extensions of
        their names; lists of URIs in ``.parquet`` or ``.csv`` files with a column ``uri``, ``filepath`` or
        ``path``, or in ``.txt`` files with one on each line; and audio files.

    Returns
    -------
    pyarrow.Table
        The columns ``uri`` and ``size``, which is null where the size is not known yet.

    Raises
    ------
    StorageError
        A source does not exist or cannot be read, or a list has no such column.
    """
    tables = [FILES_SCHEMA.empty_table()]
    for source in sources:
        for page in _pages(_files_of(os.fspath(source))):
            uris, sizes = zip(*page, strict=True)
            tables.append(pa.table([pa.array(uris, pa.large_string()), sizes], schema=FILES_SCHEMA))
    files = pa.concat_tables(tables).group_by("uri").aggregate([("size", "max")])
    files = files.select(["uri", "size_max"]).rename_columns(["uri", "size"])
    files = files.sort_by("uri").cast(FILES_SCHEMA)
    _check_buckets(files["uri"].filter(pc.is_null(files["size"])))
    return files


def _check_buckets(uris: pa.ChunkedArray) -> None:
    """Raise an error if objects that lists name are in a bucket that is missing or not for this user."""
    buckets = pc.extract_regex(uris, "^(?P<bucket>[a-z][a-z0-9+.-]*://[^/]+)/")
    for bucket in pc.drop_null(pc.struct_field(buckets, "bucket")).unique().to_pylist()[:_CHECKED_BUCKETS]:
        try:
            location = locate(bucket)
        except AnalysisError:  # a failure of each of its files
            continue
        if location.filesystem is None:
            continue
        try:
            info = patiently(functools.partial(location.filesystem.get_file_info, location.path))
            if info.type == fs.FileType.NotFound:
                raise StorageError(f"{bucket}: no such bucket")
        except ARROW_ERRORS:  # rights to read objects are enough
            some = uris.filter(pc.starts_with(uris, f"{bucket}/")).slice(0, _CHECKED_OBJECTS).to_pylist()
            refusals = list(map(_refusal, some))
            if None not in refusals:
                raise StorageError(f"{some[0]}: {refusals[0]}") from None


def _refusal(uri: str) -> str | None:
    """Return why an object cannot be opened; None if it can, or is not there."""
    try:
        location = locate(uri)
        patiently(lambda: location.filesystem.open_input_file(location.path)).close()
    except FileNotFoundError:
        return None
    except (AnalysisError, *ARROW_ERRORS) as error:
        return first_line(error)
    return None


def _files_of(source: str) -> Iterator[tuple[str, int | None]]:
    try:
        location = locate(source)
        if location.filesystem is None:
            location = Location(os.path.abspath(location.path))  # noqa: PTH100 - links stay links
            yield from _local_files(location.path)
        else:
            yield from _remote_files(source, location)
    except AnalysisError as error:
        raise StorageError(f"{source}: {error.cause}") from error
    except (*ARROW_ERRORS, UnicodeError) as error:
        raise StorageError(f"{source}: {first_line(error)}") from error


def _local_files(path: str) -> Iterator[tuple[str, int | None]]:
    if Path(path).is_dir():
        for file in audio_files(path):
            yield to_uri(file), _size(file)
    elif Path(path).suffix.lower() in _LISTS:
        yield from _listed(path, Path(path).read_bytes())
    elif Path(path).is_file():
        yield to_uri(path), _size(path)
    else:
        raise FileNotFoundError("no such file or folder")


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size  # noqa: PTH116
    except OSError:  # a link to nowhere, which is a failure of its own
        return None


def _remote_files(source: str, location: Location) -> Iterator[tuple[str, int | None]]:
    filesystem: Any = location.filesystem
    info = patiently(lambda: filesystem.get_file_info(location.path))
    if info.type == fs.FileType.File:
        if Path(location.path).suffix.lower() in _LISTS:
            with patiently(lambda: filesystem.open_input_file(location.path)) as file:
                yield from _listed(source, file.read())
        else:
            yield source, info.size
        return
    if info.type == fs.FileType.NotFound:
        raise FileNotFoundError("no such bucket, folder or object")
    prefix, base = source.rstrip("/"), location.path.rstrip("/")

    def listed(path: str, recursive: bool) -> list[Any]:
        selector = fs.FileSelector(path, recursive=recursive)
        found: list[Any] = patiently(lambda: filesystem.get_file_info(selector))
        return found

    def audio(found: Iterable[Any]) -> Iterator[tuple[str, int | None]]:
        for one in found:
            inner = one.path[len(base) :]
            if one.type == fs.FileType.File and is_audio(one.path) and "/." not in inner:
                yield prefix + inner, one.size

    # Folder by folder, since a listing of everything would take many times the memory of the names.
    first = listed(base, recursive=False)
    yield from audio(first)
    folders = (one.path for one in first if one.type == fs.FileType.Directory)
    with ThreadPoolExecutor(_LISTED_AT_ONCE) as pool:
        while page := list(islice(folders, _LISTED_AT_ONCE)):
            for found in pool.map(lambda path: listed(path, recursive=True), page):
                yield from audio(found)


def _listed(source: str, content: bytes | pa.Buffer) -> Iterator[tuple[str, int | None]]:
    """Yield the files that a list names."""
    ending = Path(source).suffix.lower()
    if ending in (".parquet", ".pq"):
        uris = _of_parquet(source, content)
    else:
        lines = io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", newline="" if ending == ".csv" else None)
        uris = _of_csv(source, lines) if ending == ".csv" else (line.rstrip("\n") for line in lines)
    for uri in uris:
        if uri:
            yield (uri if "://" in uri else to_uri(os.path.abspath(uri))), None  # noqa: PTH100


def _of_parquet(source: str, content: bytes | pa.Buffer) -> Iterator[str]:
    file = pq.ParquetFile(pa.BufferReader(content))
    column = _column(source, file.schema_arrow.names)
    for batch in file.iter_batches(_ROWS, columns=[column]):
        yield from pc.drop_null(batch.column(0)).to_pylist()


def _of_csv(source: str, lines: Iterable[str]) -> Iterator[str]:
    rows = csv.DictReader(lines)
    column = _column(source, rows.fieldnames or ())
    return (row[column] or "" for row in rows)


def _column(source: str, names: Iterable[str]) -> str:
    present = set(names)
    for name in URI_COLUMNS:
        if name in present:
            return name
    raise StorageError(f"{source}: no column {' or '.join(URI_COLUMNS)}")


def _pages(files: Iterator[tuple[str, int | None]]) -> Iterator[list[tuple[str, int | None]]]:
    while page := list(islice(files, _ROWS)):
        yield page
