"""CPU time of every step of the analysis, by the program built from benchmarks/steps.cpp.

pytest benchmarks/bench_steps.py

The times in pytest-benchmark's table are those of the step's own CPU clock, not of the program that runs it.
"""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from recordings import FORMATS, STEPS, Recordings, Steps

import auralis_fp


class StepClock:
    """A clock that only the measured step moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


CLOCK = StepClock()


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Recordings:
    made = Recordings(tmp_path_factory.mktemp("recordings"))
    made.check(auralis_fp.analyze(made.file("WAV")))
    return made


@pytest.fixture(scope="module")
def steps() -> Steps:
    return Steps()


def measure(benchmark: BenchmarkFixture, steps: Steps, path: Path, step: str) -> None:
    cpu_ms: list[float] = []

    def run() -> None:
        cpu_ms.append(steps.cpu_ms(path, 3, step)[step])
        CLOCK.seconds += cpu_ms[-1] / 1e3

    benchmark.pedantic(run, rounds=3)  # type: ignore[no-untyped-call]
    benchmark.extra_info["cpu_ms"] = round(statistics.median(cpu_ms), 1)


def test_the_steps_are_those_of_the_program(recordings: Recordings, steps: Steps) -> None:
    assert tuple(steps.cpu_ms(recordings.short_file(), 1)) == STEPS


@pytest.mark.benchmark(group="steps, WAV", timer=CLOCK)
@pytest.mark.parametrize("step", STEPS)
def test_step(benchmark: BenchmarkFixture, recordings: Recordings, steps: Steps, step: str) -> None:
    measure(benchmark, steps, recordings.file("WAV"), step)


@pytest.mark.benchmark(group="decoding alone", timer=CLOCK)
@pytest.mark.parametrize("name", FORMATS)
def test_decode(benchmark: BenchmarkFixture, recordings: Recordings, steps: Steps, name: str) -> None:
    recordings.check(auralis_fp.analyze(recordings.file(name)))
    measure(benchmark, steps, recordings.file(name), "decode")
