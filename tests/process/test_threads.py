"""Sixteen threads at once over good and bad files, bytes and arrays, some out of time, some cancelled.

Each call must return what it returns alone. ``scripts/sanitize tsan`` runs this with the thread sanitizer.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from support.encode import EncodedFiles

import auralis_fp
from auralis_fp import AnalysisError, Cancelled, CancelToken, Fingerprint

THREADS = 16
ROUNDS = 2
NAMES = (
    "wav-s16", "wav-f32", "aiff-s24", "flac-16", "flac-ogg", "mp3-vbr-0", "mp3-no-xing", "aac-m4a",
    "aac-adts", "alac-m4a", "vorbis", "opus", "opus-webm", "wavpack", "tta", "wma-2", "ac3",
)  # fmt: skip


def outcome(work: Callable[[], Fingerprint]) -> tuple[object, ...]:
    """The outcome of a call, to the last bit."""
    try:
        fp = work()
    except AnalysisError as error:
        return type(error), str(error)
    return fp.vector.tobytes(), fp.undefined, fp.metadata


@pytest.fixture
def calls(encoded: EncodedFiles, tmp_path: Path) -> list[Callable[[], Fingerprint]]:
    """Calls of every kind, whose outcome does not depend on time."""
    rng = np.random.default_rng(1)
    calls: list[Callable[[], Fingerprint]] = []
    for name in NAMES:
        path, data = encoded.file(name), encoded.file(name).read_bytes()
        hole = bytearray(data)
        hole[len(data) // 2 : len(data) // 2 + 500] = rng.bytes(500)
        calls += [
            partial(auralis_fp.analyze, path),
            partial(auralis_fp.analyze_bytes, data[: len(data) // 3]),
            partial(auralis_fp.analyze_bytes, hole),
            partial(auralis_fp.analyze_bytes, data[:40]),
            partial(auralis_fp.analyze, path, timeout=0),
        ]
    nan = np.zeros(30_000, np.float32)
    nan[20_000] = np.nan
    calls += [
        partial(auralis_fp.analyze, tmp_path / "missing.mp3"),
        partial(auralis_fp.analyze, tmp_path),
        partial(auralis_fp.analyze_bytes, rng.bytes(50_000)),
        partial(auralis_fp.analyze_samples, encoded.samples, encoded.rate),
        partial(auralis_fp.analyze_samples, nan, 8000),
    ]
    return calls


def test_each_thread_gets_its_own_answer(calls: list[Callable[[], Fingerprint]]) -> None:
    expected = [outcome(call) for call in calls]
    order = list(range(len(calls))) * ROUNDS
    random.Random(1).shuffle(order)
    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(lambda index: outcome(calls[index]), order))
    for index, result in zip(order, results, strict=True):
        assert result == expected[index]


def test_cancelled_from_elsewhere_at_any_moment(encoded: EncodedFiles) -> None:
    """A thread cancels one token after another while sixteen analyse: the result or Cancelled."""
    paths = [encoded.file(name) for name in NAMES]
    expected = {path: outcome(partial(auralis_fp.analyze, path)) for path in paths}
    tokens = [CancelToken() for _ in range(2 * len(paths))]
    done = threading.Event()

    def cancel() -> None:
        for token in tokens[::2]:
            time.sleep(0.003)
            token.cancel()
        done.set()

    thread = threading.Thread(target=cancel)
    thread.start()
    with ThreadPoolExecutor(THREADS) as pool:
        work = [
            partial(auralis_fp.analyze, path, cancel=token)
            for path, token in zip(paths * 2, tokens, strict=True)
        ]
        results = list(pool.map(outcome, work))
    thread.join()
    assert done.is_set()
    for path, token, result in zip(paths * 2, tokens, results, strict=True):
        assert result == expected[path] or (token.cancelled and result[0] is Cancelled)
