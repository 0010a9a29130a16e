"""Analysis of one recording: a file, bytes or an array in, a fingerprint out."""

from __future__ import annotations

import functools
import importlib
import operator
import os
import tempfile
import threading
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

import auralis_fp.errors as errors
from auralis_fp._native import core, import_error
from auralis_fp._types import AnyPath
from auralis_fp.cancel import CancelToken
from auralis_fp.errors import FileNotFound, InvalidSamples, NoAudio
from auralis_fp.fingerprint import Fingerprint
from auralis_fp.metadata import Metadata

__all__ = ["CancelToken", "analyze", "analyze_bytes", "analyze_many", "analyze_samples"]  # noqa: F822


def analyze(path: AnyPath, *, timeout: float | None = None, cancel: CancelToken | None = None) -> Fingerprint:
    """Decode a music file and measure its 25 dimensions, with the GIL released.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        A regular file in one of the known formats; the name's extension does not matter.
    timeout : float, optional
        Seconds after which :class:`auralis_fp.Timeout` is raised.
    cancel : CancelToken, optional
        Lets another thread stop this call, which then raises :class:`auralis_fp.Cancelled`.

    Returns
    -------
    Fingerprint

    Raises
    ------
    AnalysisError
        ``FileNotFound``, ``Unreadable``, ``Unsupported``, ``NoAudio``, ``CorruptAudio``, ``Timeout``,
        ``Cancelled`` or ``ResourceLimit``, each with path, stage and cause.

    Notes
    -----
    It may be called from any number of threads. Ctrl-C stops a call on the main thread.
    """
    if core is None:
        fingerprint: Fingerprint = _reference().analyze(path, timeout=timeout, cancel=cancel)
        return fingerprint
    name = os.fsencode(path)
    if b"\0" in name:  # the system would take what precedes it for the name
        raise FileNotFound("a NUL byte in the name", stage="open", path=os.fsdecode(name))
    return _call("analyze_file", name, path=os.fsdecode(name), timeout=timeout, cancel=cancel)


