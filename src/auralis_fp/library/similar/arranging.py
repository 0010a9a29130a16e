"""Puts tracks in an order that flows: a beam search over distances, in which nothing is known of music.

Fixed tracks stay where they are, no recording comes twice, and an artist comes again only after others.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrangement", "Pool", "arrange", "arrange_for"]

_BEAM: Final = 12
_CORRECTIONS: Final = 4


@dataclass(frozen=True, slots=True)
class Pool:
    """The tracks to choose from.

    Attributes
    ----------
    distances : ndarray, shape (n, n)
        Between all of them.
    taste : ndarray, shape (n,)
        How far each is from what is wanted, in the same measure.
    artists, recordings : ndarray of int, shape (n,)
        Small numbers; equal ones are the same. Artist -1 is not known, and like no other.
    durations : ndarray, shape (n,)
        Seconds.
    fixed : sequence of int
        Those that have to be there, in this order.
    starts, ends : bool
        Whether the first of them is the first of all, and the last of them the last.
    """

    distances: NDArray[np.float64]
    taste: NDArray[np.float64]
    artists: NDArray[np.int64]
    recordings: NDArray[np.int64]
    durations: NDArray[np.float64]
    fixed: Sequence[int] = ()
    starts: bool = True
    ends: bool = True

    def gap_violations(self, order: Sequence[int], spacing: int) -> int:
        """Count the places where an artist comes again after fewer than ``spacing`` others."""
        artists = [int(self.artists[one]) for one in order]
        return sum(
            artist >= 0 and artist in artists[max(0, place - spacing) : place]
            for place, artist in enumerate(artists)
        )


@dataclass(frozen=True, slots=True)
class Arrangement:
    """An order, and how far it could be what was asked for.

    Attributes
    ----------
    order : list of int
        Places in the pool.
    crowded : int
        Places where an artist comes again too soon.
    short_of : int
        How many tracks it lacks.
    """

    order: list[int]
    crowded: int = 0
    short_of: int = 0


@dataclass(slots=True)
class _State:
    cost: float = 0.0
    order: list[int] = field(default_factory=list)


def arrange(pool: Pool, length: int, *, spacing: int) -> Arrangement:
    """Return the best order of ``length`` tracks that the search finds; the same one every time.

    Parameters
    ----------
    pool : Pool
        The tracks.
    length : int
        How many of them, at least as many as are fixed.
    spacing : int
        How many others have to come between two tracks of one artist.
    """
    slots = _slots(pool, length)
    states = [_State()]
    missing = 0
    for place, (fixed, before, after, progress) in enumerate(slots):
        if fixed is not None:
            for state in states:
                if state.order:
                    state.cost += float(pool.distances[state.order[-1], fixed]) ** 2
                state.order.append(fixed)
            continue
        wanted = _wanted(pool, before, after, progress)
        coming = [slot[0] for slot in slots[place + 1 :] if slot[0] is not None]
        soon = [slot[0] for slot in slots[place + 1 : place + 1 + spacing] if slot[0] is not None]
        extended = _extended(pool, states, wanted, coming, soon, spacing)
        if not extended:
            missing += 1
            continue
        states = extended
    order = min(states, key=lambda state: state.cost).order
    return Arrangement(order, pool.gap_violations(order, spacing), missing)


def arrange_for(pool: Pool, seconds: float, *, spacing: int) -> Arrangement:
    """Return an order whose tracks take ``seconds``, to within the length of one of them."""
    least = max(1, len(pool.fixed))
    typical = float(np.median(pool.durations))
    length = max(least, round(seconds / typical))
    found = arrange(pool, length, spacing=spacing)
    for _attempt in range(_CORRECTIONS):
        excess = _seconds(pool, found.order) - seconds
        change = -round(excess / typical)
        if not change or found.short_of or length + change < least:
            break
        length += change
        found = arrange(pool, length, spacing=spacing)
    order = list(found.order)
    while _seconds(pool, order) - seconds > _longest(pool, order):
        shorter = _without_one(pool, order, spacing)
        if shorter is None:
            break
        order = shorter
    while seconds - _seconds(pool, order) > _longest(pool, order):
        longer = _with_one(pool, order, spacing)
        if longer is None:
            lacking = round((seconds - _seconds(pool, order)) / typical)
            return Arrangement(order, pool.gap_violations(order, spacing), max(1, lacking))
        order = longer
    return Arrangement(order, pool.gap_violations(order, spacing))


def _slots(pool: Pool, length: int) -> list[tuple[int | None, int | None, int | None, float]]:
    """Return for each place: the track that is fixed there, or those before and after and how far between."""
    fixed: list[int | None] = list(pool.fixed)
    # Open ends are legs too, of a typical length; between fixed tracks, the farther apart the more places.
    at_start = pool.starts and bool(fixed)
    at_end = pool.ends and len(fixed) > at_start  # a single track cannot be at both ends
    stations = [*([] if at_start else [None]), *fixed, *([] if at_end else [None])]
    legs = list(itertools.pairwise(stations))
    known = [float(pool.distances[a, b]) for a, b in legs if a is not None and b is not None]
    typical = (sum(known) / len(known) if known else 0.0) or 1.0
    weights = [float(pool.distances[a, b]) if a is not None and b is not None else typical for a, b in legs]
    shares = _shares(length - len(fixed), weights)
    slots: list[tuple[int | None, int | None, int | None, float]] = []
    if stations and stations[0] is not None:
        slots.append((stations[0], None, None, 0.0))
    for (before, after), count in zip(legs, shares, strict=True):
        slots += [(None, before, after, (step + 1) / (count + 1)) for step in range(count)]
        if after is not None:
            slots.append((after, None, None, 0.0))
    return slots


def _shares(count: int, weights: Sequence[float]) -> list[int]:
    """Cut ``count`` into whole numbers in proportion to the weights, the largest remainders rounded up."""
    if not weights:
        return []
    total = sum(weights) or 1.0
    exact = [count * weight / total if sum(weights) else count / len(weights) for weight in weights]
    shares = [int(one) for one in exact]
    by_remainder = sorted(range(len(weights)), key=lambda one: (shares[one] - exact[one], one))
    for one in by_remainder[: count - sum(shares)]:
        shares[one] += 1
    return shares


def _wanted(pool: Pool, before: int | None, after: int | None, progress: float) -> NDArray[np.float64]:
    """Return what every track costs at a place: how far it is from the way, and from where on the way."""
    cost = pool.taste**2
    if before is not None and after is not None:
        from_start, to_end = pool.distances[before], pool.distances[after]
        whole = float(from_start[after])
        off = (from_start - to_end - (2 * progress - 1) * whole) / 2
        detour = (from_start + to_end - whole) / 2
        cost = cost + off**2 + detour**2
    elif before is not None or after is not None:
        near = pool.distances[before if before is not None else after]
        cost = cost + 0.25 * near**2
    return cost


def _extended(
    pool: Pool,
    states: list[_State],
    wanted: NDArray[np.float64],
    coming: list[int],
    soon: list[int],
    spacing: int,
) -> list[_State]:
    """Return the best states with one track more; spacing is kept by all of them, or else by none."""
    for gap in range(spacing, -1, -1):
        found: list[tuple[float, int, int]] = []
        for index, state in enumerate(states):
            cost = wanted + (pool.distances[state.order[-1]] ** 2 if state.order else 0.0)
            near = [*state.order[max(0, len(state.order) - gap) :], *soon[:gap]] if gap else []
            barred = _among(pool.recordings, [*state.order, *coming]) | _among(pool.artists, near)
            cost = np.where(barred, np.inf, cost)
            best = np.argpartition(cost, min(_BEAM, len(cost) - 1))[: _BEAM + 1]
            found += [
                (state.cost + float(cost[one]), index, int(one)) for one in best if np.isfinite(cost[one])
            ]
        if found:
            chosen = sorted(found)[:_BEAM]
            return [_State(cost, [*states[index].order, one]) for cost, index, one in chosen]
    return []


def _among(numbers: NDArray[np.int64], chosen: Sequence[int]) -> NDArray[np.bool_]:
    """Return which of all tracks have the number of one of those chosen; -1 is the number of none."""
    flags = np.zeros(int(numbers.max()) + 2, bool)
    flags[numbers[list(chosen)]] = True
    flags[-1] = False
    return flags[numbers]


def _seconds(pool: Pool, order: Sequence[int]) -> float:
    return float(pool.durations[list(order)].sum())


def _longest(pool: Pool, order: Sequence[int]) -> float:
    return float(pool.durations[list(order)].max())


def _without_one(pool: Pool, order: list[int], spacing: int) -> list[int] | None:
    """Return an order without the track whose absence jars least; None if all are fixed."""
    now = pool.gap_violations(order, spacing)
    choices = []
    for place, one in enumerate(order):
        if one in pool.fixed:
            continue
        rest = [*order[:place], *order[place + 1 :]]
        choices.append((max(0, pool.gap_violations(rest, spacing) - now), _length(pool, rest), place, rest))
    return min(choices)[-1] if choices else None


def _with_one(pool: Pool, order: list[int], spacing: int) -> list[int] | None:
    """Return an order with another track where it jars least; None if there is no other recording."""
    now = pool.gap_violations(order, spacing)
    barred = _among(pool.recordings, order)
    first = 1 if pool.fixed and pool.starts else 0
    last = len(order) - (1 if pool.fixed and pool.ends and len(pool.fixed) > first else 0)
    choices = []
    for place in range(first, max(first, last) + 1):
        cost = pool.taste**2
        cost = cost + (pool.distances[order[place - 1]] ** 2 if place > 0 else 0)
        cost = cost + (pool.distances[order[place]] ** 2 if place < len(order) else 0)
        cost = np.where(barred, np.inf, cost)
        for one in np.argsort(cost, kind="stable")[: _BEAM * 2]:
            if np.isfinite(cost[one]):
                longer = [*order[:place], int(one), *order[place:]]
                crowded = max(0, pool.gap_violations(longer, spacing) - now)
                choices.append((crowded, float(cost[one]), place, longer))
    return min(choices)[-1] if choices else None


def _length(pool: Pool, order: Sequence[int]) -> float:
    return float((pool.distances[order[:-1], order[1:]] ** 2).sum())
