"""The space in which tracks are near each other if they measure alike."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from auralis_fp.schema import FINGERPRINT_VERSION, NAMES
from auralis_fp.similarity.comparison import CIRCUMFERENCE, TEMPO, Compared, distances
from auralis_fp.similarity.explanation import Explanation, explain
from auralis_fp.similarity.index import Index
from auralis_fp.similarity.rows import Rows, Vectors, as_rows, spaced
from auralis_fp.similarity.scale import Scale
from auralis_fp.similarity.weights import Weights, resolve

__all__ = ["SMALL_LIBRARY", "Space"]

SMALL_LIBRARY: Final = 200
"""With fewer tracks, :meth:`Space.builtin` knows better than they do how music is distributed."""

_FORMAT: Final = 1
_SAMPLED: Final = 100_000  # tracks that a scale is learnt from; more would not move it
_PAIRED: Final = 256  # tracks whose 32 640 pairs say how far apart random tracks are
_PERCENTILES: Final = np.linspace(0, 1, 101)

_Path: TypeAlias = "str | os.PathLike[str]"


class Space:
    """The distribution of a library's numbers, and comparisons on its scale.

    Every dimension is mapped by rank onto a normal scale: half of the library lies within 0.67 of its middle,
    whatever the unit. Make one with :meth:`fit`, :meth:`builtin` or :meth:`load`.

    Attributes
    ----------
    tracks : int
        Number of tracks that it was learnt from.
    version : int
        Version of the fingerprints that it was learnt from.

    Examples
    --------
    >>> import numpy as np
    >>> from auralis_fp.similarity import Space
    >>> library = np.random.default_rng(1).normal(size=(1000, 25)).astype("float32")
    >>> index = Space.fit(library).index(library)
    >>> indices, distances = index.nearest(library[7], 5, exclude=[7])
    >>> len(indices), 7 in indices
    (5, False)
    """

    def __init__(
        self, scales: Mapping[str, Scale], random_pairs: NDArray[np.float64], tracks: int, version: int
    ) -> None:
        self.scales = dict(scales)
        self.tracks = tracks
        self.version = version
        self._random_pairs = random_pairs

    @classmethod
    def fit(cls, vectors: Vectors, undefined: ArrayLike | None = None) -> Space:
        """Return the space of a library.

        Parameters
        ----------
        vectors : array_like of shape (n, 25) or sequence of Fingerprint
            In the order of :data:`auralis_fp.DIMENSIONS`; NaN where undefined. Of more than 100 000 tracks,
            100 000 are used, evenly spaced.
        undefined : array_like of bool, shape (n, 25), optional
            True where a number is undefined and the vector holds its stand-in.

        Raises
        ------
        ValueError
            No track has any number that is defined.
        """
        rows = as_rows(vectors, undefined)
        tracks = len(rows)
        rows = rows[spaced(tracks, _SAMPLED)]
        columns = [column[np.isfinite(column)] for column in rows.T]
        if not any(len(column) for column in columns):
            raise ValueError("a space is learnt from at least one track with defined numbers")
        scales = {name: Scale.fit(column) for name, column in zip(NAMES, columns, strict=True)}
        space = cls(scales, np.empty(0), tracks, FINGERPRINT_VERSION)
        sample = space.compared(rows[spaced(len(rows), _PAIRED)], None)
        apart = distances(sample, sample)[np.triu_indices(sample.scores.shape[1], 1)]
        apart = apart[np.isfinite(apart)].astype(np.float64)
        if len(apart):
            space._random_pairs = np.quantile(apart, _PERCENTILES)
        return space

    @classmethod
    def builtin(cls) -> Space:
        """Return a space for libraries of fewer than 200 tracks.

        It was learnt from the music of free games, which ``benchmarks/labelled_library.py`` takes from
        Debian's packages.
        """
        return _builtin()

    def save(self, path: _Path) -> None:
        """Write the space to a JSON file."""
        content = {
            "format": _FORMAT,
            "fingerprint_version": self.version,
            "tracks": self.tracks,
            "random_pairs": _plain(self._random_pairs),
            "scales": {
                name: {
                    "values": _plain(scale.values),
                    "places": _plain(scale.places),
                    "median": scale.median,
                    "spread": scale.spread,
                }
                for name, scale in self.scales.items()
            },
        }
        Path(path).write_text(json.dumps(content, indent=1) + "\n", "utf-8")

    @classmethod
    def load(cls, path: _Path) -> Space:
        """Return the space of a JSON file that :meth:`save` wrote.

        Raises
        ------
        ValueError
            The file is no such file, or belongs to another version of fingerprints.
        OSError
            It cannot be read.
        """
        return _parsed(Path(path).read_text("utf-8"), os.fspath(path))

    def distances(
        self, query: Vectors, vectors: Vectors, *, weights: Weights | None = None
    ) -> NDArray[np.float32]:
        """Return how far tracks are from one track.

        Parameters
        ----------
        query : array_like of shape (25,) or Fingerprint
        vectors : array_like of shape (n, 25) or sequence of Fingerprint
        weights : mapping of str to float, optional
            A factor for a group (``{"rhythm": 2}``), or the weight of a dimension (``{"tempo_bpm": 1}``).

        Returns
        -------
        ndarray of float32, shape (n,)
            Mean difference on the normal scale over what both tracks have: 0 for the same numbers, about 1.1
            for random pairs, infinity if they have nothing in common.
        """
        resolved = resolve(weights)
        one = self.compared(_single(query), resolved)
        return distances(one, self.compared(as_rows(vectors), resolved)).reshape(-1)

    def index(self, vectors: Vectors, *, weights: Weights | None = None) -> Index:
        """Return an index that finds the neighbours of a track among ``vectors``.

        Parameters
        ----------
        vectors : array_like of shape (n, 25) or sequence of Fingerprint
            They are not kept; the index takes about as much memory as they do.
        weights : mapping of str to float, optional
            As in :meth:`distances`.
        """
        resolved = resolve(weights)
        return Index(
            self.compared(as_rows(vectors), resolved),
            lambda queries: self.compared(as_rows(queries), resolved),
        )

    def explain(
        self,
        a: Vectors,
        b: Vectors,
        *,
        names: tuple[str, str] = ("A", "B"),
        weights: Weights | None = None,
    ) -> Explanation:
        """Return why two tracks are as near or as far as they are.

        Parameters
        ----------
        a, b : array_like of shape (25,) or Fingerprint
        names : tuple of two str
            What the sentence calls them.
        weights : mapping of str to float, optional
            As in :meth:`distances`.
        """
        rows = _single(a), _single(b)
        resolved = resolve(weights)
        used = [name for name, weight in zip(NAMES, resolved, strict=True) if weight]
        compared = [self.compared(row, resolved) for row in rows]
        return explain(rows[0][0], rows[1][0], compared[0], compared[1], used, names)

    def score(self, distance: ArrayLike) -> NDArray[np.float64]:
        """Return how many of 100 random pairs of tracks are farther apart.

        It holds for the default weights, and nearly so for others.

        Parameters
        ----------
        distance : array_like of float
            Of :meth:`distances` or :meth:`Index.nearest`.

        Returns
        -------
        ndarray of float64
            0 to 100, of the shape of ``distance``; NaN if the space was learnt from one track.
        """
        apart = np.asarray(distance, np.float64)
        if not len(self._random_pairs):
            return np.full(apart.shape, np.nan)
        return np.asarray(100 * (1 - np.interp(apart, self._random_pairs, _PERCENTILES, left=0.0)))

    def compared(self, rows: Rows, weights: NDArray[np.float32] | None) -> Compared:
        """Return rows, as of ``as_rows``, ready for comparisons under resolved weights."""
        weights = resolve(None) if weights is None else weights
        used = np.flatnonzero(weights)
        scores = np.empty((len(used), len(rows)), np.float32)
        undefined = np.zeros(len(rows), np.uint32)
        for bit, (row, dimension) in enumerate(zip(scores, used, strict=True)):
            column = rows[:, dimension]
            row[:] = _turn(column) if dimension == TEMPO else self.scales[NAMES[dimension]].place(column)
            absent = np.isnan(row)
            undefined |= absent.astype(np.uint32) << np.uint32(bit)
            row[absent] = 0
            row *= weights[dimension]
        circle = int(np.searchsorted(used, TEMPO)) if TEMPO in used else -1
        return Compared(scores, undefined, weights[used], circle)


def _turn(bpm: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the place of a tempo on a circle whose one turn is an octave."""
    with np.errstate(divide="ignore", invalid="ignore"):
        octaves = np.log2(np.where(bpm > 0, bpm, np.nan))
    return np.asarray(CIRCUMFERENCE * (octaves - np.floor(octaves)), np.float32)