def analyze_bytes(
    data: bytes | bytearray | memoryview,
    *,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> Fingerprint:
    """Measure a music file that is held in memory.

    Parameters
    ----------
    data : bytes-like
        The whole file: bytes, bytearray, memoryview, mmap, array or anything else with a contiguous buffer.
        It is held, not copied, until the call returns: resizing or closing it meanwhile raises
        ``BufferError``. If other threads write into it meanwhile, the result is as for a damaged file.
        (Do not truncate a file that is mapped: the system ends a process that reads beyond its end.)
    timeout, cancel
        As for :func:`analyze`.

    Returns
    -------
    Fingerprint

    Raises
    ------
    TypeError, BufferError, ValueError
        For data that is not bytes-like, not contiguous or closed; which one depends on its type.
    AnalysisError
        As from :func:`analyze`; its path is ``"<bytes>"``.
    """
    if core is None:
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            return analyze(file.name, timeout=timeout, cancel=cancel)
    return _call("analyze_bytes", data, path="<bytes>", timeout=timeout, cancel=cancel)


def analyze_samples(
    samples: NDArray[np.float32] | NDArray[np.float64] | NDArray[np.int16],
    sample_rate: int,
    *,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> Fingerprint:
    """Measure decoded samples.

    Parameters
    ----------
    samples : ndarray, shape (n,) or (n, channels)
        float32 or float64 at nominal full scale ±1, or int16, in this machine's byte order; float64 is
        rounded to float32, and no other type is converted. One to eight channels in FFmpeg's default
        order for that number (5.1 is L, R, C, LFE, Ls, Rs). The array is held until the call returns and
        read block by block, in any memory layout: it is never copied as a whole, and may be a view,
        read-only, or mapped from a file of any size. ``resize`` meanwhile raises ``ValueError``. If other
        threads write into it meanwhile, a mixture of old and new samples is measured.
    sample_rate : int
        2000 to 768 000 Hz, as an integer of Python or NumPy.
    timeout, cancel
        As for :func:`analyze`.

    Returns
    -------
    Fingerprint

    Raises
    ------
    TypeError
        For a rate that is not an integer.
    InvalidSamples
        For another type, shape or rate, for masked samples, and for a sample that is not finite or
        beyond ±1e6: the error names the first one, as ``sample 17 of channel 1``, counted from 0.
    NoAudio
        For an empty array.
    Timeout, Cancelled, ResourceLimit
        As from :func:`analyze`.
    """
    checked, rate = _checked_samples(samples, sample_rate)
    if core is None:
        fingerprint: Fingerprint = _reference().analyze_samples(checked, rate, timeout=timeout, cancel=cancel)
        return fingerprint
    return _call(
        "analyze_samples", checked, rate, path="<samples>", timeout=timeout, cancel=cancel,
        block_frames=core.BLOCK_FRAMES,
    )  # fmt: skip


def _call(
    function: str, *args: Any, path: str, timeout: float | None, cancel: CancelToken | None, **options: Any
) -> Fingerprint:
    if timeout is not None and not timeout >= 0:
        raise ValueError(f"timeout must not be negative: {timeout}")
    if not isinstance(cancel, CancelToken | None):
        raise TypeError(f"cancel must be a CancelToken, not {type(cancel).__name__}")
    outcome = getattr(core, function)(
        *args,
        timeout=None if timeout is None else float(timeout),
        cancel=None if cancel is None else cancel._native,
        check_signals=threading.get_ident() == threading.main_thread().ident,
        **options,
    )
    if len(outcome) == 3:
        kind, stage, cause = outcome
        raise getattr(errors, kind)(cause, stage=stage, path=path)
    values, metadata = outcome
    return Fingerprint(values, Metadata(**metadata))


def _checked_samples(samples: Any, sample_rate: int) -> tuple[NDArray[Any], int]:
    """Return samples as an array of shape (n, channels), without a copy, and the rate as an int."""

    def refuse(cause: str) -> InvalidSamples:
        return InvalidSamples(cause, stage="arguments")

    if np.ma.is_masked(samples):  # masked values must be neither measured nor made up
        raise refuse("samples are masked; fill the masked array first")
    array = np.asarray(samples)
    if array.dtype not in (np.float32, np.float64, np.int16):
        raise refuse(f"samples must be float32, float64 or int16, not {array.dtype}")
    if array.ndim not in (1, 2):
        raise refuse(f"samples must have shape (n,) or (n, channels), not {array.shape}")
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if not 1 <= array.shape[1] <= 8:
        hint = "; pass the transposed array, samples.T" if 1 <= array.shape[0] <= 8 else ""
        raise refuse(f"{array.shape[1]} channels; 1 to 8 are supported, as the second axis{hint}")
    if isinstance(sample_rate, np.bool_):  # an index with a warning, in some versions of NumPy
        raise TypeError("the sample rate must be an integer, not a NumPy bool")
    rate = operator.index(sample_rate)
    if not 2000 <= rate <= 768_000:
        raise refuse(f"sample rate {rate} Hz is outside 2000 to 768000 Hz")
    if len(array) == 0:
        raise NoAudio("no samples", stage="arguments")
    return array, rate


@functools.cache  # so that the warning comes once
def _reference() -> Any:
    """Import the reference analyzer, which takes over where the compiled core cannot be imported."""
    try:
        for package in ("librosa", "pyloudnorm", "scipy", "soxr"):
            importlib.import_module(package)
        from auralis_fp.reference import analysis as reference
    except ImportError as missing:
        raise ImportError(
            f"auralis_fp's compiled core cannot be imported ({import_error}), "
            f"and neither can the reference analyzer (pip install 'auralis-fp[reference]'): {missing}"
        ) from import_error
    warnings.warn(
        f"auralis_fp's compiled core cannot be imported ({import_error}); "
        "the reference analyzer takes over, which is many times slower",
        RuntimeWarning,
        stacklevel=3,
    )
    return reference


def __getattr__(name: str) -> Any:
    if name == "analyze_many":  # it is in auralis_fp.batch now; callers may still import it from here
        from auralis_fp.batch import analyze_many

        return analyze_many
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
