"""The same recording in other encodings: found by a comparison of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from auralis_fp.schema import NAMES
from auralis_fp.similarity.rows import Rows, Vectors, as_rows
from auralis_fp.similarity.space import SMALL_LIBRARY, Space

__all__ = ["THRESHOLD", "Pairs", "duplicate_pairs", "duplicates"]

THRESHOLD: Final = 0.2
"""Encoders nearly always change less. Half of the pairs of recordings are farther apart than 1.5; one pair
in 2000 is nearer than 0.4."""

_LIMIT: Final = 4.0  # a single number can count for no more: one that an encoder moved far stays one of 24
_BLOCK: Final = 65_536  # pairs that are compared at a time
_GAIN: Final = ("lufs",)
_MONO: Final = ("lufs", "stereo_width", "phase_correlation")


class Pairs(NamedTuple):
    """Pairs of tracks that are the same recording.

    Attributes
    ----------
    indices : ndarray of int, shape (n, 2)
        The smaller index first; in ascending order.
    distances : ndarray of float32, shape (n,)
        Root mean square of the differences, in spreads of the library.
    """

    indices: NDArray[np.intp]
    distances: NDArray[np.float32]


def duplicates(
    vectors: Vectors,
    durations: ArrayLike,
    *,
    space: Space | None = None,
    other_gain: bool = False,
    mono: bool = False,
    threshold: float = THRESHOLD,
    seconds: float = 0.5,
) -> list[list[int]]:
    """Return the groups of tracks that are the same recording.

    What is the same as a third track is in one group.

    Parameters
    ----------
    vectors, durations, space, other_gain, mono, threshold, seconds
        As of :func:`duplicate_pairs`.

    Returns
    -------
    list of list of int
        Indices in ascending order, groups by their first.
    """
    found = duplicate_pairs(
        vectors,
        durations,
        space=space,
        other_gain=other_gain,
        mono=mono,
        threshold=threshold,
        seconds=seconds,
    )
    first: dict[int, int] = {}

    def root(track: int) -> int:
        while (above := first.setdefault(track, track)) != track:
            first[track] = first[above]
            track = above
        return track

    for a, b in found.indices.tolist():
        low, high = sorted((root(a), root(b)))
        first[high] = low
    groups: dict[int, list[int]] = {}
    for track in sorted(first):
        groups.setdefault(root(track), []).append(track)
    return list(groups.values())


def duplicate_pairs(
    vectors: Vectors,
    durations: ArrayLike,
    *,
    space: Space | None = None,
    other_gain: bool = False,
    mono: bool = False,
    threshold: float = THRESHOLD,
    seconds: float = 0.5,
) -> Pairs:
    """Return the pairs of tracks that are the same recording, in other encodings.

    Every number but the tempo is compared, in spreads of the library: 1.4826 times the median absolute
    deviation. The root mean square of the differences must not exceed the threshold, at least half of the
    numbers have to be defined in both, and durations have to agree.

    Parameters
    ----------
    vectors : array_like of shape (n, 25) or sequence of Fingerprint
    durations : array_like of float, shape (n,)
        Seconds. A track whose duration is NaN has no duplicates.
    space : Space, optional
        Has the spreads. Without it, they are learnt from the vectors; of fewer than 200, the built-in space
        has them.
    other_gain : bool
        Also find copies that are louder or quieter, by leaving loudness out.
    mono : bool
        Also find mono copies, by leaving loudness and stereo image out.
    threshold : float
        A larger one finds more, and more that is wrong.
    seconds : float
        How far durations may differ: encoders add silence at the ends.
    """
    rows = as_rows(vectors)
    length_s = np.asarray(durations, np.float64).reshape(-1)
    if len(length_s) != len(rows):
        raise ValueError(f"{len(rows)} vectors have {len(length_s)} durations")
    if space is None:
        enough = len(rows) >= SMALL_LIBRARY and np.isfinite(rows).any()
        space = Space.fit(rows) if enough else Space.builtin()
    left_out = {"tempo_bpm", *(_GAIN if other_gain else ()), *(_MONO if mono else ())}
    standard = _standard(rows, space, left_out)
    order = np.argsort(length_s, kind="stable")
    order = order[np.isfinite(length_s[order])]
    ends = np.searchsorted(length_s[order], length_s[order] + seconds, "right")
    found = [_below(standard, order[first], order[second], threshold) for first, second in _neighbours(ends)]
    indices = np.concatenate([part.indices for part in found]) if found else np.empty((0, 2), np.intp)
    apart = np.concatenate([part.distances for part in found]) if found else np.empty(0, np.float32)
    ascending = np.lexsort((indices[:, 1], indices[:, 0]))
    return Pairs(indices[ascending], apart[ascending])


def _standard(rows: Rows, space: Space, left_out: set[str]) -> NDArray[np.float32]:
    """Return what numbers differ from the median, in spreads of the library."""
    kept = [
        index for index, name in enumerate(NAMES) if name not in left_out and space.scales[name].spread > 0
    ]
    scales = [space.scales[NAMES[index]] for index in kept]
    middle = np.array([scale.median for scale in scales], np.float32)
    spread = np.array([scale.spread for scale in scales], np.float32)
    return np.asarray(np.clip((rows[:, kept] - middle) / spread, -_LIMIT, _LIMIT), np.float32)


def _neighbours(ends: NDArray[np.intp]) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield blocks of pairs (first, second) with first < second < ends[first]."""
    counts = ends - np.arange(len(ends)) - 1
    before = np.concatenate(([0], np.cumsum(counts)))  # pairs of all tracks before one
    start = 0
    while start < len(ends):
        stop = max(start + 1, int(np.searchsorted(before, before[start] + _BLOCK, "right")) - 1)
        first = np.repeat(np.arange(start, stop), counts[start:stop])
        place = np.arange(before[start], before[stop]) - before[first]  # among the pairs of the first
        yield first, first + 1 + place
        start = stop


def _below(
    standard: NDArray[np.float32], a: NDArray[np.intp], b: NDArray[np.intp], threshold: float
) -> Pairs:
    squared = (standard[a] - standard[b]) ** 2
    both = np.isfinite(squared)
    number = both.sum(1)
    with np.errstate(invalid="ignore"):
        apart = np.sqrt(np.where(both, squared, 0).sum(1) / number)
    near = np.flatnonzero((apart <= threshold) & (number >= standard.shape[1] / 2))
    indices = np.sort(np.column_stack((a[near], b[near])), axis=1)
    return Pairs(indices, apart[near].astype(np.float32))
