"""Analysis in other processes, so that a file that kills its process takes nothing else with it.

A decoder that crashes, or a system that runs out of memory, ends the whole process with all its threads.
Here the process that ends is a worker: one file at a time, started again when the next file comes. The
file is run once more in a worker that has seen no other file; what comes of that is the verdict.

This is no sandbox: workers have all the rights of the program that starts them.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing.connection
import multiprocessing.spawn
import os
import signal
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from auralis_fp._native import CPU_LEVEL_VARIABLE, core
from auralis_fp.errors import Cancelled, Crashed, FileNotFound, ResourceLimit

if TYPE_CHECKING:
    from types import TracebackType

    from auralis_fp._types import Analyze, AnyPath
    from auralis_fp.cancel import CancelToken
    from auralis_fp.fingerprint import Fingerprint

__all__ = ["MEMORY_LIMIT", "IsolatedAnalyzer", "interpreter"]

_log = logging.getLogger(__name__)

MEMORY_LIMIT: Final = 1 << 30
"""Bytes that a worker of the compiled core may allocate beyond what it holds at rest.

Twice what the core allows itself for one analysis: its own limits, whose errors say more, come first.
"""

_TICK_S: Final = 0.05
_START_S: Final = 120.0
_GRACE_S: Final = 10.0  # the core stops within 100 ms of work; the rest is for a machine that is busy
_BOOTSTRAP: Final = """
import sys
sys.path[:] = sys.argv[2:]
from auralis_fp.isolation.worker import main
main(int(sys.argv[1]))
"""


class IsolatedAnalyzer:
    """:func:`auralis_fp.analyze` in worker processes: called like it, from any number of threads.

    Parameters
    ----------
    analyze : callable, optional
        What the workers run. They import it by its name, so it must not be of ``__main__``.
    processes : int, optional
        Files at a time; the number of processors by default. More calls than that wait for each other,
        which does not count for their ``timeout``.
    memory_limit : int, optional
        Bytes that a worker may allocate beyond what it holds at rest (Linux: ``RLIMIT_DATA``). Who needs
        more gets :class:`auralis_fp.ResourceLimit`.

    Raises
    ------
    ImportError
        From calls: no worker can be started here, for which no file is at fault.

    Notes
    -----
    Workers are plain children of ``sys.executable`` (or of ``multiprocessing.set_executable``): the
    program's own main module is not imported again. They end when the program ends, however it does, and
    after a minute without work. A forked child of the program needs an analyzer of its own.

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
        self.analyze: Final = analyze or _compiled()
        self._memory_limit: Final = memory_limit
        self._slots: Final = threading.Semaphore(count)
        self._idle: Final[list[_Worker]] = []
        self._finalizer: Final = weakref.finalize(self, _close_all, self._idle)

    def close(self) -> None:
        """End the workers that are at rest; those of running calls end with their calls."""
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
        """Measure a file in another process.

        Parameters
        ----------
        path, timeout, cancel
            As for :func:`auralis_fp.analyze`.

        Raises
        ------
        Crashed
            Two processes in a row did not survive the file, or gave no answer within ten seconds after
            ``timeout`` and were killed.
        AnalysisError
            As :func:`auralis_fp.analyze`.
        """
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"timeout must not be negative: {timeout}")
        job = _Job(os.fsdecode(path), timeout, cancel)
        with self._slot(job):
            try:
                return self._run(self._resting() or self._start(), job)
            except (_Died, ResourceLimit) as death:
                _log.warning("once more in a fresh process: %s: %s", job.path, death)
            try:
                return self._run(self._start(), job)
            except _Died as death:
                raise Crashed(f"the process that analysed it {death}", path=job.path) from None

    @contextlib.contextmanager
    def _slot(self, job: _Job) -> Iterator[None]:
        while not self._slots.acquire(timeout=_TICK_S):
            job.check_cancelled()
        try:
            job.check_cancelled()
            yield
        finally:
            self._slots.release()

    def _resting(self) -> _Worker | None:
        while True:
            try:
                worker = self._idle.pop()  # the last one in: those in excess rest until they leave
            except IndexError:
                return None
            if worker.alive:
                return worker
            worker.close()

    def _start(self) -> _Worker:
        return _Worker(self.analyze, self._memory_limit)

    def _run(self, worker: _Worker, job: _Job) -> Fingerprint:
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


def interpreter() -> str | None:
    """Name the Python that runs the workers; None where a program was frozen and has named none."""
    executable = os.fsdecode(multiprocessing.spawn.get_executable() or "")
    frozen = getattr(sys, "frozen", False) and executable == sys.executable
    return None if frozen else executable or None


