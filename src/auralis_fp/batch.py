"""Analysis of many files in parallel."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from auralis_fp._native import core
from auralis_fp._types import AnyPath
from auralis_fp.analysis import analyze
from auralis_fp.cancel import CancelToken
from auralis_fp.errors import AnalysisError
from auralis_fp.fingerprint import Fingerprint

__all__ = ["analyze_many"]


def analyze_many(
    paths: Iterable[AnyPath],
    *,
    workers: int | None = None,
    timeout: float | None = None,
    cancel: CancelToken | None = None,
    isolate: bool = False,
) -> Iterator[tuple[AnyPath, Fingerprint | AnalysisError]]:
    """Measure many files in parallel; a bad file does not affect the others.

    Parameters
    ----------
    paths : iterable of path-like
        Taken one by one as workers become free, so it may be endless.
    workers : int, optional
        Threads, or processes with ``isolate``; the number of processors by default.
    timeout : float, optional
        Seconds for each file.
    cancel : CancelToken, optional
        Stops everything; files not begun are then yielded with :class:`auralis_fp.Cancelled`.
    isolate : bool
        Analyse in worker processes, so that a file that crashes its process does not crash this one. It
        is yielded with :class:`auralis_fp.Crashed` if it crashes a second process as well.
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
    paths: Iterable[AnyPath], processes: int, timeout: float | None, cancel: CancelToken | None
) -> Iterator[tuple[AnyPath, Fingerprint | AnalysisError]]:
    from auralis_fp.isolation import MEMORY_LIMIT, IsolatedAnalyzer

    memory_limit = MEMORY_LIMIT if core is not None else None  # the reference holds all samples
    with IsolatedAnalyzer(analyze, processes=processes, memory_limit=memory_limit) as isolated:
        yield from _analyze_many(isolated, paths, processes, timeout, cancel)


def _analyze_many(
    analyze_one: Callable[..., Fingerprint],
    paths: Iterable[AnyPath],
    workers: int,
    timeout: float | None,
    cancel: CancelToken | None,
) -> Iterator[tuple[AnyPath, Fingerprint | AnalysisError]]:
    token = cancel or CancelToken()

    def work(path: AnyPath) -> tuple[AnyPath, Fingerprint | AnalysisError]:
        try:
            return path, analyze_one(path, timeout=timeout, cancel=token)
        except AnalysisError as error:
            return path, error

    pending: set[Future[tuple[AnyPath, Fingerprint | AnalysisError]]] = set()
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
        except BaseException:  # Ctrl-C, or the caller stopped iterating: leave the other files
            if cancel is None:
                token.cancel()
            for future in pending:
                future.cancel()
            raise