def _single(vector: Vectors) -> Rows:
    rows = as_rows(vector)
    if len(rows) != 1:
        raise ValueError(f"one track is compared, not {len(rows)}")
    return rows


def _plain(numbers: NDArray[np.float64]) -> list[float]:
    return [float(f"{number:.6g}") for number in numbers]


@cache
def _builtin() -> Space:
    resource = files("auralis_fp.similarity").joinpath("builtin.json")
    return _parsed(resource.read_text("utf-8"), "builtin.json")


def _parsed(text: str, name: str) -> Space:
    try:
        content: dict[str, Any] = json.loads(text)
        form, version = content["format"], content["fingerprint_version"]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{name} is not a saved space") from error
    if form != _FORMAT:
        raise ValueError(
            f"{name} is a space of format {form}, which this version of auralis_fp does not read"
        )
    if version != FINGERPRINT_VERSION:
        raise ValueError(
            f"{name} was learnt from fingerprints of version {version}; "
            f"they are not comparable with those of version {FINGERPRINT_VERSION}: fit the space again"
        )
    try:
        scales = {name: _scale(content["scales"][name]) for name in NAMES}
        random_pairs = np.array(content["random_pairs"], np.float64)
        tracks = int(content["tracks"])
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{name} is damaged: {error!r}") from error
    return Space(scales, random_pairs, tracks, version)


def _scale(content: Mapping[str, Any]) -> Scale:
    values, places = (np.array(content[key], np.float64) for key in ("values", "places"))
    if values.shape != places.shape or values.ndim != 1:
        raise ValueError("values and places differ in length")
    return Scale(values, places, float(content["median"]), float(content["spread"]))