def _compiled() -> Analyze:
    from auralis_fp.analysis import analyze

    return analyze


def _close_all(workers: list[_Worker]) -> None:
    while workers:
        workers.pop().close()


class _Died(Exception):
    """A worker is gone; the message says how, as in "it was killed by SIGSEGV"."""


class _Job:
    """One call."""

    def __init__(self, path: str, timeout: float | None, cancel: CancelToken | None) -> None:
        self.path: Final = path
        self.timeout: Final = timeout
        self._cancel: Final = cancel

    def check_cancelled(self) -> None:
        if self._cancel is not None and self._cancel.cancelled:
            raise Cancelled("cancelled", path=self.path)

    def message(self) -> tuple[str | None, str, float | None]:
        """Give what the worker needs, with the folder in which a relative name means this file."""
        try:
            folder = None if os.path.isabs(self.path) else os.getcwd()  # noqa: PTH109, PTH117
        except OSError as error:  # it was removed
            raise FileNotFound(error.strerror or str(error), stage="open", path=self.path) from error
        return folder, self.path, self.timeout


class _Worker:
    """The parent's side of a process; :mod:`auralis_fp.isolation.worker` is the other."""

    def __init__(self, analyze: Analyze, memory_limit: int | None) -> None:
        python = interpreter()
        if python is None:
            raise ImportError("no Python to start workers with: name one with multiprocessing.set_executable")
        flags = ["-I"] if sys.flags.isolated else []
        path = [entry for entry in sys.path if isinstance(entry, str)]
        environment = dict(os.environ)
        if core is not None:  # the same build of the core, whatever the environment says by now
            environment[CPU_LEVEL_VARIABLE] = core.build_info()["cpu_level"]
        try:
            with contextlib.ExitStack() as on_failure:
                self._errors: Final = on_failure.enter_context(tempfile.TemporaryFile())
                self._connection, theirs = multiprocessing.connection.Pipe()
                on_failure.callback(self._connection.close)
                with theirs:
                    self._process: Final = subprocess.Popen(
                        [python, *flags, "-c", _BOOTSTRAP, str(theirs.fileno()), *path],
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        stderr=self._errors,
                        pass_fds=[theirs.fileno()],
                        start_new_session=True,  # Ctrl-C is for the program, which may want to finish
                        env=environment,
                    )
                on_failure.callback(self._end)
                self._connection.send((analyze, memory_limit))
                self._receive(_START_S, None)
                on_failure.pop_all()
        except _Died as death:
            raise ImportError(f"no worker process can be started: it {death}") from None
        except OSError as error:
            raise ImportError(f"no worker process can be started: {error}") from error

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def run(self, job: _Job) -> tuple[bool, Any]:
        """Give the worker a file; whether it could be measured, and the result or the error."""
        # The offset is shared: what the worker writes from now on is about this file.
        self._errors.seek(0)
        self._errors.truncate()
        try:
            self._connection.send(job.message())
        except (BrokenPipeError, ConnectionResetError):
            raise _Died(self._epitaph()) from None
        answer: tuple[bool, Any] = self._receive(None if job.timeout is None else job.timeout + _GRACE_S, job)
        return answer

    def close(self) -> None:
        self._end()
        self._connection.close()
        self._errors.close()

    def _end(self) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # and what it has started itself
        with contextlib.suppress(subprocess.TimeoutExpired):  # stuck in the kernel, say in a dead disk
            self._process.wait(1.0)

    def _receive(self, limit_s: float | None, job: _Job | None) -> Any:
        # Counted in ticks: time in which this process was itself stopped is not the worker's.
        left_s = limit_s
        while not self._connection.poll(_TICK_S):
            if job is not None:
                job.check_cancelled()
            # Its death may not close the connection, where the program forked in the meantime.
            if not self.alive and not self._connection.poll():
                raise _Died(self._epitaph())
            if left_s is not None and (left_s := left_s - _TICK_S) <= 0:
                raise _Died(f"gave no answer within {limit_s:g} s and was killed")
        try:
            return self._connection.recv()
        except Exception:  # the end of the connection, or nonsense from a process that is falling apart
            raise _Died(self._epitaph()) from None

    def _epitaph(self) -> str:
        try:
            status = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return "sent nonsense and was killed"
        if status < 0:
            how = f"was killed by {_signal_name(-status)}"
            if -status == signal.SIGKILL:
                how += " (as the system does when memory runs out)"
        else:
            how = f"ended with status {status}"
        last_words = self._last_words()
        return f"{how}: {last_words}" if last_words else how

    def _last_words(self) -> str:
        """Give the last line that the worker wrote to standard error."""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 400))
        lines = self._errors.read().decode(errors="backslashreplace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
