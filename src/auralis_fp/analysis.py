"""The public functions: a file, bytes, an array, or many files in; fingerprints out."""

from __future__ import annotations

import functools
import importlib
import operator
import os
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from auralis_fp import _native as _core
from auralis_fp import errors
from auralis_fp.errors import AnalysisError, InvalidSamples
from auralis_fp.fingerprint import Fingerprint, Metadata

__all__ = ["CancelToken", "analyze", "analyze_bytes", "analyze_many", "analyze_samples"]

Path: TypeAlias = "str | bytes | os.PathLike[str] | os.PathLike[bytes]"


class CancelToken:
    """Cancels analyses from another thread.

    One token may serve any number of analyses; once cancelled it stays cancelled, and every analysis
    that holds it raises :class:`auralis_fp.Cancelled` within 100 ms of work.
    """

    __slots__ = ("_event", "_native")

    def __init__(self) -> None:
        self._native: Any = _core.core.CancelToken() if _core.core else None
        self._event = threading.Event()

    def cancel(self) -> None:
        """Stop every analysis that holds this token."""
        self._event.set()
        if self._native is not None:
            self._native.cancel()

    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called."""
        return self._event.is_set()


def analyze(path: Path, *, timeout: float | None = None, cancel: CancelToken | None = None) -> Fingerprint:
    """Decode a music file and measure its 25 dimensions, with the GIL released.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        A regular file in any format FFmpeg decodes; the name's extension does not matter.
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
    Safe from any number of threads. Ctrl-C on the main thread stops the call.
    """
    if _core.core is None:
        fingerprint: Fingerprint = _reference().analyze(path, timeout=timeout, cancel=cancel)
        return fingerprint
    name = os.fsencode(path)
    if b"\0" in name:  # the system would take what stands before it for the name
        raise errors.FileNotFound("a NUL byte in the name", stage="open", path=os.fsdecode(name))
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
        The whole file: bytes, bytearray, memoryview, mmap, array and all else with a contiguous buffer.
        It is held, not copied, until the call returns: to resize or close it meanwhile raises
        ``BufferError``. What other threads write into it meanwhile is measured or not, like any damage
        to a file. (Who maps a file must not truncate it: the system ends a process that reads there.)
    timeout, cancel
        As for :func:`analyze`.

    Returns
    -------
    Fingerprint

    Raises
    ------
    TypeError, BufferError, ValueError
        For what is not bytes-like, not contiguous or closed, as its type has it.
    AnalysisError
        As :func:`analyze`; its path is ``"<bytes>"``.
    """
    if _core.core is None:
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            return analyze(file.name, timeout=timeout, cancel=cancel)
    return _call("analyze_bytes", data, path="<bytes>", timeout=timeout, cancel=cancel)


def analyze_samples(
    samples: NDArray[np.float32] | NDArray[np.int16],
    sample_rate: int,
    *,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
) -> Fingerprint:
    """Measure decoded samples.

    Parameters
    ----------
    samples : ndarray, shape (n,) or (n, channels)
        float32 at nominal full scale ±1, or int16, in this machine's byte order; no other type is
        converted. One to eight channels in FFmpeg's default order for that number (5.1 is L, R, C, LFE,
        Ls, Rs). The array is held until the call returns and read block by block, in any memory layout:
        it is never copied as a whole, and may be a view, read-only, or mapped from a file of any size.
        ``resize`` meanwhile raises ``ValueError``. What other threads write into it meanwhile is
        measured or not; the result is then that of some mixture.
    sample_rate : int
        2000 to 768 000 Hz; NumPy's integers are fine.
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
        For no samples at all.
    Timeout, Cancelled, ResourceLimit
        As :func:`analyze`.
    """
    checked, rate = _checked_samples(samples, sample_rate)
    if _core.core is None:
        fingerprint: Fingerprint = _reference().analyze_samples(checked, rate, timeout=timeout, cancel=cancel)
        return fingerprint
    return _call(
        "analyze_samples", checked, rate, path="<samples>", timeout=timeout, cancel=cancel,
        block_frames=_core.core.BLOCK_FRAMES,
    )  # fmt: skip


def analyze_many(
    paths: Iterable[Path],
    *,
    workers: int | None = None,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
    isolate: bool = False,
) -> Iterator[tuple[Path, Fingerprint | AnalysisError]]:
    """Measure many files side by side; one bad file does not disturb the others.

    Parameters
    ----------
    paths : iterable of path-like
        Taken one by one as workers become free, so it may be endless.
    workers : int, optional
        Threads, or processes with ``isolate``; the number of processors by default.
    timeout : float, optional
        Seconds for each file.
    cancel : CancelToken, optional
        Stops everything; files not begun are then reported as cancelled.
    isolate : bool
        Analyse in other processes, so that a file that kills its process does not take this one along:
        it is reported as :class:`auralis_fp.Crashed` when a second process has not survived it either.
        See :class:`auralis_fp.isolation.IsolatedAnalyzer`.

    Yields
    ------
    (path, Fingerprint or AnalysisError)
        In the order in which files are finished.
    """
    count = workers if workers is not None else os.cpu_count() or 1
    if count < 1:
        raise ValueError(f"workers must be at least 1, not {workers}")
    if isolate:
        return _analyze_isolated(paths, count, timeout, cancel)
    return _analyze_many(analyze, paths, count, timeout, cancel)


