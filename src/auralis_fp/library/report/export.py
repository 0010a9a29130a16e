"""Writes the fingerprints of a library as CSV, JSON or Parquet, in constant memory."""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, BinaryIO, Final

from auralis_fp._text import printable
from auralis_fp.library.files import sidecar
from auralis_fp.library.store.queries import StoredTrack
from auralis_fp.schema import NAMES

__all__ = ["COLUMNS", "Encoded", "export_csv", "export_json", "export_parquet", "with_build"]

COLUMNS: Final = ("track_id", "filepath", "title", "fingerprint_version", *NAMES, "fingerprint_build")

_PAGE: Final = 1000


def export_csv(tracks: Iterable[StoredTrack], out: BinaryIO) -> int:
    """Write a header and one line per track; return the number of tracks."""
    writer = csv.writer(Encoded(out))
    writer.writerow(COLUMNS)
    count = 0
    for row in map(_row, tracks):
        writer.writerow(row.values())
        count += 1
    return count


def export_json(tracks: Iterable[StoredTrack], out: BinaryIO) -> int:
    """Write a list of objects, one per line; return their number."""
    count = 0
    out.write(b"[")
    for row in map(_row, tracks):
        out.write(b",\n" if count else b"\n")
        out.write(json.dumps(row, ensure_ascii=False).encode())
        count += 1
    out.write(b"\n]\n")
    return count


def export_parquet(tracks: Iterable[StoredTrack], out: BinaryIO) -> int:
    """Write a Parquet file, a row group per thousand tracks; return the number of tracks. Needs pyarrow."""
    try:
        arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise ImportError("export to Parquet needs pyarrow: pip install 'auralis-fp[parquet]'") from error
    numbers = [arrow.float64()] * len(NAMES)
    types = [arrow.int64(), arrow.string(), arrow.string(), arrow.int32(), *numbers, arrow.string()]
    schema = arrow.schema(list(zip(COLUMNS, types, strict=True)))
    count = 0
    with parquet.ParquetWriter(out, schema) as writer:
        for page in _pages(map(_row, tracks)):
            writer.write_table(arrow.Table.from_pylist(page, schema=schema))
            count += len(page)
    return count


def with_build(track: StoredTrack) -> StoredTrack:
    """Return the track with the build that its sidecar names, if the sidecar holds the same numbers."""
    if track.build is not None or track.fingerprint is None:
        return track
    content = sidecar.load(track.path)
    if content is None or dict(content.values) != track.fingerprint.to_row():
        return track
    return replace(track, build=content.build)


def _row(track: StoredTrack) -> dict[str, Any]:
    fingerprint = track.fingerprint
    assert fingerprint is not None
    head = (track.id, printable(track.path), track.title, fingerprint.fingerprint_version)
    return dict(zip(COLUMNS, (*head, *fingerprint.values(), track.build), strict=True))


def _pages(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while page := list(islice(rows, _PAGE)):
        yield page


class Encoded:
    """A binary stream as the text stream that the csv module needs."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, text: str) -> None:
        """Write text as UTF-8."""
        self._out.write(text.encode())
