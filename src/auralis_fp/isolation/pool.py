"""The pool of worker processes, and the second try of a file that has crashed one."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import threading
import time
import weakref
from collections.abc import Iterator
from types import TracebackType
from typing import Final

from auralis_fp._types import Analyze, AnyPath
from auralis_fp.analysis import analyze as compiled
from auralis_fp.cancel import CancelToken
from auralis_fp.errors import Crashed, ResourceLimit
from auralis_fp.fingerprint import Fingerprint
from auralis_fp.isolation.process import TICK_S, Died, Job, Killed, WorkerProcess

__all__ = ["MEMORY_LIMIT", "IsolatedAnalyzer"]

_log = logging.getLogger(__name__)

MEMORY_LIMIT: Final = 1 << 30
"""Bytes that a worker of the compiled core may allocate beyond what it holds at rest.

Twice what the core allows itself for one analysis: its own limits, whose errors say more, come first.
"""

_STARTS: Final = 20  # workers killed in a row at their start, before no further one is started


class IsolatedAnalyzer:
    """:func:`auralis_fp.analyze` in worker processes: called in the same way, from any number of threads.

    Parameters
    ----------
    analyze : callable, optional
        What the workers run. They import it by its name, so it must not be defined in ``__main__``.
    processes : int, optional
        Number of files at a time; the number of processors by default. Further calls wait, which does
        not count towards their ``timeout``.
    memory_limit : int, optional
        Bytes that a worker may allocate beyond what it holds at rest (Linux: ``RLIMIT_DATA``). An analysis
        that needs more raises :class:`auralis_fp.ResourceLimit`.

    Raises
    ------
    ImportError
        From calls: no worker can be started on this machine, whatever the file.

    Notes
    -----
    Workers are plain children of ``sys.executable`` (or of ``multiprocessing.set_executable``): the
    program's own main module is not imported again. They end when the program ends, even if it is killed,
    and after a minute without work. A forked child of the program needs an analyzer of its own.

    Examples
    --------
    >>> from auralis_fp.isolation import IsolatedAnalyzer
    >>> with IsolatedAnalyzer(processes=2) as analyze:  # doctest: +SKIP
    ...     fingerprint = analyze("song.flac", timeout=60)
    """

    def __init__(
        self,
        analyze: Analyze | None = None,
        *,
        processes: int | None = None,
        memory_limit: int | None = None,
    ) -> None:
        count = processes if processes is not None else os.cpu_count() or 1
        if count < 1:
            raise ValueError(f"processes must be at least 1, not {processes}")
        self.analyze: Final = analyze or compiled
        self._memory_limit: Final = memory_limit
        self._slots: Final = threading.Semaphore(count)
        self._idle: Final[list[WorkerProcess]] = []
        self._finalizer: Final = weakref.finalize(self, _close_all, self._idle)

    def close(self) -> None:
        """End the idle workers; those of running calls end with their calls."""
        self._finalizer()

    def __enter__(self) -> IsolatedAnalyzer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __call__(
        self, path: AnyPath, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> Fingerprint:
        """Measure a file in a worker process.

        Parameters
        ----------
        path, timeout, cancel
            As for :func:`auralis_fp.analyze`.

        Raises
        ------
        Crashed
            The file crashed two processes in a row, or they were killed because they gave no answer within
            ten seconds after ``timeout``.
        AnalysisError
            As from :func:`auralis_fp.analyze`.
        """
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"timeout must not be negative: {timeout}")
        job = Job(os.fsdecode(path), timeout, cancel)
        with self._slot(job):
            try:
                return self._run(self._resting() or self._start(job), job)
            except (Died, ResourceLimit) as death:
                _log.warning("once more in a fresh process: %s: %s", job.path, death)
            try:
                return self._run(self._start(job), job)
            except Died as death:
                raise Crashed(f"the process that analysed it {death}", path=job.path) from None

    @contextlib.contextmanager
    def _slot(self, job: Job) -> Iterator[None]:
        while not self._slots.acquire(timeout=TICK_S):
            job.check_cancelled()
        try:
            job.check_cancelled()
            yield
        finally:
            self._slots.release()

    def _resting(self) -> WorkerProcess | None:
        while True:
            try:
                worker = self._idle.pop()  # the one used last, so that those in excess stay idle
            except IndexError:
                return None
            if worker.alive:
                return worker
            worker.close()

    def _start(self, job: Job) -> WorkerProcess:
        """Return a new worker. If one is killed before it has seen the file, the file is not at fault."""
        for attempt in range(_STARTS):
            if attempt:
                time.sleep(min(TICK_S * 2**attempt, 1.0))
                job.check_cancelled()
            try:
                return WorkerProcess(self.analyze, self._memory_limit)
            except Died as death:
                reason, may_pass = f"it {death}", isinstance(death, Killed)
            except OSError as error:
                reason, may_pass = str(error), error.errno in (errno.EAGAIN, errno.ENOMEM)
            if not may_pass:
                break
        raise ImportError(f"no worker process can be started: {reason}")

    def _run(self, worker: WorkerProcess, job: Job) -> Fingerprint:
        try:
            succeeded, answer = worker.run(job)
        except BaseException:
            worker.close()
            raise
        if isinstance(answer, MemoryError) or not self._finalizer.alive:
            worker.close()
        else:
            self._idle.append(worker)
        if not succeeded:
            raise answer
        fingerprint: Fingerprint = answer
        return fingerprint


def _close_all(workers: list[WorkerProcess]) -> None:
    while workers:
        workers.pop().close()
