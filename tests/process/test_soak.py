"""Fifteen seconds of tests/tools/soak.py, and tests of its verdict."""

from __future__ import annotations

import ctypes
import gc
import itertools
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support import synth
from tools import soak

import auralis_fp
from auralis_fp._garbage import uncollected

Array = NDArray[np.float64]


def test_sixteen_threads_over_good_and_bad_files(tmp_path: Path) -> None:
    """Too short for a verdict on memory; everything else is as in the long run."""
    run = soak.Soak(soak.cases(tmp_path, None, mutated=50), threads=16)
    run.run(15, every_s=1, tell=lambda line: None)
    assert [word for word in run.judge() if "held" not in word and "memory" not in word] == []
    assert {"analysed", "Unsupported", "FileNotFound", "Timeout", "Cancelled"} <= set(run.outcomes)


def samples(resting_mb: Array, held_mb: Array) -> list[soak.Sample]:
    """An hour, with a sample every minute."""
    pairs = zip(resting_mb.tolist(), held_mb.tolist(), strict=True)
    return [
        soak.Sample(60.0 * i, 400, resting, held, 40, 17, 1000 * i) for i, (resting, held) in enumerate(pairs)
    ]


def test_memory_that_is_flat_and_memory_that_is_not() -> None:
    rng, minutes = np.random.default_rng(1), np.arange(60)
    resting, held = 250 + rng.normal(0, 15, 60), 30 + rng.normal(0, 0.1, 60)
    warm_up = np.minimum(minutes, 10.0)
    assert soak.Soak([], 16, samples=samples(resting + warm_up, held + 0.3 * warm_up)).judge() == []
    for growing in (held + 0.05 * minutes, held + 5 * (minutes > 40)):  # 3 MB an hour; a lost analysis
        assert "held" in soak.Soak([], 16, samples=samples(resting, growing)).judge()[0]
    fragments = soak.Soak([], 16, samples=samples(resting + 2 * minutes, held))
    assert "at rest grows" in fragments.judge()[0]


def test_descriptors_and_threads_that_stay() -> None:
    for column in ("descriptors", "threads"):
        states = samples(np.full(60, 200.0), np.full(60, 30.0))
        setattr(states[30], column, 50)
        assert column in soak.Soak([], 16, samples=states).judge()[0]


@pytest.mark.unsanitized("malloc tells nothing of its allocator")
def test_what_malloc_has_handed_out() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    with uncollected():
        gc.collect()  # what other tests left must not be freed in between
        before = soak.held_mb()
        pointers = [ctypes.c_void_p(libc.malloc(size)) for size in [1000] * 1000 + [1 << 20] * 5]
        during = soak.held_mb()
        for pointer in pointers:
            libc.free(pointer)
        after = soak.held_mb()
    assert during - before == pytest.approx(1.0 + 5 * 1.048576, abs=0.2)
    assert after == pytest.approx(before, abs=0.2)


def test_an_answer_that_changes() -> None:
    """By one bit, or to an error that the case does not have."""
    tones = itertools.cycle([synth.tone(440, 0.5), synth.tone(440, 0.5, peak=0.999999)])
    changing = soak.Case("changing", lambda: auralis_fp.analyze_samples(next(tones), 44100))
    failing = soak.Case("failing", lambda: auralis_fp.analyze("missing"), frozenset({"Unreadable"}))
    for case in (changing, failing):
        run = soak.Soak([case], threads=1)
        run.run(0.2, every_s=0.1, tell=lambda line: None)
        assert case.name in run.judge()[0]
