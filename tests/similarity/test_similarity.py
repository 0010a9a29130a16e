"""Spaces and indices: what neighbours, distances, scores and reasons promise for any vectors."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from auralis_fp.fingerprint import Fingerprint
from auralis_fp.metadata import Metadata
from auralis_fp.schema import DIMENSIONS, FINGERPRINT_VERSION, NAMES
from auralis_fp.similarity import Space, as_rows

pytestmark = pytest.mark.any_level

Rows = NDArray[np.float32]
METADATA: Final = Metadata(1.5, 44100, 2, "mp3", "mp3", 66150, 0, 1.5, 0, 1.0, 0.0, False)


def library(tracks: int, seed: int = 0, holes: float = 0.0) -> Rows:
    """Values within the ranges of their dimensions, in clusters, some undefined."""
    rng = np.random.default_rng(seed)
    low, high = np.array([(d.minimum, d.maximum) for d in DIMENSIONS]).T
    centres = rng.uniform(0.2, 0.8, (max(1, tracks // 20), 25))
    share = np.clip(centres[np.arange(tracks) % len(centres)] + rng.normal(0, 0.05, (tracks, 25)), 0, 1)
    rows = low + share * (high - low)
    rows[rng.random(rows.shape) < holes] = np.nan
    return np.asarray(rows, np.float32)


def spelled_out(space: Space, a: Rows, b: Rows) -> float:
    """The distance by its definition, a dimension at a time."""
    apart, weights = 0.0, 0.0
    for index, name in enumerate(NAMES):
        if name != "tempo_bpm" and np.isfinite([a[index], b[index]]).all():
            scale = space.scales[name]
            places = np.interp([a[index], b[index]], scale.values, scale.places)
            apart, weights = apart + abs(places[0] - places[1]), weights + 1
    return apart / weights if weights else np.inf


# --- distances ---------------------------------------------------------------------------------------


@given(seed=st.integers(0, 1000), holes=st.sampled_from([0.0, 0.1, 0.6, 0.97]))
@settings(max_examples=25, deadline=None)
def test_a_distance_is_the_mean_difference_of_what_both_have(seed: int, holes: float) -> None:
    rows = library(60, seed, holes)
    space = Space.fit(rows)
    expected = [spelled_out(space, rows[3], row) for row in rows]
    np.testing.assert_allclose(space.distances(rows[3], rows), expected, rtol=1e-4, atol=1e-5)


def test_distances_are_symmetric_and_zero_for_the_same_numbers() -> None:
    rows = library(50, holes=0.1)
    space = Space.fit(rows)
    apart = np.array([space.distances(row, rows) for row in rows])
    np.testing.assert_allclose(apart, apart.T, atol=1e-5)
    assert np.abs(np.diagonal(apart)).max() < 1e-6


def test_blocks_of_tracks_make_no_difference() -> None:
    rows = library(20_000, holes=0.01)
    space = Space.fit(rows)
    whole = space.distances(rows[5], rows)
    np.testing.assert_allclose(whole[-7:], space.distances(rows[5], rows[-7:]), rtol=1e-6)


def test_a_scale_knows_ranks_only() -> None:
    rows = library(500)
    stretched = rows.copy()
    stretched[:, 0] = np.exp(stretched[:, 0] / 10)
    np.testing.assert_allclose(
        Space.fit(rows).distances(rows[0], rows),
        Space.fit(stretched).distances(stretched[0], stretched),
        atol=0.02,
    )


def test_equal_values_have_one_place() -> None:
    rows = library(300)
    rows[:200, NAMES.index("silence_ratio")] = 0
    places = Space.fit(rows).scales["silence_ratio"]
    assert places.place(np.zeros(1, np.float32))[0] == pytest.approx(-0.43, abs=0.02)  # a third of the ranks


def test_an_octave_of_tempo_is_no_distance() -> None:
    rows = np.repeat(library(1), 4, axis=0)
    rows[:, NAMES.index("tempo_bpm")] = [60, 120, 85, 119]
    apart = Space.fit(library(100)).distances(rows[0], rows, weights={"tempo_bpm": 1})
    assert apart[1] == pytest.approx(0, abs=1e-6)
    assert apart[2] > 10 * apart[3] > 0


def test_weights_change_what_counts() -> None:
    rows = library(100)
    space = Space.fit(rows)
    only_loudness = {name: float(name == "lufs") for name in NAMES}
    apart = space.distances(rows[0], rows, weights=only_loudness)
    places = space.scales["lufs"].place(rows[:, NAMES.index("lufs")])
    np.testing.assert_allclose(apart, np.abs(places - places[0]), atol=1e-5)
    for alias, group in {"rhythm": "temporal", "bands": "frequency"}.items():
        np.testing.assert_array_equal(
            space.distances(rows[0], rows, weights={alias: 2}),
            space.distances(rows[0], rows, weights={group: 2}),
        )


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"beats": 2}, "'beats' is neither"),
        ({"lufs": -1}, "0 or more"),
        ({"lufs": float("nan")}, "0 or more"),
        (dict.fromkeys(NAMES, 0), "nothing is left"),
    ],
)
def test_wrong_weights_are_refused(weights: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Space.builtin().distances(library(1), library(2), weights=weights)


# --- what is undefined -------------------------------------------------------------------------------


def test_undefined_numbers_come_in_every_form() -> None:
    values = np.ones(25)
    values[NAMES.index("tempo_bpm")] = np.nan
    values[NAMES.index("pitch_stability")] = np.nan
    fingerprint = Fingerprint(values, METADATA)
    mask = np.isnan(values)
    for rows in (
        as_rows(fingerprint),
        as_rows([fingerprint]),
        as_rows(values),
        as_rows([values.tolist()]),
        as_rows(fingerprint.vector, mask),
    ):
        np.testing.assert_array_equal(rows, values[np.newaxis].astype(np.float32))


def test_a_stand_in_out_of_range_is_undefined_and_one_within_is_a_value() -> None:
    rows = as_rows([dimension.undefined for dimension in DIMENSIONS])
    undefined = [name for name, value in zip(NAMES, rows[0], strict=True) if np.isnan(value)]
    assert undefined == ["tempo_bpm", "chroma_energy"]


def test_nothing_in_common_is_infinitely_far_and_no_neighbour() -> None:
    rows = library(40)
    rows[[0, 7]] = np.nan
    space = Space.fit(rows)
    assert np.isinf(space.distances(rows[0], rows)).all()
    assert len(space.index(rows).nearest(rows[0], 5)[0]) == 0
    assert 7 not in space.index(rows).nearest(rows[1], 40)[0]
    assert space.score(np.inf) == 0
    assert "no number in common" in str(space.explain(rows[0], rows[1]))


@pytest.mark.parametrize("vectors", [[], np.empty((0, 25)), np.full((3, 25), np.nan)])
def test_nothing_to_learn_from_is_said(vectors: Rows) -> None:
    with pytest.raises(ValueError, match="at least one track"):
        Space.fit(vectors)


@pytest.mark.parametrize("shape", [(24,), (3, 24), (2, 3, 25), ()])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="25 numbers"):
        Space.builtin().index(np.ones(shape))


def test_one_track_and_none() -> None:
    one = library(1)
    space = Space.fit(one)
    assert np.isnan(space.score(0.0))
    indices, apart = space.index(one).nearest(one[0], 5)
    assert indices.tolist() == [0]
    assert apart.tolist() == [0]
    assert len(space.index(one).nearest(one[0], 5, exclude=[0])[0]) == 0
    assert [part.shape for part in space.index([]).nearest(one, 5)] == [(1, 0), (1, 0)]


# --- neighbours --------------------------------------------------------------------------------------


@given(seed=st.integers(0, 1000), holes=st.sampled_from([0.0, 0.2]), k=st.integers(1, 30))
@settings(max_examples=20, deadline=None)
def test_candidates_are_the_nearest_of_all(seed: int, holes: float, k: int) -> None:
    rows = library(400, seed, holes)
    space = Space.fit(rows)
    indices, apart = space.index(rows).nearest(rows[9], k, exclude=[9])
    every = space.distances(rows[9], rows)
    assert len(set(indices.tolist()) - {9}) == k
    np.testing.assert_allclose(apart, every[indices], rtol=1e-5)
    assert apart.max() <= np.sort(every)[max(3 * k, 60)]


def test_answers_are_the_same_every_time_and_in_any_company() -> None:
    rows = library(900, holes=0.05)
    space = Space.fit(rows)
    used, fresh = space.index(rows), space.index(rows)
    every, apart = used.nearest(rows[:50], 10, exclude=np.arange(50)[:, np.newaxis])
    for row in reversed(range(50)):
        alone = fresh.nearest(rows[row], 10, exclude=[row])
        np.testing.assert_array_equal(alone[0], every[row])
        np.testing.assert_array_equal(alone[1], apart[row])


def test_queries_in_threads_get_the_same_answers() -> None:
    rows = library(900, seed=6)
    space = Space.fit(rows)
    shared, alone = space.index(rows), space.index(rows)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda row: shared.nearest(row, 10)[0].tolist(), rows[:100]))
    assert found == [alone.nearest(row, 10)[0].tolist() for row in rows[:100]]


def test_equal_tracks_come_by_index() -> None:
    rows = np.repeat(library(20), 30, axis=0)
    indices, apart = Space.fit(rows).index(rows).nearest(rows[45], 30)
    assert indices.tolist() == list(range(30, 60))
    assert not apart.any()


def test_what_is_excluded_is_left_out() -> None:
    rows = library(300)
    index = Space.fit(rows).index(rows)
    flags = np.arange(300) % 2 == 0
    assert (index.nearest(rows[3], 20, exclude=flags)[0] % 2 == 1).all()
    own = index.nearest(rows[:3], 300, exclude=[[0, -1], [1, 5], [2, 2]])[0]
    assert [sorted(set(range(300)) - set(row.tolist())) for row in own] == [[0], [1, 5], [2]]
    assert [(row == -1).sum() for row in own] == [1, 2, 1]
    for wrong in ([300], [-2], np.zeros(5, bool), [[0]]):
        with pytest.raises(ValueError, match="exclude"):
            index.nearest(rows[:2], 5, exclude=wrong)


def test_hubs_are_not_in_every_list() -> None:
    # Most tracks lie around a centre, near to which a few are: by distance alone, these are in every list.
    rng = np.random.default_rng(3)
    rows = rng.normal(0, 1, (600, 25)) + 50
    rows[:6] = 50 + rng.normal(0, 0.3, (6, 25))
    space = Space.fit(rows)
    plain = sum(np.isin(np.argsort(space.distances(row, rows))[1:11], range(6)).sum() for row in rows[6:])
    index = space.index(rows)
    mutual = sum(np.isin(index.nearest(row, 11)[0][1:], range(6)).sum() for row in rows[6:])
    assert mutual < plain / 3


def test_k_is_at_least_one() -> None:
    with pytest.raises(ValueError, match="k must be"):
        Space.builtin().index(library(3)).nearest(library(1), 0)


# --- scores and files --------------------------------------------------------------------------------


def test_scores_are_the_share_of_random_pairs_that_are_farther() -> None:
    rows = library(800, seed=4)
    space = Space.fit(rows)
    pairs = np.random.default_rng(5).permutation(800).reshape(-1, 2)
    apart = np.array([space.distances(rows[a], rows[b])[0] for a, b in pairs])
    scores = space.score(apart)
    assert np.abs(np.quantile(scores, [0.25, 0.5, 0.75]) - [25, 50, 75]).max() < 6
    assert space.score(0.0) == 100
    assert space.score(1e9) == 0
    assert (np.diff(space.score(np.linspace(0, 3, 50))) <= 0).all()


def test_a_saved_space_is_the_same_space(tmp_path: Path) -> None:
    rows = library(300, holes=0.02)
    rows[:, 3] = np.nan
    space = Space.fit(rows)
    space.save(tmp_path / "space.json")
    loaded = Space.load(tmp_path / "space.json")
    np.testing.assert_allclose(
        space.distances(rows[0], rows), loaded.distances(rows[0], rows), rtol=1e-3, atol=1e-4
    )
    assert loaded.tracks == 300
    loaded.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == (tmp_path / "space.json").read_text()


def test_a_space_of_other_fingerprints_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "space.json"
    Space.fit(library(30)).save(path)
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "fingerprint_version": FINGERPRINT_VERSION + 1}))
    with pytest.raises(
        ValueError, match=f"space.json .* version {FINGERPRINT_VERSION + 1}; .* fit the space"
    ):
        Space.load(path)
    path.write_text(json.dumps({**content, "format": 99}))
    with pytest.raises(ValueError, match="format 99"):
        Space.load(path)
    path.write_text(json.dumps({**content, "scales": {}}))
    with pytest.raises(ValueError, match="damaged"):
        Space.load(path)
    for text in ("", "[]", "{}", "no JSON"):
        path.write_text(text)
        with pytest.raises(ValueError, match="not a saved space"):
            Space.load(path)


def test_the_built_in_space_suits_small_libraries() -> None:
    space = Space.builtin()
    assert space.tracks >= 500
    assert space.version == FINGERPRINT_VERSION
    for scale in space.scales.values():
        assert len(scale.values) > 10
        assert (np.diff(scale.values) > 0).all()
        assert (np.diff(scale.places) > 0).all()
        assert scale.spread > 0


# --- reasons -----------------------------------------------------------------------------------------


@given(seed=st.integers(0, 1000), holes=st.sampled_from([0.0, 0.3]))
@settings(max_examples=25, deadline=None)
def test_contributions_are_signed_and_add_up(seed: int, holes: float) -> None:
    rows = library(40, seed, holes)
    space = Space.fit(rows)
    reason = space.explain(rows[0], rows[1], weights={"rhythm": 2, "tempo_bpm": 1})
    apart = space.distances(rows[0], rows[1], weights={"rhythm": 2, "tempo_bpm": 1})[0]
    assert sum(map(abs, reason.contributions.values())) == pytest.approx(apart, rel=1e-4, abs=1e-6)
    for name, contribution in reason.contributions.items():
        column = NAMES.index(name)
        if contribution and name != "tempo_bpm":
            assert (contribution > 0) == (rows[1, column] > rows[0, column])
    back = space.explain(rows[1], rows[0], weights={"rhythm": 2, "tempo_bpm": 1})
    assert back.contributions == pytest.approx(
        {name: -c for name, c in reason.contributions.items()}, abs=1e-6
    )


def test_the_sentence_says_it_with_units() -> None:
    space = Space.builtin()
    middle = np.array([scale.median for scale in space.scales.values()], np.float32)
    a, b = middle.copy(), middle.copy()
    for name, values in {"tempo_bpm": (92, 91), "spectral_centroid": (0.1, 0.5), "lufs": (-18, -9)}.items():
        a[NAMES.index(name)], b[NAMES.index(name)] = values
    sentence = str(space.explain(a, b))
    assert sentence.startswith("both near 92 BPM; B is ")
    assert "brighter (centroid 4.0 against 0.8 kHz)" in sentence
    assert "9 LU louder" in sentence
    assert "it is darker" not in str(space.explain(a, b, names=("this", "it")))
    assert "it is darker (centroid 0.8" in str(space.explain(b, a, names=("this", "it")))
    assert str(space.explain(a, a)) == "both near 92 BPM and alike in everything else"
    b[NAMES.index("tempo_bpm")] = 184
    assert str(space.explain(a, b)).startswith("both on one pulse (92 and 184 BPM)")
