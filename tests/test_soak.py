"""A quarter of a minute of tests/soak.py, and whether its judgement would notice what it is for."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import soak
import synth

import auralis_fp


def test_sixteen_threads_over_good_and_bad_files(tmp_path: Path) -> None:
    """Too short to say something about memory; everything else is as in the long run."""
    run = soak.Soak(soak.cases(tmp_path, None, mutated=50), threads=16)
    run.run(15, every_s=1, tell=lambda line: None)
    assert [word for word in run.judge() if not word.startswith("memory grows")] == []
    assert {"analysed", "Unsupported", "FileNotFound", "Timeout", "Cancelled"} <= set(run.outcomes)


def samples(megabytes: list[float]) -> list[soak.Sample]:
    return [soak.Sample(60.0 * i, size, 40, 17, 1000 * i) for i, size in enumerate(megabytes)]


def test_memory_that_is_flat_and_memory_that_is_not() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 1, 60)
    warm_up = np.minimum(np.arange(60), 10.0)
    judged = soak.Soak([], 16, samples=samples(list(200 + noise + 3 * warm_up)))
    assert judged.judge() == []
    slowly = samples(list(200 + noise + 3 * warm_up + 0.5 * np.arange(60)))  # 30 MB an hour
    assert "memory grows" in soak.Soak([], 16, samples=slowly).judge()[0]
    step = samples(list(200 + noise + 10 * (np.arange(60) > 40)))
    assert "memory grows" in soak.Soak([], 16, samples=step).judge()[0]


def test_descriptors_that_stay_open() -> None:
    states = samples([200.0] * 60)
    for number, state in enumerate(states):
        state.descriptors = 20 + number
    assert "descriptors" in soak.Soak([], 16, samples=states).judge()[0]


def test_an_answer_that_changes() -> None:
    """By one bit, or to an error that the case does not have."""
    tones = itertools.cycle([synth.tone(440, 0.5), synth.tone(440, 0.5, peak=0.999999)])
    changing = soak.Case("changing", lambda: auralis_fp.analyze_samples(next(tones), 44100))
    failing = soak.Case("failing", lambda: auralis_fp.analyze("missing"), frozenset({"Unreadable"}))
    for case in (changing, failing):
        run = soak.Soak([case], threads=1)
        run.run(0.2, every_s=0.1, tell=lambda line: None)
        assert case.name in run.judge()[0]
