"""Orders that flow, whatever the tracks: what was asked for is kept, or it is said that it was not."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from auralis_fp.library.similar.arranging import Arrangement, Pool, arrange, arrange_for


def pool_of(
    count: int,
    seed: int,
    artists: int,
    recordings: int,
    fixed: int = 0,
    *,
    starts: bool = True,
    ends: bool = True,
) -> Pool:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(count, 6))
    recording = rng.integers(0, recordings, count)
    ends = ends and not (starts and fixed == 1)  # it would be both
    chosen: list[int] = []
    for one in range(count):  # what is fixed is not the same recording
        if len(chosen) < fixed and recording[one] not in recording[chosen]:
            chosen.append(one)
    return Pool(
        distances_of(points),
        np.abs(points[:, 0]),
        rng.integers(-1, artists, count),
        recording,
        rng.uniform(30, 600, count),
        chosen,
        starts,
        ends,
    )


def distances_of(points: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.sqrt(((points[:, None] - points[None]) ** 2).mean(axis=-1))
    return found


pools = st.builds(
    pool_of,
    st.integers(4, 60),
    st.integers(0, 2**20),
    st.integers(1, 20),
    st.integers(3, 60),
    st.integers(0, 3),
    starts=st.booleans(),
    ends=st.booleans(),
)


def check(pool: Pool, found: Arrangement, spacing: int) -> None:
    order = found.order
    assert max(Counter(pool.recordings[order].tolist()).values(), default=0) <= 1
    assert found.crowded == pool.gap_violations(order, spacing)
    assert [one for one in order if one in pool.fixed] == list(pool.fixed)
    if pool.fixed and pool.starts:
        assert order[0] == pool.fixed[0]
    if len(pool.fixed) > 1 and pool.ends:
        assert order[-1] == pool.fixed[-1]


def test_a_single_track_is_not_both_ends() -> None:
    pool = replace(pool_of(4, 0, 20, 60, 1, starts=True, ends=False), ends=True)
    found = arrange(pool, 3, spacing=0)
    check(pool, found, 0)
    assert len(found.order) == 3


@given(pools, st.integers(3, 30), st.integers(0, 6))
@settings(deadline=None, max_examples=60)
def test_no_recording_twice_ends_kept_and_as_long_as_asked(pool: Pool, length: int, spacing: int) -> None:
    found = arrange(pool, length, spacing=spacing)
    check(pool, found, spacing)
    assert len(found.order) + found.short_of == length
    assert found.short_of == max(0, length - len(set(pool.recordings.tolist())))
    assert arrange(pool, length, spacing=spacing) == found


@given(pools, st.floats(300, 9000), st.integers(0, 6))
@settings(deadline=None, max_examples=60)
def test_the_time_is_right_to_within_a_track(pool: Pool, seconds: float, spacing: int) -> None:
    found = arrange_for(pool, seconds, spacing=spacing)
    check(pool, found, spacing)
    took, longest = pool.durations[found.order].sum(), pool.durations[found.order].max()
    if took < seconds - longest:
        assert found.short_of
        assert set(pool.recordings[found.order]) == set(pool.recordings)
    if took > seconds + longest:
        assert found.order == list(pool.fixed)


def test_artists_are_spaced_where_there_are_enough_of_them() -> None:
    for seed in range(6):
        pool = pool_of(100, seed, 20, 1000, fixed=2)
        assert arrange(pool, 30, spacing=5).crowded == 0
        assert arrange_for(pool, 6000, spacing=5).crowded == 0


def test_one_artist_cannot_be_spaced() -> None:
    pool = pool_of(40, 0, 1, 1000)
    pool.artists[:] = 0
    assert arrange(pool, 10, spacing=3).crowded == 9


def test_the_way_from_one_to_another_is_a_way() -> None:
    ends = np.zeros((2, 6))
    ends[1] = 4.0
    points = np.concatenate([ends, np.random.default_rng(0).uniform(-1, 5, (2000, 6))])
    count = len(points)
    none = np.full(count, -1)
    pool = Pool(distances_of(points), np.zeros(count), none, np.arange(count), np.ones(count), (0, 1))
    order = arrange(pool, 12, spacing=0).order
    along = (pool.distances[0] - pool.distances[1])[order]
    assert np.diff(along).min() > -0.05 * np.ptp(along)  # hardly ever back
    steps = [float(pool.distances[a, b]) for a, b in itertools.pairwise(order)]
    assert max(steps) < 0.35 * pool.distances[0, 1]  # nor far at once


def test_a_list_around_a_taste_is_near_it_and_its_steps_are_small() -> None:
    points = np.random.default_rng(1).normal(size=(400, 6))
    distances = distances_of(points)
    none = np.full(400, -1)
    pool = Pool(distances, distances[5], none, np.arange(400), np.ones(400), (5,), ends=False)
    order = arrange(pool, 20, spacing=0).order
    rank = np.argsort(np.argsort(distances[5]))
    assert order[0] == 5
    assert rank[order].max() < 60
    steps = [float(distances[a, b]) for a, b in itertools.pairwise(order)]
    nearest = np.argsort(distances[5])[:20]
    in_order_of_rank = [float(distances[a, b]) for a, b in itertools.pairwise(nearest)]
    assert np.mean(steps) < np.mean(in_order_of_rank)