def _analyze_isolated(
    paths: Iterable[Path], processes: int, timeout: float | None, cancel: CancelToken | None
) -> Iterator[tuple[Path, Fingerprint | AnalysisError]]:
    from auralis_fp.isolation import MEMORY_LIMIT, IsolatedAnalyzer

    memory_limit = MEMORY_LIMIT if _core.core is not None else None  # the reference holds all samples
    with IsolatedAnalyzer(analyze, processes=processes, memory_limit=memory_limit) as isolated:
        yield from _analyze_many(isolated, paths, processes, timeout, cancel)


def _analyze_many(
    analyze_one: Callable[..., Fingerprint],
    paths: Iterable[Path],
    workers: int,
    timeout: float | None,
    cancel: CancelToken | None,
) -> Iterator[tuple[Path, Fingerprint | AnalysisError]]:
    token = cancel or CancelToken()

    def work(path: Path) -> tuple[Path, Fingerprint | AnalysisError]:
        try:
            return path, analyze_one(path, timeout=timeout, cancel=token)
        except AnalysisError as error:
            return path, error

    pending: set[Future[tuple[Path, Fingerprint | AnalysisError]]] = set()
    with ThreadPoolExecutor(workers, thread_name_prefix="auralis-fp") as pool:
        try:
            for path in paths:
                pending.add(pool.submit(work, path))
                # One file waiting per worker keeps them busy; more would only use memory.
                if len(pending) >= 2 * workers:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield future.result()
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        except BaseException:  # the caller stopped iterating, or Ctrl-C: do not finish the rest first
            if cancel is None:
                token.cancel()
            for future in pending:
                future.cancel()
            raise


def _call(
    function: str, *args: Any, path: str, timeout: float | None, cancel: CancelToken | None, **options: Any
) -> Fingerprint:
    if timeout is not None and not timeout >= 0:
        raise ValueError(f"timeout must not be negative: {timeout}")
    if not isinstance(cancel, CancelToken | None):
        raise TypeError(f"cancel must be a CancelToken, not {type(cancel).__name__}")
    outcome = getattr(_core.core, function)(
        *args,
        timeout=None if timeout is None else float(timeout),
        cancel=None if cancel is None else cancel._native,
        check_signals=threading.get_ident() == threading.main_thread().ident,
        **options,
    )
    if len(outcome) == 3:
        kind, stage, cause = outcome
        raise getattr(errors, kind)(cause, stage=stage, path=path)
    values, facts = outcome
    return Fingerprint(values, Metadata(**facts))


def _checked_samples(samples: Any, sample_rate: int) -> tuple[NDArray[Any], int]:
    """Give samples as an array of shape (n, channels), without a copy, and the rate as an int."""

    def refuse(cause: str) -> InvalidSamples:
        return InvalidSamples(cause, stage="arguments")

    if np.ma.is_masked(samples):  # what is behind a mask must not be measured, nor made up
        raise refuse("samples are masked; fill the masked array first")
    array = np.asarray(samples)
    if array.dtype not in (np.float32, np.int16):
        raise refuse(f"samples must be float32 or int16, not {array.dtype}")
    if array.ndim not in (1, 2):
        raise refuse(f"samples must have shape (n,) or (n, channels), not {array.shape}")
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if not 1 <= array.shape[1] <= 8:
        raise refuse(f"{array.shape[1]} channels; 1 to 8 are supported, as the second axis")
    rate = operator.index(sample_rate)
    if not 2000 <= rate <= 768_000:
        raise refuse(f"sample rate {rate} Hz is outside 2000 to 768000 Hz")
    if len(array) == 0:
        raise errors.NoAudio("no samples", stage="arguments")
    return array, rate


@functools.cache  # so that the warning comes once
def _reference() -> Any:
    """Import the reference analyzer, which takes over where the compiled core cannot be imported."""
    try:
        for package in ("librosa", "pyloudnorm", "scipy", "soxr"):
            importlib.import_module(package)
        reference = importlib.import_module("auralis_fp.reference")
    except ImportError as missing:
        raise ImportError(
            f"auralis_fp's compiled core cannot be imported ({_core.import_error}), "
            f"and neither can the reference analyzer (pip install 'auralis-fp[reference]'): {missing}"
        ) from _core.import_error
    warnings.warn(
        f"auralis_fp's compiled core cannot be imported ({_core.import_error}); "
        "the reference analyzer takes over, which is many times slower",
        RuntimeWarning,
        stacklevel=3,
    )
    return reference
