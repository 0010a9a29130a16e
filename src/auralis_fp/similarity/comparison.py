"""Distances between tracks on the scale of a space: weighted mean differences over what both have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis_fp.schema import NAMES

__all__ = ["TEMPO", "Compared", "differences", "distances"]

Floats = NDArray[np.float32]

TEMPO: Final = NAMES.index("tempo_bpm")
"""The dimension on a circle: an octave higher or lower is the same place."""

CIRCUMFERENCE: Final = 4.5
"""Length of the tempo's circle: random places are then as far apart as numbers on a normal scale, 1.13."""

_BLOCK: Final = 65_536  # differences at a time: in the cache with their sums, and few calls of NumPy


@dataclass(frozen=True)
class Compared:
    """Tracks, ready to be compared: what has no weight is left out.

    Attributes
    ----------
    scores : ndarray of float32, shape (dimensions, n)
        Places on the scale times the weight of the dimension, 0 where undefined.
    undefined : ndarray of uint32, shape (n,)
        Bit ``j`` is set where row ``j`` of the scores is undefined.
    weights : ndarray of float32, shape (dimensions,)
    circle : int
        The row that is the tempo, or -1.
    """

    scores: Floats
    undefined: NDArray[np.uint32]
    weights: Floats
    circle: int

    def take(self, indices: NDArray[np.intp]) -> Compared:
        """Return some of the tracks."""
        return Compared(self.scores[:, indices], self.undefined[indices], self.weights, self.circle)

    def missing(self) -> Floats:
        """Return 1 where a number is undefined and 0 elsewhere, of the shape of the scores."""
        bits = np.arange(len(self.weights), dtype=np.uint32)[:, np.newaxis]
        return np.asarray((self.undefined >> bits) & np.uint32(1), np.float32)


def differences(a: Floats, b: Floats, period: float | None = None) -> Floats:
    """Return b - a, the shorter way round where they are on a circle."""
    difference = np.subtract(b, a)
    if period is not None:
        difference -= np.float32(period) * np.rint(difference / np.float32(period))
    return difference


def distances(a: Compared, b: Compared) -> Floats:
    """Return the distance of every track of ``a`` from every one of ``b``.

    It is the weighted mean of the absolute differences over the dimensions that both have, and infinity
    if there are none. Two random tracks of a library are about 1.1 apart.

    Returns
    -------
    ndarray of float32, shape (len(a), len(b))
    """
    apart = np.empty((a.scores.shape[1], b.scores.shape[1]), np.float32)
    absent = np.bitwise_and.reduce(a.undefined) if len(a.undefined) else np.uint32(0)
    counted = (absent >> np.arange(len(a.weights), dtype=np.uint32)) & np.uint32(1) == 0
    weight = a.weights[counted].sum()
    width = max(1, _BLOCK // max(1, len(apart)))
    for start in range(0, apart.shape[1], width):
        part = slice(start, start + width)
        block = apart[:, part]
        _sum(a, b, part, counted, block)
        if (a.undefined != absent).any():
            incomplete = np.arange(block.shape[1])
        else:
            incomplete = np.flatnonzero(b.undefined[part] & ~absent)
        means = _means(a, b.take(start + incomplete), counted, block[:, incomplete])
        if weight:
            block /= weight
        else:
            block[:] = np.inf
        block[:, incomplete] = means
    return apart


def _sum(a: Compared, b: Compared, part: slice, counted: NDArray[np.bool_], total: Floats) -> None:
    """Write the sums of the weighted differences, in which an undefined number is a 0."""
    total[:] = 0
    difference = np.empty_like(total)
    for row in np.flatnonzero(counted):
        np.subtract(a.scores[row][:, np.newaxis], b.scores[row, part], out=difference)
        np.abs(difference, out=difference)
        if row == a.circle:
            turn = np.float32(a.weights[row] * CIRCUMFERENCE)
            np.minimum(difference, turn - difference, out=difference)
        total += difference


def _means(a: Compared, b: Compared, counted: NDArray[np.bool_], sums: Floats) -> Floats:
    """Return the means over what is defined in both, from sums in which undefined numbers are 0."""
    defined_a, defined_b = ((1 - tracks.missing()) * counted[:, np.newaxis] for tracks in (a, b))
    superfluous = (counted[:, np.newaxis] - defined_a).T @ _from_zero(b)
    superfluous += _from_zero(a).T @ (counted[:, np.newaxis] - defined_b)
    common = (defined_a.T * a.weights) @ defined_b
    means = np.full(sums.shape, np.inf, np.float32)
    np.divide(np.maximum(sums - superfluous, 0), common, out=means, where=common > 0)
    return means


def _from_zero(tracks: Compared) -> Floats:
    """Return how far each number is from 0, the place of an undefined one."""
    away = np.abs(tracks.scores)
    if tracks.circle >= 0:
        turn = np.float32(tracks.weights[tracks.circle] * CIRCUMFERENCE)
        np.minimum(away[tracks.circle], turn - away[tracks.circle], out=away[tracks.circle])
    return away
