"""Arrays of samples: any layout in memory, two types, and a clear error for everything else."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray
from support import synth
from support.tolerances import assert_identical

import auralis_fp
from auralis_fp import InvalidSamples, NoAudio, Timeout

RATE = 8000
SONG = synth.song("rock", 3, RATE)
Array = NDArray[Any]


def refusal(samples: object, rate: object = RATE) -> InvalidSamples:
    with pytest.raises(InvalidSamples) as caught:
        auralis_fp.analyze_samples(samples, rate)  # type: ignore[arg-type]
    error = caught.value
    assert isinstance(error, ValueError)
    assert error.path == "<samples>"
    assert str(error) == f"<samples>: {error.stage}: {error.cause}"
    return error


# --- layouts -----------------------------------------------------------------------------------------


def every_other(x: Array) -> Array:
    wide = np.full((2 * len(x), 3 * x.shape[1]), 99, x.dtype)
    wide[::2, 1::3] = x
    return np.asarray(wide[::2, 1::3])


def backwards(x: Array) -> Array:
    return np.asarray(x[::-1, ::-1].copy()[::-1, ::-1])


def unaligned(x: Array) -> Array:
    raw = np.zeros(x.nbytes + 1, np.uint8)
    moved = raw[1:].view(x.dtype).reshape(x.shape)
    moved[:] = x
    assert not moved.flags.aligned
    return np.asarray(moved)


def field_of_records(x: Array) -> Array:
    records = np.zeros(x.shape, np.dtype([("flag", "u1"), ("value", x.dtype)]))
    records["value"] = x
    return np.asarray(records["value"])


def read_only(x: Array) -> Array:
    copy = x.copy()
    copy.setflags(write=False)
    return np.asarray(copy)


def mapped(x: Array, folder: Path) -> Array:
    path = folder / "samples.npy"
    np.save(path, x)
    return np.asanyarray(np.load(path, mmap_mode="r"))


class Subclass(np.ndarray[Any, Any]):
    """An array that claims to be something else."""

    def __getattribute__(self, name: str) -> Any:
        lies = {"dtype": np.dtype(np.complex128), "shape": (1 << 40, 8), "strides": (1 << 20, 8), "ndim": 7}
        return lies.get(name) or super().__getattribute__(name)


class ArrayLike:
    """Not an array, but converts to one."""

    def __init__(self, array: Array) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self.array


LAYOUTS: dict[str, Callable[[Array], Any]] = {
    "C order": np.ascontiguousarray,
    "Fortran order": np.asfortranarray,
    "every other of a wider array": every_other,
    "negative strides": backwards,
    "unaligned": unaligned,
    "field of records": field_of_records,
    "read-only": read_only,
    "subclass": lambda x: x.copy().view(Subclass),
    "array-like": ArrayLike,
    "masked, nothing behind the mask": np.ma.masked_array,
    "memoryview": lambda x: np.ascontiguousarray(x).data,
    "little-endian": lambda x: x.astype(x.dtype.newbyteorder("<")),
}


def str_of_type(samples: Array) -> str:
    return str(samples.dtype)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("samples", [SONG, SONG.astype(np.float64), synth.to_int16(SONG)], ids=str_of_type)
def test_layout_does_not_matter(layout: str, samples: Array) -> None:
    for x in (samples, samples[:, :1], synth.surround("rock", 1, 6, RATE).astype(samples.dtype)):
        given = LAYOUTS[layout](x)
        expected = auralis_fp.analyze_samples(x, RATE)
        assert_identical(auralis_fp.analyze_samples(given, RATE), expected)
        if isinstance(given, np.ndarray) and x.shape[1] == 1:
            flat = np.asarray(given)[:, 0]
            assert_identical(auralis_fp.analyze_samples(flat, RATE), expected)


def test_float64_is_rounded_to_float32() -> None:
    exact = SONG.astype(np.float64) * (1 + 1e-12)
    assert_identical(auralis_fp.analyze_samples(exact, RATE), auralis_fp.analyze_samples(SONG, RATE))
    with pytest.raises(InvalidSamples, match="sample 1 of channel 0"):
        auralis_fp.analyze_samples(np.array([0, 1e300]), RATE)  # too large for float32


def test_channels_first_are_told_to_transpose() -> None:
    with pytest.raises(InvalidSamples, match=r"samples\.T"):
        auralis_fp.analyze_samples(SONG.T, RATE)


def test_a_file_mapped_into_memory(tmp_path: Path) -> None:
    expected = auralis_fp.analyze_samples(SONG, RATE)
    assert_identical(auralis_fp.analyze_samples(mapped(SONG, tmp_path), RATE), expected)


def test_one_sample_repeated_by_a_stride_of_zero() -> None:
    constant = np.broadcast_to(np.float32(0.25), (20_000, 2))
    expected = auralis_fp.analyze_samples(np.full((20_000, 2), 0.25, np.float32), RATE)
    assert_identical(auralis_fp.analyze_samples(constant, RATE), expected)


@pytest.mark.parametrize("samples", [SONG, np.asfortranarray(SONG), SONG[::-1], SONG[:, 0]])
def test_samples_are_not_copied(samples: Array) -> None:
    tracemalloc.start()
    try:
        auralis_fp.analyze_samples(samples, RATE)
        _, peak = tracemalloc.get_traced_memory()  # NumPy passes it on to its arrays
    finally:
        tracemalloc.stop()
    assert peak < samples.nbytes / 2


@pytest.mark.parametrize(
    "samples",
    [
        np.broadcast_to(np.float32(0.5), (1 << 40, 2)),  # 8 TB that are one sample
        np.broadcast_to(np.zeros((1, 8), np.int16), (1 << 57, 8)),
        as_strided(np.zeros(16, np.float32), (1 << 60,), (0,)),  # nearly all that an array can count
    ],
    ids=lambda array: str(array.shape),
)
def test_terabytes(samples: Array) -> None:
    """Are streamed, as far as time allows."""
    with pytest.raises((Timeout, auralis_fp.ResourceLimit)):
        auralis_fp.analyze_samples(samples, 44100, timeout=0.2)


# --- what is refused ---------------------------------------------------------------------------------


class Raises:
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        raise RuntimeError("no array today")


class NoArrayAfterAll:
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return [1, 2, 3]


class LyingInterface:
    def __init__(self, **interface: object) -> None:
        self.__array_interface__ = {"version": 3, "shape": (4,), "typestr": "<f4"} | interface


def of(dtype: Any, shape: tuple[int, ...] = (100,)) -> Array:
    return np.zeros(shape, dtype)


@pytest.mark.parametrize(
    "samples",
    [
        *(of(kind) for kind in ("f2", "i1", "i4", "i8", "u1", "u2", "u4", "?", "c8", "c16", "g")),
        *(of(kind) for kind in (">f4", ">f8", ">i2", "O", "S4", "U4", "M8[s]", "m8[s]", "V4")),
        of([("left", "f4"), ("right", "f4")]),
        np.array([SONG, None], object),
        of("f4", ()),
        of("f4", (10, 10, 2)),
        of("f4", (100, 9)),
        of("f4", (100, 0)),
        of("f4", (0, 9)),
        of("f4", (1,) * 30),
        SONG.T,  # channels first
        [[0, 1], [2, 3]],
        "samples",
        b"samples",
        None,
        3,
        object(),
        {"left": SONG},
        iter(SONG),
    ],
    ids=lambda value: (
        f"{value.dtype}{value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
    ),
)
def test_what_is_no_array_of_samples(samples: object) -> None:
    error = refusal(samples)
    assert error.stage == "arguments"
    assert any(word in error.cause for word in ("float32, float64 or int16", "shape", "channels"))


@pytest.mark.parametrize("mask", [SONG[5, 0] == SONG, np.ones(SONG.shape, bool)])
def test_what_is_behind_a_mask_is_not_measured(mask: Array) -> None:
    error = refusal(np.ma.masked_array(SONG, mask))
    assert error.stage == "arguments"
    assert "masked" in error.cause


@pytest.mark.parametrize(
    "samples",
    [
        Raises(),
        NoArrayAfterAll(),
        LyingInterface(data=(0, False), typestr="<f9"),
        LyingInterface(data="nonsense"),
        LyingInterface(data=None, shape=(-1,)),
        [[1.0], [2.0, 3.0]],
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_made_an_array(samples: object) -> None:
    """NumPy says so, or the object itself."""
    with pytest.raises((TypeError, ValueError, RuntimeError, AttributeError)):
        auralis_fp.analyze_samples(samples, RATE)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(0,), (0, 1), (0, 2), (0, 8)])
@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_no_samples(shape: tuple[int, ...], dtype: Any) -> None:
    with pytest.raises(NoAudio) as caught:
        auralis_fp.analyze_samples(np.zeros(shape, dtype), RATE)
    assert (caught.value.path, caught.value.stage) == ("<samples>", "arguments")


# --- samples that are no numbers ---------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1.1e6, -3e38])
@pytest.mark.parametrize("frame", [0, 1, 4095, 4096, 9999, 19_999])
@pytest.mark.parametrize("channel", [0, 1, 5])
def test_the_first_sample_that_is_no_number_is_named(bad: float, frame: int, channel: int) -> None:
    samples = np.zeros((20_000, 6), np.float32)
    samples[frame, channel] = bad
    if channel < 5:
        samples[frame, channel + 1] = np.nan  # in the same frame, but behind it
    samples[frame + 1 : frame + 200] = np.inf  # behind it, in all channels
    error = refusal(samples)
    assert error.stage == "analyze"
    assert error.cause.startswith(f"sample {frame} of channel {channel} is ")


def test_largest_samples_that_are_fine() -> None:
    samples = np.zeros((20_000, 2), np.float32)
    samples[::2], samples[1::2] = 1e6, -1e6
    assert np.isfinite(auralis_fp.analyze_samples(samples, RATE).vector).all()
    tiny = np.full(20_000, np.finfo(np.float32).smallest_subnormal)
    assert np.isfinite(auralis_fp.analyze_samples(tiny, RATE).vector).all()


# --- rates -------------------------------------------------------------------------------------------


class Index:
    def __index__(self) -> int:
        return RATE


@pytest.mark.parametrize(
    "rate",
    [np.int16(RATE), np.uint16(RATE), np.int64(RATE), np.array(RATE), Index()],
    ids=lambda r: type(r).__name__,
)
def test_integers_of_any_type_are_rates(rate: Any) -> None:
    assert_identical(auralis_fp.analyze_samples(SONG, rate), auralis_fp.analyze_samples(SONG, RATE))


@pytest.mark.parametrize(
    "rate", [True, False, 0, -1, -RATE, 1999, 768_001, 1 << 31, 1 << 32, (1 << 32) + RATE, 1 << 64, 10**400]
)
def test_rates_out_of_range(rate: int) -> None:
    error = refusal(SONG, rate)
    assert error.stage == "arguments"
    assert "outside 2000 to 768000 Hz" in error.cause


@pytest.mark.parametrize(
    "rate",
    [
        44100.0,
        np.float64(44100),
        float("nan"),
        44100 + 0j,
        np.bool_(True),
        "44100",
        b"44100",
        None,
        [44100],
        (),
        SONG,
    ],
    ids=lambda value: type(value).__name__,
)
def test_rates_that_are_no_integers(rate: object) -> None:
    with pytest.raises(TypeError):
        auralis_fp.analyze_samples(SONG, rate)  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", [2000, 768_000])
def test_rates_at_the_limits(rate: int) -> None:
    assert auralis_fp.analyze_samples(SONG, rate).metadata.sample_rate == rate
