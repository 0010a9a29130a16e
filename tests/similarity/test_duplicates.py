"""Duplicates: the same recording in other encodings is one group, and nothing else is."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.encode import EncodedFiles, decode, encode

from auralis_fp import analyze
from auralis_fp.schema import NAMES
from auralis_fp.similarity import Space, duplicate_pairs, duplicates
from auralis_fp.similarity.copies import THRESHOLD

Rows = NDArray[np.float32]

ENCODINGS: Final = (
    "wav-s16", "flac-24", "mp3-cbr-320", "mp3-cbr-128", "aac-m4a", "vorbis", "opus", "wma-2"
)  # fmt: skip
MUSIC: Final = os.environ.get("AURALIS_FP_MUSIC_DIR")


def library(tracks: int, seed: int = 0) -> Rows:
    """Tracks whose numbers lie on the scale of the built-in space, independent of each other."""
    scales = Space.builtin().scales.values()
    places = np.random.default_rng(seed).normal(size=(tracks, 25))
    columns = [
        np.interp(place, scale.places, scale.values) for place, scale in zip(places.T, scales, strict=True)
    ]
    return np.asarray(np.array(columns).T, np.float32)


# --- generated vectors -------------------------------------------------------------------------------


@pytest.mark.any_level
@given(seed=st.integers(0, 1000), block=st.sampled_from([1, 7, 65_536]))
@settings(max_examples=20, deadline=None)
def test_pairs_are_those_of_all_comparisons(seed: int, block: int) -> None:
    rng = np.random.default_rng(seed)
    rows = library(30, seed)[rng.integers(0, 30, 60)] + rng.normal(0, 0.02, (60, 25)).astype(np.float32)
    rows[rng.random(rows.shape) < 0.05] = np.nan
    durations = rng.choice([10.0, 10.4, 10.8, 11.4, np.nan], 60)
    space = Space.builtin()
    scales = [space.scales[name] for name in NAMES if name != "tempo_bpm"]
    kept = [index for index, name in enumerate(NAMES) if name != "tempo_bpm"]
    standard = np.array([(rows[:, i] - s.median) / s.spread for i, s in zip(kept, scales, strict=True)]).T
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("auralis_fp.similarity.copies._BLOCK", block)
        found = duplicate_pairs(rows, durations, space=space)
    expected = [
        (a, b)
        for a, b in itertools.combinations(range(60), 2)
        if abs(durations[a] - durations[b]) <= 0.5
        and np.sqrt(np.nanmean((standard[a].clip(-4, 4) - standard[b].clip(-4, 4)) ** 2)) <= THRESHOLD
    ]
    assert [tuple(pair) for pair in found.indices.tolist()] == expected
    assert (found.distances <= THRESHOLD).all()


@pytest.mark.any_level
def test_groups_are_what_pairs_connect() -> None:
    rows = library(300)
    order = np.random.default_rng(1).permutation(300)
    rows = np.concatenate([rows, rows[:40], rows[:20]])
    durations = np.concatenate([np.arange(300.0), np.arange(40.0) + 0.3, np.arange(20.0) - 0.2])
    expected = [[i, 300 + i, 340 + i] if i < 20 else [i, 300 + i] for i in range(40)]
    assert duplicates(rows, durations) == expected
    # Whatever the order of the tracks:
    shuffled = duplicates(rows[order], durations[order])
    assert shuffled == []
    order = np.random.default_rng(2).permutation(360)
    found = duplicates(rows[order], durations[order])
    assert sorted(sorted(order[group].tolist()) for group in found) == expected
    assert found == sorted(sorted(group) for group in found)


@pytest.mark.any_level
def test_other_durations_are_other_recordings() -> None:
    rows = np.repeat(library(1), 3, axis=0)
    assert duplicates(rows, [100, 100.4, 101]) == [[0, 1]]
    assert duplicates(rows, [100, 100.4, 101], seconds=1) == [[0, 1, 2]]
    assert duplicates(rows, [100, np.nan, 100]) == [[0, 2]]


@pytest.mark.any_level
def test_nothing_and_what_is_undefined_have_no_duplicates() -> None:
    assert duplicates([], []) == []
    assert duplicates(library(1), [3.0]) == []
    assert duplicates(np.full((5, 25), np.nan), np.ones(5)) == []
    few = np.repeat(library(1), 2, axis=0)
    few[:, 11:] = np.nan
    assert duplicates(few, [3, 3]) == []
    with pytest.raises(ValueError, match="2 vectors have 1 durations"):
        duplicates(library(2), [3.0])


@pytest.mark.any_level
@pytest.mark.parametrize(
    ("changed", "gain", "mono"),
    [({"lufs"}, True, False), ({"lufs", "stereo_width", "phase_correlation"}, False, True)],
)
def test_copies_of_another_gain_and_mono_copies_are_found_on_demand(
    changed: set[str], gain: bool, mono: bool
) -> None:
    rows = np.repeat(library(1), 2, axis=0)
    for name in changed:
        scale = Space.builtin().scales[name]
        rows[1, NAMES.index(name)] = rows[0, NAMES.index(name)] + 6 * scale.spread
    assert duplicates(rows, [9.0, 9.0]) == []
    assert duplicates(rows, [9.0, 9.0], other_gain=gain, mono=mono) == [[0, 1]]


# --- recordings --------------------------------------------------------------------------------------


def test_a_recording_in_eight_encodings_is_one_group(encoded: EncodedFiles) -> None:
    measured = [analyze(encoded.file(name)) for name in ENCODINGS]
    rows = np.concatenate([[fingerprint.vector for fingerprint in measured], library(300)])
    durations = [fingerprint.metadata.duration for fingerprint in measured] + [10.0] * 300
    assert duplicates(rows, durations, space=Space.builtin()) == [list(range(len(ENCODINGS)))]


@pytest.mark.skipif(MUSIC is None, reason="AURALIS_FP_MUSIC_DIR names a folder of music")
def test_real_music_and_its_copies(tmp_path: Path) -> None:
    rows, durations = [], []
    for source in sorted(Path(str(MUSIC)).glob("*.o*"))[:4]:
        samples, rate = decode(source)
        excerpt = np.asarray(samples[30 * rate : 50 * rate], np.float32)
        for name, arguments in {"a.flac": (), "b.mp3": ("-b:a", "128k"), "c.ogg": ()}.items():
            path = tmp_path / f"{source.stem}-{name}"
            encode(path, excerpt, rate, *arguments)
            fingerprint = analyze(path)
            rows.append(fingerprint.vector)
            durations.append(fingerprint.metadata.duration)
    assert duplicates(rows, durations) == [[i, i + 1, i + 2] for i in range(0, 12, 3)]
    index = Space.builtin().index(rows)
    for track, row in enumerate(rows):
        near, _ = index.nearest(row, 2, exclude=[track])
        assert set(near.tolist()) == set(range(track // 3 * 3, track // 3 * 3 + 3)) - {track}
