"""The whole analysis of four minutes of music, for each format.

pytest benchmarks/bench_analyze.py
"""

from __future__ import annotations

import statistics
import time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from recordings import FORMATS, SECONDS, Recordings

import auralis_fp


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Recordings:
    return Recordings(tmp_path_factory.mktemp("recordings"))


@pytest.mark.benchmark(group="analyze")
@pytest.mark.parametrize("name", FORMATS)
def test_analyze(benchmark: BenchmarkFixture, recordings: Recordings, name: str) -> None:
    path = recordings.file(name)
    recordings.check(auralis_fp.analyze(path))
    cpu_s: list[float] = []

    def analyze() -> None:
        start = time.thread_time()
        auralis_fp.analyze(path)
        cpu_s.append(time.thread_time() - start)

    benchmark.pedantic(analyze, rounds=7)  # type: ignore[no-untyped-call]
    median_s = statistics.median(cpu_s)
    benchmark.extra_info["cpu_ms"] = round(median_s * 1e3, 1)
    benchmark.extra_info["audio_s_per_cpu_s"] = round(SECONDS / median_s)
    benchmark.extra_info["cpu_level"] = auralis_fp.build_info()["cpu_level"]
