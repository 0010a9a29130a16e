"""Memory shared with the caller: buffers of every kind, held while they are in use."""

from __future__ import annotations

import array
import ctypes
import io
import mmap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import synth
from support.encode import EncodedFiles

import auralis_fp
from auralis_fp import (
    AnalysisError,
    Cancelled,
    CancelToken,
    CorruptAudio,
    Fingerprint,
    InvalidSamples,
    NoAudio,
    Unsupported,
)

Entry = Callable[..., Fingerprint]
DAMAGED = Unsupported | CorruptAudio | NoAudio


# --- kinds of buffers --------------------------------------------------------------------------------


def mapped(data: bytes) -> mmap.mmap:
    memory = mmap.mmap(-1, len(data))
    memory[:] = data
    return memory


def in_two_dimensions(data: bytes) -> memoryview:
    return memoryview(data).cast("B", (2, len(data) // 2))


BUFFERS: dict[str, Callable[[bytes], Any]] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "memoryview of two dimensions": in_two_dimensions,
    "memoryview of another type": lambda data: memoryview(data).cast("h"),
    "mmap": mapped,
    "array.array": lambda data: array.array("h", data),
    "BytesIO": lambda data: io.BytesIO(data).getbuffer(),
    "ctypes": lambda data: (ctypes.c_ubyte * len(data)).from_buffer_copy(data),
    "ctypes, two bytes": lambda data: (ctypes.c_short * (len(data) // 2)).from_buffer_copy(data),
    "big-endian array": lambda data: np.frombuffer(data, ">i2"),
    "records": lambda data: np.frombuffer(data, [("left", "i1"), ("right", "i1")]),
    "uint8 array": lambda data: np.frombuffer(data, np.uint8),
    "int16 array": lambda data: np.frombuffer(data, np.int16),
    "subclass of bytes": type("Mine", (bytes,), {}),
}


@pytest.mark.parametrize("kind", BUFFERS)
def test_every_kind_of_buffer(kind: str, wav: Path) -> None:
    data = wav.read_bytes()
    assert len(data) % 2 == 0
    assert auralis_fp.analyze_bytes(BUFFERS[kind](data)) == auralis_fp.analyze(wav)


@pytest.mark.parametrize(
    "empty", [b"", bytearray(), memoryview(b""), array.array("d"), np.zeros(0, np.uint8)]
)
def test_empty_buffers(empty: Any) -> None:
    with pytest.raises(Unsupported) as caught:
        auralis_fp.analyze_bytes(empty)
    assert (caught.value.path, caught.value.stage) == ("<bytes>", "probe")


@pytest.mark.parametrize(
    "data",
    [
        *("text", None, 3, 1.5, [1, 2], {1}, object(), io.BytesIO(b"RIFF"), Path("x.wav"), iter(b"RIFF")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_buffer(data: Any) -> None:
    with pytest.raises(TypeError):
        auralis_fp.analyze_bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        memoryview(b"R.I.F.F.")[::2],
        memoryview(b"FFIR")[::-1],
        np.zeros((4, 4), np.uint8, order="F"),
        np.zeros((4, 4), np.uint8)[:, :2],
    ],
)
def test_what_is_not_contiguous(data: Any) -> None:
    with pytest.raises((BufferError, ValueError), match="contiguous"):
        auralis_fp.analyze_bytes(data)


def test_buffers_that_are_closed() -> None:
    memory, view = mapped(b"RIFF"), memoryview(b"RIFF")
    memory.close()
    view.release()
    for closed in (memory, view):
        with pytest.raises(ValueError, match=r"closed|released"):
            auralis_fp.analyze_bytes(closed)  # type: ignore[arg-type]


# --- others change the memory meanwhile --------------------------------------------------------------


@contextmanager
def inside(entry: Entry, *arguments: object) -> Iterator[None]:
    """While another thread is in the middle of an analysis, which is cancelled in the end."""
    token, cancelled = CancelToken(), threading.Event()

    def work() -> None:
        try:
            entry(*arguments, cancel=token)
        except Cancelled:
            cancelled.set()

    thread = threading.Thread(target=work)
    thread.start()
    assert thread.ident is not None
    clock = time.pthread_getcpuclockid(thread.ident)
    while time.clock_gettime(clock) < 0.05:
        time.sleep(0.001)
    try:
        yield
    finally:
        token.cancel()
        thread.join()
    assert cancelled.is_set()


def minutes_of(long_wav: Path) -> bytes:
    with long_wav.open("rb") as file:
        return file.read(1 << 27)


def test_a_bytearray_cannot_be_resized(long_wav: Path) -> None:
    data = bytearray(minutes_of(long_wav))
    with inside(auralis_fp.analyze_bytes, data):
        for resize in (data.clear, data.pop, lambda: data.append(0), lambda: data.extend(b"x")):
            with pytest.raises(BufferError):
                resize()
    data.clear()


def test_an_array_array_cannot_be_resized(long_wav: Path) -> None:
    data = array.array("B", minutes_of(long_wav))
    with inside(auralis_fp.analyze_bytes, data), pytest.raises(BufferError):
        data.append(1)
    data.append(1)


def test_a_mapped_file_cannot_be_closed(long_wav: Path) -> None:
    with long_wav.open("rb") as file:
        memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with inside(auralis_fp.analyze_bytes, memory), pytest.raises(BufferError):
        memory.close()
    memory.close()


def test_a_view_cannot_be_released_but_forgotten(long_wav: Path) -> None:
    views = [memoryview(bytearray(minutes_of(long_wav)))]
    with inside(auralis_fp.analyze_bytes, views[0]):
        with pytest.raises(BufferError):
            views[0].release()
        views.clear()


@pytest.mark.parametrize(("shape", "dtype"), [((1 << 25, 2), np.float32), (1 << 26, np.int16)])
def test_an_array_cannot_be_resized(shape: Any, dtype: Any) -> None:
    samples = np.zeros(shape, dtype)
    with inside(auralis_fp.analyze_samples, samples, 44100), pytest.raises(ValueError, match="resize"):
        samples.resize((10, 2))
    assert samples.size == 1 << 26


def test_an_error_that_is_kept_holds_no_buffer() -> None:
    data = bytearray(b"RIFF")
    with pytest.raises(Unsupported) as caught:
        auralis_fp.analyze_bytes(data)
    data.clear()  # though the error, with its traceback, is still there
    assert caught.value.__traceback__ is not None


@contextmanager
def meanwhile(change: Callable[[], object]) -> Iterator[None]:
    """While another thread makes a change, again and again."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            change()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def refusal(entry: Entry, *arguments: object) -> AnalysisError | None:
    """Return the error of an analysis; None where it returned finite numbers."""
    try:
        fp = entry(*arguments)
    except AnalysisError as error:
        return error
    assert np.isfinite(fp.vector).all()
    return None


@pytest.mark.parametrize(
    "kind", ["wav-f32", "wav-s16", "flac-16", "mp3-vbr-4", "vorbis", "aac-m4a", "opus", "wavpack"]
)
def test_bytes_that_change_meanwhile(kind: str, encoded: EncodedFiles) -> None:
    """Whatever was read, the outcome is an error or finite numbers."""
    original = encoded.file(kind).read_bytes()
    data, rng = bytearray(original), np.random.default_rng(5)

    def scribble() -> None:
        whole = np.frombuffer(data, np.uint8)
        at = int(rng.integers(len(data)))
        whole[at : at + 1000] = rng.integers(256, size=len(whole[at : at + 1000]), dtype=np.uint8)
        whole[:4096] = np.frombuffer(original, np.uint8)[:4096]

    with meanwhile(scribble):
        found = [refusal(auralis_fp.analyze_bytes, data) for _ in range(10)]
    assert all(isinstance(error, DAMAGED | None) for error in found)


def test_a_file_that_changes_meanwhile(encoded: EncodedFiles, tmp_path: Path) -> None:
    """A file is overwritten, truncated, extended and replaced, in place."""
    contents = [encoded.file(name).read_bytes() for name in ("wav-s16", "flac-16", "mp3-vbr-4", "vorbis")]
    path, rng = tmp_path / "x", np.random.default_rng(6)
    path.write_bytes(contents[0])

    def rewrite() -> None:
        with path.open("r+b") as file:
            file.write(contents[rng.integers(len(contents))])
            file.truncate(int(rng.integers(2_000_000)))

    with meanwhile(rewrite):
        found = [refusal(auralis_fp.analyze, path) for _ in range(60)]
    assert all(isinstance(error, DAMAGED | None) for error in found)


def test_samples_that_change_meanwhile() -> None:
    """Every block is checked after it was read, so that no NaN can pass."""
    samples = synth.song("rock", 20)

    def scribble() -> None:
        samples[:] = np.nan
        samples[:] = 0.5

    with meanwhile(scribble):
        found = [refusal(auralis_fp.analyze_samples, samples, 44100) for _ in range(30)]
    assert any(found)
    assert all(isinstance(error, InvalidSamples | None) for error in found)
