"""A hundred thousand calls, results and errors, leave nothing behind: no reference, no block, no byte."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import auralis_fp
from auralis_fp import AnalysisError, CancelToken
from auralis_fp._garbage import uncollected

CALLS = 100_000  # over all of the tests below
RATE = 2000
SAMPLES = np.sin(np.arange(32, dtype=np.float32))
WITH_NAN = np.array([0, np.nan], np.float32)
JUNK = bytearray(b"RIFF" + bytes(60))
MISSING = "/nowhere/missing.wav"
CANCELLED = CancelToken()
CANCELLED.cancel()
TOKEN = CancelToken()


def tiny_wav() -> bytes:
    form = (16).to_bytes(4, "little") + bytes([1, 0, 1, 0]) + RATE.to_bytes(4, "little")
    form += (2 * RATE).to_bytes(4, "little") + bytes([2, 0, 16, 0])
    data = (SAMPLES * 10_000).astype("<i2").tobytes()
    chunks = b"WAVEfmt " + form + b"data" + len(data).to_bytes(4, "little") + data
    return b"RIFF" + len(chunks).to_bytes(4, "little") + chunks


WAV = bytearray(tiny_wav())


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("leaks") / "tiny.wav"
    file.write_bytes(WAV)
    return str(file)


class BadPath:
    def __fspath__(self) -> str:
        raise RuntimeError("no path today")


# name → (share of the calls in thousandths, the call, its arguments, what it raises). Results cost a
# hundred times more than most errors, since each makes its filter banks and FFTs. No argument is a small
# integer, whose references the whole interpreter shares.
Call = tuple[int, Callable[..., object], tuple[Any, ...], dict[str, Any], type[BaseException] | None]
CASES: dict[str, Call] = {
    "file": (20, auralis_fp.analyze, ("{path}",), {"cancel": TOKEN, "timeout": 60}, None),
    "bytes": (20, auralis_fp.analyze_bytes, (WAV,), {"cancel": TOKEN, "timeout": 60}, None),
    "samples": (20, auralis_fp.analyze_samples, (SAMPLES, RATE), {"cancel": TOKEN, "timeout": 60}, None),
    "view of samples": (10, auralis_fp.analyze_samples, (SAMPLES[::-2], RATE), {}, None),
    "samples that are no numbers": (
        10,
        auralis_fp.analyze_samples,
        (WITH_NAN, RATE),
        {},
        auralis_fp.InvalidSamples,
    ),
    "missing file": (160, auralis_fp.analyze, (MISSING,), {}, auralis_fp.FileNotFound),
    "directory": (110, auralis_fp.analyze, ("/",), {}, auralis_fp.Unreadable),
    "junk": (80, auralis_fp.analyze_bytes, (JUNK,), {}, auralis_fp.Unsupported),
    "cancelled": (80, auralis_fp.analyze_bytes, (WAV,), {"cancel": CANCELLED}, auralis_fp.Cancelled),
    "timeout": (80, auralis_fp.analyze, ("{path}",), {"timeout": 0.0}, auralis_fp.Timeout),
    "wrong dtype": (50, auralis_fp.analyze_samples, ([1, 2], RATE), {}, auralis_fp.InvalidSamples),
    "no samples": (50, auralis_fp.analyze_samples, (SAMPLES[:0], RATE), {}, auralis_fp.NoAudio),
    "rate out of range": (50, auralis_fp.analyze_samples, (SAMPLES, 1999), {}, auralis_fp.InvalidSamples),
    "rate of another type": (50, auralis_fp.analyze_samples, (SAMPLES, 2e3), {}, TypeError),
    "no buffer": (50, auralis_fp.analyze_bytes, ("text",), {}, TypeError),
    "not contiguous": (50, auralis_fp.analyze_bytes, (memoryview(WAV)[::2],), {}, BufferError),
    "no path": (50, auralis_fp.analyze, (BadPath(),), {}, RuntimeError),
    "no token": (30, auralis_fp.analyze_bytes, (WAV,), {"cancel": "token"}, TypeError),
    "negative timeout": (30, auralis_fp.analyze_bytes, (WAV,), {"timeout": -1.0}, ValueError),
}


def call(case: Call, path: str, times: int) -> None:
    _, function, arguments, options, error = case
    arguments = tuple(path if isinstance(x, str) and x == "{path}" else x for x in arguments)
    for _ in range(times):
        try:
            function(*arguments, **options)
        except Exception as raised:
            assert type(raised) is error  # noqa: PT017 - in a loop of thousands
        else:
            assert error is None


class _Mallinfo(ctypes.Structure):
    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks"),
            *("fordblks", "keepcost"),
        )
    )


def allocated_bytes() -> int:
    """Bytes that malloc has handed out on this thread: C and C++ objects."""
    libc = ctypes.CDLL(None)
    libc.mallinfo2.restype = _Mallinfo
    info = libc.mallinfo2()
    return int(info.uordblks + info.hblkhd)


def held(case: Call) -> dict[str, int]:
    """The counters that a leak would raise."""
    gc.collect()
    counts = {f"references to argument {i}": sys.getrefcount(x) for i, x in enumerate(case[2])}
    counts |= {f"references to {name}": sys.getrefcount(x) for name, x in case[3].items() if x is not None}
    counts["descriptors"] = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    counts["objects"] = len(gc.get_objects())
    counts["blocks of Python's allocator"] = sys.getallocatedblocks()
    counts["bytes of malloc"] = allocated_bytes()
    if hasattr(sys, "gettotalrefcount"):
        counts["all references"] = sys.gettotalrefcount()
    return counts


def test_shares_add_up() -> None:
    assert sum(case[0] for case in CASES.values()) == 1000


@pytest.mark.parametrize("name", CASES)
def test_calls_leave_nothing_behind(name: str, path: str) -> None:
    """A leaked reference, block or byte per call would show once for each call."""
    case = CASES[name]
    times = CALLS * case[0] // 1000
    call(case, path, times // 10)  # fills caches and free lists
    with uncollected():  # by others, whose objects would count
        held(case)
        before = held(case)
        call(case, path, times)
        after = held(case)
    grown = {what: after[what] - before[what] for what in before}
    # What malloc's caches keep is counted as handed out, a few kB; its smallest piece has 32 bytes.
    limits = dict.fromkeys(grown, times // 10) | {"bytes of malloc": 24 * times}
    assert {what: n for what, n in grown.items() if n > limits[what]} == {}
    exact = [what for what in grown if what.startswith("references")] + ["descriptors", "objects"]
    assert {what: grown[what] for what in exact if grown[what] != 0} == {}


@pytest.mark.unsanitized("malloc tells nothing of its allocator")
def test_a_leak_would_show() -> None:
    """The measurement itself, with a leaked reference, a block of Python's and one of C's."""
    kept: list[object] = []
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p

    def leak(x: object) -> None:
        kept.append(x)
        kept.append(bytes(40 + len(kept) % 100))
        kept.append(libc.malloc(64))

    case: Call = (0, leak, (SAMPLES,), {}, None)
    before = held(case)
    call(case, "", 1000)
    after = held(case)
    for pointer in kept[2::3]:
        libc.free(ctypes.c_void_p(pointer))  # type: ignore[arg-type]
    for what in ("references to argument 0", "blocks of Python's allocator", "bytes of malloc"):
        assert after[what] - before[what] >= 1000


def test_errors_and_results_are_freed_with_the_last_reference(path: str) -> None:
    """No cycle keeps anything alive until the garbage collector runs."""
    with uncollected():
        gc.collect()
        before = len(gc.get_objects())
        for _ in range(50):
            auralis_fp.analyze(path)
            with suppress(AnalysisError):
                auralis_fp.analyze_bytes(JUNK)
        assert len(gc.get_objects()) - before < 50


def test_memory_of_the_process_is_flat(path: str) -> None:
    """Resident memory, which shows even what no counter does."""
    page = os.sysconf("SC_PAGE_SIZE")

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * page

    for name in ("file", "samples", "junk"):
        call(CASES[name], path, 100)
    before = resident()
    for name in ("file", "samples", "junk"):
        call(CASES[name], path, 500)
    assert resident() - before < 1500 << 10  # 1 kB a call
