"""The content of the page in the compact form that its script reads."""

from __future__ import annotations

import base64
import json
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from auralis_fp._text import printable
from auralis_fp.library.page.axes import principal_axes
from auralis_fp.library.page.reading import Overview, Tracks, format_of
from auralis_fp.library.report.findings import FINDINGS
from auralis_fp.library.similar.vectors import are_silent
from auralis_fp.schema import DIMENSIONS
from auralis_fp.similarity.explanation import ALIKE, FAR, MOST, NEAR, SAME_TEMPO, WORDS
from auralis_fp.similarity.scale import Scale
from auralis_fp.similarity.space import SMALL_LIBRARY, Space
from auralis_fp.similarity.weights import DEFAULTS

__all__ = ["ABSENT", "LONGEST", "Levels", "packed", "texts_of"]

ABSENT: Final = 65_535
"""The level of an undefined number; the others are 0 to 65534."""

LONGEST: Final = 400
"""Characters of a title or name that are shown; the rest is cut."""

_LONGEST_PATH: Final = 4096  # longer ones are no files
_SCORED: Final = np.linspace(0, 4, 201)  # distances whose scores are in the page


def packed(data: bytes) -> str:
    """Return data as text: deflated, in base64."""
    return base64.b64encode(zlib.compress(data, 9)).decode()


@dataclass(frozen=True)
class Levels:
    """The numbers of tracks in 16 bits each: their places on the scale of these tracks.

    Unlike steps of equal size, these are fine where many tracks are: both the numbers and their places come
    out closer than any tolerance.

    Attributes
    ----------
    data : bytes
        Little-endian, one dimension after the other; :data:`ABSENT` where undefined.
    scales : list of Scale
        Of each dimension.
    steps : list of float
        From one level to the next on the scale; level 0 is at its first place.
    """

    data: bytes
    scales: list[Scale]
    steps: list[float]

    @classmethod
    def of(cls, values: NDArray[np.float32]) -> Levels:
        """Return the levels of numbers, shape (n, 25), NaN where undefined."""
        levels = np.full(values.T.shape, ABSENT, "<u2")
        scales, steps = [], []
        for row, column in zip(levels, values.T, strict=True):
            known = np.isfinite(column)
            scale = Scale.fit(column[known])
            step = float(np.ptp(scale.places)) / (ABSENT - 1) if known.any() else 0.0
            if step:
                row[known] = np.rint((scale.place(column[known]) - scale.places[0]) / step)
            row[known & (row == ABSENT)] = 0  # all numbers are the same
            scales.append(scale)
            steps.append(step)
        return cls(levels.tobytes(), scales, steps)


def texts_of(overview: Overview, shown: Tracks, levels: Levels, folder: Path) -> bytes:
    """Return everything but the numbers as JSON.

    Parameters
    ----------
    overview : Overview
    shown : Tracks
    levels : Levels
        The numbers of the tracks shown.
    folder : Path
        The folder of the page, which links to tracks start from.
    """
    values = shown.values.copy()
    values[are_silent(values)] = np.nan  # and so they are like nothing
    small = len(values) < SMALL_LIBRARY or not np.isfinite(values).any()
    space = Space.builtin() if small else Space.fit(values)
    content = {
        "pageFolder": os.path.abspath(folder),  # noqa: PTH100 - links are not resolved
        "comparable": shown.comparable,
        "dimensions": list(_dimensions(levels, space if small else None)),
        "compared": np.flatnonzero(DEFAULTS).tolist(),
        "scores": {"step": float(_SCORED[1]), "values": _rounded(space.score(_SCORED))},
        "axes": [
            {
                "low": axis.low,
                "high": axis.high,
                "share": round(axis.share, 4),
                "offset": round(axis.offset, 6),
                "loadings": _rounded(axis.loadings),
            }
            for axis in principal_axes(space, values)
        ],
        "words": {name: word._asdict() for name, word in WORDS.items()},
        "alike": {name: words._asdict() for name, words in ALIKE.items()},
        "limits": {"near": NEAR, "far": FAR, "most": MOST, "sameTempo": SAME_TEMPO},
        "findings": [finding.title for finding in FINDINGS.values()],
        "found": list(_found(shown)),
        "failures": [
            [track_id, path[:_LONGEST_PATH], printable(reason)[:LONGEST]]
            for track_id, path, reason in overview.status.failures
        ],
        **_tracks(shown),
    }
    # ASCII, since Python's form of file names that are not UTF-8 has no other encoding.
    return json.dumps(content, separators=(",", ":"), allow_nan=False).encode("ascii")


def _dimensions(levels: Levels, space: Space | None) -> Iterator[dict[str, Any]]:
    """Yield the dimensions; with ``space``, the tracks are compared on its scale and not on their own."""
    for dimension, scale, step in zip(DIMENSIONS, levels.scales, levels.steps, strict=True):
        yield {
            "name": dimension.name,
            "unit": dimension.unit,
            "meaning": dimension.meaning,
            "step": step,
            "scale": _knots(scale),
            "compared": None if space is None else _knots(space.scales[dimension.name]),
        }


def _knots(scale: Scale) -> dict[str, list[float]]:
    return {"values": [float(f"{value:.9g}") for value in scale.values], "places": scale.places.tolist()}


def _found(shown: Tracks) -> Iterator[tuple[int, int, str, float]]:
    """Yield track, kind, description and severity of every finding."""
    kinds = list(FINDINGS)
    for row, metadata in enumerate(shown.metadata):
        for name in () if metadata is None else metadata.findings:
            assert metadata is not None
            finding = FINDINGS[name]
            severity = round(float(finding.severity(metadata)), 3)
            yield row, kinds.index(name), finding.detail(metadata), severity


def _tracks(shown: Tracks) -> dict[str, Any]:
    folders, artists, albums, formats = (_Numbered() for _ in range(4))
    rows: dict[str, list[Any]] = {
        name: []
        for name in ("id", "title", "file", "folder", "artist", "album", "format", "seconds", "known")
    }
    for track, metadata in zip(shown.tracks, shown.metadata, strict=True):
        folder, file = os.path.split(track.path[:_LONGEST_PATH])
        seconds = track.duration or (metadata.duration if metadata else None)
        rows["id"].append(track.id)
        # Most titles are the name of the file, which is there anyway.
        rows["title"].append(0 if track.title == printable(Path(file).stem) else _short(track.title))
        rows["file"].append(file)
        rows["folder"].append(folders.number(folder))
        rows["artist"].append(artists.number(_short(track.artist or "")))
        rows["album"].append(albums.number(_short(track.album or "")))
        rows["format"].append(formats.number(format_of(file)))
        rows["seconds"].append(0 if seconds is None else round(seconds, 1))
        rows["known"].append(int(metadata is not None))
    lists = {"folders": folders, "artists": artists, "albums": albums, "formats": formats}
    return {"tracks": rows, **{name: one.texts for name, one in lists.items()}}


class _Numbered:
    """Texts, each once; tracks refer to them by number."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    @property
    def texts(self) -> list[str]:
        return list(self._numbers)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _rounded(numbers: NDArray[np.float64]) -> list[float | None]:
    return [round(one, 6) if np.isfinite(one) else None for one in numbers.tolist()]
