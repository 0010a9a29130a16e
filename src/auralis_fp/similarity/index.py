"""The neighbours of a track among many: exact, and without the hubs that are in every list."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from auralis_fp.similarity.comparison import Compared, distances
from auralis_fp.similarity.rows import Vectors, is_single, spaced

__all__ = ["Finder", "Index"]

Floats = NDArray[np.float64]

_REFERENCES: Final = 300  # tracks whose distances say how near a track is to others; all tracks say the same
_FEWEST: Final = 10  # with fewer references than this, mean and spread say nothing
_CANDIDATES: Final = 3  # times k: so many of the nearest are put in order; more find the same
_LEAST: Final = 60  # candidates, however few neighbours are asked for
_SETTLED: Final = 8192  # tracks at a time

Finder: TypeAlias = "Callable[[NDArray[np.float32], int], NDArray[np.intp]]"
"""Returns so many tracks near a place, or more."""


class Index:
    """Tracks of a library, ready for queries. Made by :meth:`Space.index`.

    Some tracks are near to very many others and would be in every list, though nobody hears a reason. So the
    nearest tracks are put in order by Mutual Proximity: by how likely it is that neither of two tracks has
    others as near. The distances of a track from 300 others, which that takes, are computed when the track is
    a candidate for the first time.

    Queries may run in several threads.
    """

    def __init__(self, tracks: Compared, compared: Callable[[Vectors], Compared]) -> None:
        self._tracks = tracks
        self._compared = compared
        count = len(self)
        self._references = tracks.take(spaced(count, _REFERENCES))
        self._mean, self._spread = np.full((2, count), np.nan, np.float32)  # of a track's distances
        self._finder: Finder | None = None

    def __len__(self) -> int:
        return len(self._tracks.undefined)

    def nearest(
        self, queries: Vectors, k: int, exclude: ArrayLike | None = None
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Return the tracks that are most like each query, the most similar first.

        Parameters
        ----------
        queries : array_like of shape (25,) or (m, 25), Fingerprint, or sequence of Fingerprint
            They need not be in the index.
        k : int
            How many.
        exclude : array_like, optional
            Tracks to leave out, such as the query itself: indices, or bool of shape (n,). Indices of shape
            (m, e) hold a row for each of several queries; -1 stands for none.

        Returns
        -------
        indices : ndarray of int, shape (k,) or (m, k)
            The order is that of mutual proximity, equal tracks by index: the same every time. Fewer than k
            if no more have anything in common with the query; the shorter rows of several queries end in -1.
        distances : ndarray of float32, of the same shape
            As of :meth:`Space.distances`. They rise by and large, not from one to the next.
        """
        if k < 1:
            raise ValueError(f"k must be 1 or more, not {k}")
        asked = self._compared(queries)
        count = asked.scores.shape[1]
        found = [
            self._nearest(asked.take(np.array([row])), k, self._excluded(exclude, row, count))
            for row in range(count)
        ]
        if count == 1 and is_single(queries):
            return found[0]
        indices = np.full((count, min(k, len(self))), -1, np.intp)
        apart = np.full(indices.shape, np.inf, np.float32)
        for row, (near, distance) in enumerate(found):
            indices[row, : len(near)] = near
            apart[row, : len(near)] = distance
        return indices, apart

    @property
    def places(self) -> NDArray[np.float32]:
        """The tracks as points, shape (n, dimensions with a weight); an undefined number is at 0.

        The distance of two tracks is the sum of the absolute differences of their places, divided by the sum
        of the weights, if all numbers are defined and the tempo has no weight.
        """
        places: NDArray[np.float32] = self._tracks.scores.T
        return places

    def use(self, finder: Finder | None) -> None:
        """Let ``finder`` choose the candidates of :meth:`nearest`, in place of going through all tracks.

        Parameters
        ----------
        finder : callable or None
            Takes a place and a number, and returns indices of at least as many tracks that are near the
            place, in any order; -1 stands for none. Where too few of them are left after ``exclude``, all
            tracks are gone through nevertheless.
        """
        self._finder = finder
        if finder is not None:  # a query then takes less time than the usual distances of its candidates
            for start in range(0, len(self), _SETTLED):
                part = np.arange(start, min(start + _SETTLED, len(self)))
                self._mean[part], self._spread[part] = self._usual_distances(self._tracks.take(part))

    def _candidates(
        self, query: Compared, count: int, excluded: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Return the tracks that are nearest to a query, and their distances."""
        if self._finder is not None:
            found = np.asarray(self._finder(query.scores[:, 0], count + min(len(excluded), count)), np.intp)
            found = np.sort(found[found >= 0])
            found = found[~np.isin(found, excluded)]
            distance = distances(query, self._tracks.take(found))[0]
            order = _smallest(distance, count)
            if len(order) >= min(count, len(self) - len(excluded)):
                return found[order], distance[order]
        distance = distances(query, self._tracks)[0]
        distance[excluded] = np.inf
        near = _smallest(distance, count)
        return near, distance[near]

    def _nearest(
        self, query: Compared, k: int, excluded: NDArray[np.intp]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        near, apart = self._candidates(query, max(_CANDIDATES * k, _LEAST), excluded)
        if self._references.scores.shape[1] >= _FEWEST:
            near_order = np.lexsort((near, apart, self._improbability(query, near, apart)))
            near, apart = near[near_order], apart[near_order]
        return near[:k], apart[:k]

    def _excluded(self, exclude: ArrayLike | None, row: int, count: int) -> NDArray[np.intp]:
        if exclude is None:
            return np.empty(0, np.intp)
        given = np.asarray(exclude)
        if given.dtype == bool:
            if given.shape != (len(self),):
                raise ValueError(f"exclude has {given.shape} flags for {len(self)} tracks")
            return np.flatnonzero(given)
        if given.ndim == 2:
            if len(given) != count:
                raise ValueError(f"exclude has {len(given)} rows for {count} queries")
            given = given[row]
        indices = given.astype(np.intp).reshape(-1)
        indices = np.asarray(indices[indices != -1])
        if ((indices < 0) | (indices >= len(self))).any():
            raise ValueError(f"exclude names tracks outside 0 to {len(self) - 1}")
        return indices

    def _improbability(self, query: Compared, near: NDArray[np.intp], apart: NDArray[np.float32]) -> Floats:
        """Return 1 minus the mutual proximity of the query and its candidates."""
        missing = near[np.isnan(self._spread[near])]
        if len(missing):
            # The spread last: a thread that finds one finds the mean, too.
            self._mean[missing], self._spread[missing] = self._usual_distances(self._tracks.take(missing))
        from_query = _share_nearer(apart, *self._usual_distances(query))
        from_track = _share_nearer(apart, self._mean[near], self._spread[near])
        return from_query + from_track - from_query * from_track

    def _usual_distances(self, tracks: Compared) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return mean and spread of the distances of tracks from the references."""
        apart = distances(self._references, tracks)
        apart[np.isinf(apart)] = 0
        # A distance of 0, to the track itself or a copy of it, says nothing about others.
        number = np.maximum(np.count_nonzero(apart, axis=0), 1).astype(np.float32)
        mean = apart.sum(0) / number
        variance = np.einsum("ij,ij->j", apart, apart) / number - mean**2
        return mean, np.sqrt(np.maximum(variance, 0))


def _smallest(distance: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """Return the indices of the smallest finite distances in ascending order, equal ones by index."""
    if count < len(distance):
        bound = np.partition(distance, count - 1)[count - 1]
        near = np.flatnonzero(distance <= bound)
    else:
        near = np.arange(len(distance))
    near = near[np.isfinite(distance[near])]
    order = np.lexsort((near, distance[near]))[:count]
    return np.asarray(near[order])


def _share_nearer(
    distance: NDArray[np.float32], mean: NDArray[np.float32], spread: NDArray[np.float32]
) -> Floats:
    """Return the share of tracks that are nearer than a distance, if distances are normally distributed."""
    standard = (distance - mean) / np.maximum(spread, np.float32(1e-6)) * -math.sqrt(0.5)
    return np.array([math.erfc(value) / 2 for value in standard.tolist()])
