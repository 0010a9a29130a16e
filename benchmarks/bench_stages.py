"""CPU time of every stage of the analysis, by the program built from benchmarks/stages.cpp.

pytest benchmarks/bench_stages.py

The times in pytest-benchmark's table are those of the stage's own CPU clock, not of the program that runs it.
"""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from recordings import FORMATS, STAGES, Recordings, Stages

import auralis_fp


class StageClock:
    """A clock that only the measured stage moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


CLOCK = StageClock()


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Recordings:
    made = Recordings(tmp_path_factory.mktemp("recordings"))
    made.check(auralis_fp.analyze(made.file("WAV")))
    return made


@pytest.fixture(scope="module")
def stages() -> Stages:
    return Stages()


def measure(benchmark: BenchmarkFixture, stages: Stages, path: Path, stage: str) -> None:
    cpu_ms: list[float] = []

    def run() -> None:
        cpu_ms.append(stages.cpu_ms(path, 3, stage)[stage])
        CLOCK.seconds += cpu_ms[-1] / 1e3

    benchmark.pedantic(run, rounds=3)  # type: ignore[no-untyped-call]
    benchmark.extra_info["cpu_ms"] = round(statistics.median(cpu_ms), 1)


def test_the_stages_are_those_of_the_program(recordings: Recordings, stages: Stages) -> None:
    assert tuple(stages.cpu_ms(recordings.short_file(), 1)) == STAGES


@pytest.mark.benchmark(group="stages, WAV", timer=CLOCK)
@pytest.mark.parametrize("stage", STAGES)
def test_stage(benchmark: BenchmarkFixture, recordings: Recordings, stages: Stages, stage: str) -> None:
    measure(benchmark, stages, recordings.file("WAV"), stage)


@pytest.mark.benchmark(group="decoding alone", timer=CLOCK)
@pytest.mark.parametrize("name", FORMATS)
def test_decode(benchmark: BenchmarkFixture, recordings: Recordings, stages: Stages, name: str) -> None:
    recordings.check(auralis_fp.analyze(recordings.file(name)))
    measure(benchmark, stages, recordings.file(name), "decode")
