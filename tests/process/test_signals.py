"""Signals during an analysis: handlers run in time, their exceptions propagate, nothing else happens."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from support.encode import EncodedFiles
from support.processes import run_program
from support.stopping import STOP_S
from support.tolerances import assert_identical

import auralis_fp
from auralis_fp import AnalysisError, Timeout, Unsupported


class Struck(Exception):
    """Raised by a handler."""


@contextmanager
def alarms(handler: Callable[[], None], every_s: float) -> Iterator[None]:
    """Send a signal, with this handler, whenever this process has used a given amount of processor time."""
    before = signal.signal(signal.SIGPROF, lambda number, frame: handler())
    signal.setitimer(signal.ITIMER_PROF, every_s, every_s)
    try:
        yield
    finally:
        while signal.getsignal(signal.SIGPROF) is not before:
            with suppress(Struck):  # it may strike here as well
                signal.setitimer(signal.ITIMER_PROF, 0)
                signal.signal(signal.SIGPROF, before)


def strike() -> None:
    raise Struck


def test_ctrl_c_stops_an_analysis(long_wav: Path) -> None:
    """SIGINT during an analysis: KeyboardInterrupt after at most 100 ms of work; the next analysis works."""
    assert run_program("signals/ctrl_c", long_wav, STOP_S).stdout.split() == ["True", "usable"]


def test_ctrl_c_stops_analyze_many(long_wav: Path) -> None:
    assert run_program("signals/ctrl_c_many", long_wav).stdout.split() == ["1"]


def test_a_signal_handler_runs_during_an_analysis(long_wav: Path) -> None:
    """A handler that does not raise interrupts nothing."""
    hits: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: hits.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
    try:
        with pytest.raises(Timeout):
            auralis_fp.analyze(long_wav, timeout=1.0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(hits) >= 3


@pytest.mark.parametrize("entry", ["file", "bytes", "samples"])
def test_what_a_handler_raises_comes_out(entry: str, long_wav: Path) -> None:
    calls: dict[str, Callable[[], object]] = {
        "file": lambda: auralis_fp.analyze(long_wav),
        "bytes": lambda: auralis_fp.analyze_bytes(np.memmap(long_wav, np.uint8, "r").data),
        "samples": lambda: auralis_fp.analyze_samples(np.memmap(long_wav, np.int16, "r", 44), 44100),
    }
    with pytest.raises(Struck), alarms(strike, 0.1):
        calls[entry]()


def test_a_handler_that_analyses(encoded: EncodedFiles) -> None:
    """On the main thread, in the middle of its own analysis."""
    path, other = encoded.file("mp3-vbr-0"), encoded.file("wav-s16")
    expected, results = auralis_fp.analyze(path), []

    def analyze() -> None:
        if signal.setitimer(signal.ITIMER_PROF, 0):  # not within itself
            results.append(auralis_fp.analyze(other))
            signal.setitimer(signal.ITIMER_PROF, 0.02, 0.02)

    with alarms(analyze, 0.02):
        while len(results) < 3:
            assert_identical(auralis_fp.analyze(path), expected)
    for result in results:
        assert_identical(result, auralis_fp.analyze(other))


def test_signals_at_any_moment(encoded: EncodedFiles) -> None:
    """A result, the error, or what the handler raised: never two of them, never a mixture."""
    path = encoded.file("aac-m4a")
    begun = time.process_time()
    expected = auralis_fp.analyze(path)
    often = 1.1 * (time.process_time() - begun)  # so that some analyses are struck, and some are not
    struck = results = errors = 0
    while min(struck, results, errors) < 20:
        try:
            with alarms(strike, often):
                while True:
                    assert_identical(auralis_fp.analyze(path), expected)
                    results += 1
                    with pytest.raises(Unsupported):
                        auralis_fp.analyze_bytes(b"RIFF" + bytes(5000))
                    errors += 1
        except Struck:
            struck += 1


def test_signals_while_many_threads_are_inside(encoded: EncodedFiles) -> None:
    """Handlers run on the main thread, which waits; the other threads are not affected."""
    names = ["wav-s16", "flac-16", "mp3-vbr-4", "vorbis", "opus", "aac-m4a"] * 8
    expected = {name: auralis_fp.analyze(encoded.file(name)) for name in set(names)}
    hits: list[int] = []
    with ThreadPoolExecutor(16) as pool, alarms(lambda: hits.append(1), 0.002):
        results = list(pool.map(lambda name: auralis_fp.analyze(encoded.file(name)), names))
    for name, result in zip(names, results, strict=True):
        assert_identical(result, expected[name])
    assert len(hits) > 10


def test_interrupted_reads_are_read_again(encoded: EncodedFiles) -> None:
    """System calls that signals interrupt are not I/O errors."""
    paths = encoded.file("wav-f64"), encoded.file("mp3-cbr-320")
    assert run_program("signals/interrupted_reads", *paths).stdout.split() == ["2"]


def test_an_error_from_a_thread_while_the_main_thread_is_struck(long_wav: Path) -> None:
    outcome: list[AnalysisError] = []

    def work() -> None:
        try:
            auralis_fp.analyze(long_wav, timeout=0.2)
        except AnalysisError as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    with pytest.raises(Struck), alarms(strike, 0.1):
        auralis_fp.analyze(long_wav)
    thread.join()
    assert [type(error) for error in outcome] == [Timeout]
