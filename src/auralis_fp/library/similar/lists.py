"""Tracks in lists by where they are, for libraries too large for a query to go through all of them."""

from __future__ import annotations

import importlib
import importlib.util
import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from auralis_fp.similarity import Index
from auralis_fp.similarity.rows import spaced

__all__ = ["MANY", "Lists", "available"]

MANY: Final = 800_000
"""With so many tracks, going through all of them takes more than a twentieth of a second."""

_RECALL: Final = 0.985
_PROBES: Final = 16  # lists that are searched at first
_SAMPLED: Final = 20  # tracks whose neighbours are searched in both ways
_NEIGHBOURS: Final = 50
_CANDIDATES: Final = 150  # for 50 neighbours, as of Index
_MORE: Final = 8  # times as many as are asked for
_TRAINED: Final = 40  # tracks for each list: fewer are too few, says faiss
_ROUNDS: Final = 8
_BLOCK: Final = 16_384


def available() -> bool:
    """Return whether faiss is installed: ``pip install 'auralis-fp[ann]'``."""
    return importlib.util.find_spec("faiss") is not None


class Lists:
    """The tracks of an index in an inverted file of faiss; as many lists are searched as recall needs.

    Parameters
    ----------
    index : Index
        All tracks.

    Attributes
    ----------
    recall : float
        Share of the 50 nearest neighbours that are among the candidates, over tracks of the library.
    """

    def __init__(self, index: Index) -> None:
        faiss: Any = importlib.import_module("faiss")
        places = index.places
        count, dimensions = places.shape
        lists = max(1, int(4 * math.sqrt(count)))
        # A byte for each number. That, and squares of differences, since faiss has no absolute ones for
        # bytes, put tracks in another order: more are taken, of which the index finds the nearest.
        byte = faiss.ScalarQuantizer.QT_8bit
        self._quantizer: Final = faiss.IndexFlatL2(dimensions)
        self._file: Final = faiss.IndexIVFScalarQuantizer(
            self._quantizer, dimensions, lists, byte, faiss.METRIC_L2, False
        )
        self._file.cp.niter = _ROUNDS
        self._file.train(_spaced(places, lists * _TRAINED))
        for start in range(0, count, _BLOCK):
            self._file.add(np.ascontiguousarray(places[start : start + _BLOCK]))
        samples = _spaced(places, _SAMPLED)
        exact = [_nearest(places, one, _NEIGHBOURS) for one in samples]
        self._file.nprobe = min(_PROBES, lists)
        while (recall := self._measured(samples, exact)) < _RECALL and self._file.nprobe < lists:
            self._file.nprobe = min(2 * self._file.nprobe, lists)
        self.recall: Final = recall

    def near(self, place: NDArray[np.float32], count: int) -> NDArray[np.intp]:
        """Return the indices of some times ``count`` tracks near a place; -1 where lists hold fewer."""
        found = self._file.search(np.ascontiguousarray(place[np.newaxis]), _MORE * count)[1][0]
        return np.asarray(found, np.intp)

    def _measured(self, samples: NDArray[np.float32], exact: list[NDArray[np.intp]]) -> float:
        shares = [
            np.isin(nearest, self.near(one, _CANDIDATES)).mean()
            for one, nearest in zip(samples, exact, strict=True)
        ]
        return float(np.mean(shares))


def _spaced(places: NDArray[np.float32], at_most: int) -> NDArray[np.float32]:
    return np.ascontiguousarray(places[spaced(len(places), at_most)])


def _nearest(places: NDArray[np.float32], place: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    apart = np.zeros(len(places), np.float32)
    for column, value in zip(places.T, place, strict=True):
        apart += np.abs(column - value)
    return np.argpartition(apart, min(count, len(apart) - 1))[:count]
