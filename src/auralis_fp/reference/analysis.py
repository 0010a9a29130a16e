"""Analysis of a file or an array by the definition, with the errors of :mod:`auralis_fp.analysis`."""

from __future__ import annotations

import operator
import os
import time
from typing import TYPE_CHECKING

import numpy as np

from auralis_fp._types import AnyPath
from auralis_fp.cancel import CancelToken
from auralis_fp.errors import Cancelled, CorruptAudio, InvalidSamples, NoAudio, Timeout, Unsupported
from auralis_fp.fingerprint import Fingerprint
from auralis_fp.metadata import Metadata
from auralis_fp.reference.decoding import decode
from auralis_fp.reference.definition import DEFAULT_LAYOUTS, LARGEST_SAMPLE, Array, Check, Layout, measure
from auralis_fp.reference.metadata import metadata_of
from auralis_fp.schema import NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["analyze", "analyze_samples"]


def analyze(path: AnyPath, *, timeout: float | None = None, cancel: CancelToken | None = None) -> Fingerprint:
    """Measure a file, decoded by the ``ffmpeg`` command line, or by soundfile where that is missing.

    The same as :func:`auralis_fp.analyze`, but ``timeout`` and ``cancel`` are checked only between steps.
    """
    name = os.fsdecode(path)
    check = _checkpoint(timeout, cancel, name)
    check()
    x, layout, metadata = decode(name)
    if len(x) == 0:
        raise NoAudio("the file holds no samples", stage="decode", path=name)
    if x.shape[1] not in DEFAULT_LAYOUTS or not 2000 <= metadata.sample_rate <= 768_000:
        cause = f"{x.shape[1]} channels at {metadata.sample_rate} Hz; 1 to 8 at 2000 to 768000 are supported"
        raise Unsupported(cause, stage="decode", path=name)
    if not (np.abs(x) <= LARGEST_SAMPLE).all():
        raise CorruptAudio("a sample is not finite or beyond 1e6", stage="decode", path=name)
    layout = layout if len(layout) == x.shape[1] else DEFAULT_LAYOUTS[x.shape[1]]
    return _fingerprint(x, metadata.sample_rate, layout, metadata, check)


def analyze_samples(
    samples: NDArray[np.float32] | NDArray[np.float64] | NDArray[np.int16],
    sample_rate: int,
    *,
    metadata: Metadata | None = None,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> Fingerprint:
    """Measure float32, float64 (full scale ±1) or int16 samples of shape (n,) or (n, 1 to 8 channels).

    The same as :func:`auralis_fp.analyze_samples`; channels are in FFmpeg's default order for their
    number. ``metadata`` replaces the metadata that the samples themselves give.
    """
    x, sr = np.asarray(samples), operator.index(sample_rate)
    if x.dtype not in (np.float32, np.float64, np.int16):
        raise InvalidSamples(f"samples must be float32, float64 or int16, not {x.dtype}", stage="arguments")
    if x.ndim not in (1, 2) or (x.ndim == 2 and x.shape[1] not in DEFAULT_LAYOUTS):
        raise InvalidSamples(f"shape {x.shape} is not (n,) or (n, 1 to 8)", stage="arguments")
    if not 2000 <= sr <= 768_000:
        raise InvalidSamples(f"sample rate {sr} is not in 2000 to 768000 Hz", stage="arguments")
    if len(x) == 0:
        raise NoAudio("there are no samples", stage="arguments")
    x = _float32(x.reshape(len(x), -1))
    if not (np.abs(x) <= LARGEST_SAMPLE).all():
        raise InvalidSamples("a sample is not finite or beyond 1e6", stage="analyze")
    metadata = metadata or metadata_of(x, sr, "samples", "samples", 0)
    return _fingerprint(
        x, sr, DEFAULT_LAYOUTS[x.shape[1]], metadata, _checkpoint(timeout, cancel, "<samples>")
    )


def _fingerprint(x: Array, sr: int, layout: Layout, metadata: Metadata, check: Check) -> Fingerprint:
    """Return the fingerprint of samples of shape (n, channels)."""
    values = measure(x, sr, layout, check)
    return Fingerprint([values[name] for name in NAMES], metadata)


def _checkpoint(timeout: float | None, cancel: CancelToken | None, path: str) -> Check:
    deadline = float("inf") if timeout is None else time.monotonic() + timeout

    def check() -> None:
        if cancel is not None and cancel.cancelled:
            raise Cancelled("cancelled by the caller", path=path)
        if time.monotonic() >= deadline:
            raise Timeout(f"took longer than {timeout} s", path=path)

    return check


def _float32(x: Array) -> Array:
    return (
        x.astype(np.float32) / np.float32(32768) if x.dtype == np.int16 else x.astype(np.float32, copy=False)
    )
