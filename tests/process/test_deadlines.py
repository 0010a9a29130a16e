"""Deadlines, cancellation and the GIL."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from support.encode import EncodedFiles
from support.stopping import STOP_S
from support.tolerances import assert_identical

import auralis_fp
from auralis_fp import Cancelled, CancelToken, Timeout

# --- stopping ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [0, 1e-9, 0.05, 0.3])
def test_timeout(timeout: float, long_wav: Path) -> None:
    start = time.thread_time()
    with pytest.raises(Timeout) as caught:
        auralis_fp.analyze(long_wav, timeout=timeout)
    assert time.thread_time() - start < timeout + STOP_S
    assert caught.value.path == str(long_wav)
    assert isinstance(caught.value, TimeoutError)


def test_timeout_while_samples_and_bytes_are_measured(encoded: EncodedFiles, long_wav: Path) -> None:
    hour = np.memmap(long_wav, np.int16, "r", 44).reshape(-1, 2)
    with pytest.raises(Timeout) as caught:
        auralis_fp.analyze_samples(hour, 44100, timeout=0.05)
    assert caught.value.path == "<samples>"
    with pytest.raises(Timeout) as caught:
        auralis_fp.analyze_bytes(np.memmap(long_wav, np.uint8, "r").data, timeout=0.05)
    assert caught.value.path == "<bytes>"


def test_a_generous_timeout_changes_nothing(wav: Path) -> None:
    assert_identical(auralis_fp.analyze(wav, timeout=600), auralis_fp.analyze(wav))


@pytest.mark.parametrize("timeout", [-1, float("nan")])
def test_timeouts_that_make_no_sense(timeout: float, wav: Path) -> None:
    with pytest.raises(ValueError, match="timeout"):
        auralis_fp.analyze(wav, timeout=timeout)


def test_cancel_from_another_thread(long_wav: Path) -> None:
    token = CancelToken()
    cancelled_at = 0.0

    def cancel() -> None:
        nonlocal cancelled_at
        cancelled_at = time.monotonic()
        token.cancel()

    work_s = 0.0

    def analyze() -> type[BaseException] | None:
        nonlocal work_s
        start = time.thread_time()
        try:
            auralis_fp.analyze(long_wav, cancel=token)
        except Cancelled as error:
            work_s = time.thread_time() - start
            return type(error)
        return None

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(analyze)
        time.sleep(0.2)
        assert not running.done()
        cancel()
        assert running.result() is Cancelled
    assert work_s < 0.2 + (time.monotonic() - cancelled_at) + STOP_S
    assert token.cancelled


def test_a_cancelled_token_stays_cancelled(wav: Path) -> None:
    token = CancelToken()
    assert_identical(auralis_fp.analyze(wav, cancel=token), auralis_fp.analyze(wav))
    token.cancel()
    token.cancel()
    for _ in range(2):
        with pytest.raises(Cancelled):
            auralis_fp.analyze(wav, cancel=token)


# --- the GIL ---------------------------------------------------------------------


def test_python_threads_go_on_during_an_analysis(encoded: EncodedFiles) -> None:
    """A thread that wakes every millisecond; if the GIL were held, it would wake only once."""
    path = encoded.file("mp3-vbr-0")
    wakings, stop = 0, threading.Event()

    def wake() -> None:
        nonlocal wakings
        while not stop.wait(0.001):
            wakings += 1

    thread = threading.Thread(target=wake)
    thread.start()
    try:
        seen = [wakings]
        for _ in range(5):
            auralis_fp.analyze(path)
            seen.append(wakings)
    finally:
        stop.set()
        thread.join()
    assert min(after - before for before, after in pairwise(seen)) >= 3


def test_other_analyses_end_during_a_long_one(encoded: EncodedFiles, long_wav: Path) -> None:
    """Whole analyses, one after the other, while another thread is inside an hour of audio."""
    token, path = CancelToken(), encoded.file("flac-16")
    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(auralis_fp.analyze, long_wav, cancel=token)
        while not long.running():
            pass
        for _ in range(3):
            auralis_fp.analyze(path)
        token.cancel()
        with pytest.raises(Cancelled):  # and no result
            long.result()


def test_two_threads_keep_two_processors_busy(encoded: EncodedFiles) -> None:
    """CPU time over wall time of two threads, relative to what other programs left of two processors."""
    path = encoded.file("flac-16")

    def work() -> None:
        for _ in range(8):
            auralis_fp.analyze(path)

    def overlap() -> float:
        own, wall, machine = time.process_time(), time.perf_counter(), busy_s()
        with ThreadPoolExecutor(2) as pool:
            for future in [pool.submit(work) for _ in range(2)]:
                future.result()
        own, wall = time.process_time() - own, time.perf_counter() - wall
        foreign = max(0.0, busy_s() - machine - own)
        return own / max(min(2.0, processors - foreign / wall) * wall, own / 2)

    processors = len(os.sched_getaffinity(0))
    assert max(overlap() for _ in range(5)) > 0.75  # of two processors: CPU time / wall time > 1.5


def busy_s() -> float:
    """Seconds that all processors of the machine have worked since it was started."""
    user, nice, system, _idle, _wait, *others = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + sum(others)) / os.sysconf("SC_CLK_TCK")
