"""Threads that begin and end analyses all the time, by every entry point, with results and with errors."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable

import numpy as np

import auralis_fp

PATH = sys.argv[1]
TONE = np.sin(np.arange(3000, dtype=np.float32))
CALLS: list[Callable[[], object]] = [
    lambda: auralis_fp.analyze(PATH),
    lambda: auralis_fp.analyze("missing"),
    lambda: auralis_fp.analyze_samples(TONE, 8000),
    lambda: auralis_fp.analyze_samples(TONE * np.float32("nan"), 8000),
    lambda: auralis_fp.analyze_bytes(b"RIFF" + bytes(2000)),
    lambda: auralis_fp.analyze(PATH, timeout=0, cancel=auralis_fp.CancelToken()),
]
_begun = threading.Barrier(len(CALLS) + 1)


def _work(call: Callable[[], object]) -> None:
    _begun.wait()
    while True:
        with contextlib.suppress(auralis_fp.AnalysisError):
            call()


def start() -> None:
    """Start one daemon thread for each call, and return when all are at work."""
    for call in CALLS:
        threading.Thread(target=_work, args=(call,), daemon=True).start()
    _begun.wait()
