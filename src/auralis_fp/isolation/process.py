"""A worker process, as seen from the program that starts it; ``worker.py`` is the other side."""

from __future__ import annotations

import contextlib
import multiprocessing.connection
import multiprocessing.spawn
import os
import signal
import subprocess
import sys
import tempfile
from typing import Any, Final

from auralis_fp._native import CPU_LEVEL_VARIABLE, core
from auralis_fp._types import Analyze
from auralis_fp.cancel import CancelToken
from auralis_fp.errors import Cancelled, FileNotFound

__all__ = ["TICK_S", "Died", "Job", "Killed", "WorkerProcess", "interpreter"]

TICK_S: Final = 0.05
"""Seconds between two checks whether a call was cancelled."""

_START_S: Final = 120.0
_GRACE_S: Final = 10.0  # the core stops within 100 ms of work; the rest is for a busy machine
_BOOTSTRAP: Final = """
import sys
sys.path[:] = sys.argv[2:]
from auralis_fp.isolation.worker import main
main(int(sys.argv[1]))
"""


def interpreter() -> str | None:
    """Return the Python that runs the workers; None in a frozen program that has not named one."""
    executable = os.fsdecode(multiprocessing.spawn.get_executable() or "")
    frozen = getattr(sys, "frozen", False) and executable == sys.executable
    return None if frozen else executable or None


class Died(Exception):
    """A worker has ended; the message says how, as in "was killed by SIGSEGV"."""


class Killed(Died):
    """A signal killed the worker."""


class Job:
    """A call: the file to measure, and how long that may take."""

    def __init__(self, path: str, timeout: float | None, cancel: CancelToken | None) -> None:
        self.path: Final = path
        self.timeout: Final = timeout
        self._cancel: Final = cancel

    def check_cancelled(self) -> None:
        """Raise Cancelled if the caller has cancelled the call."""
        if self._cancel is not None and self._cancel.cancelled:
            raise Cancelled("cancelled", path=self.path)

    def message(self) -> tuple[str | None, str, float | None]:
        """Return what the worker needs, including the folder to which a relative name refers."""
        try:
            folder = None if os.path.isabs(self.path) else os.getcwd()  # noqa: PTH109, PTH117
        except OSError as error:  # it was removed
            raise FileNotFound(error.strerror or str(error), stage="open", path=self.path) from error
        return folder, self.path, self.timeout


class WorkerProcess:
    """A process that is ready to measure files.

    Raises
    ------
    Died
        It ended, or gave no sign of life, before it was ready; :class:`Killed` if a signal killed it.
    ImportError, OSError
        It could not be started.
    """

    def __init__(self, analyze: Analyze, memory_limit: int | None) -> None:
        python = interpreter()
        if python is None:
            raise ImportError("no Python to start workers with: name one with multiprocessing.set_executable")
        flags = ["-I"] if sys.flags.isolated else []
        path = [entry for entry in sys.path if isinstance(entry, str)]
        environment = dict(os.environ)
        if core is not None:  # the same build of the core, even if the environment has changed since
            environment[CPU_LEVEL_VARIABLE] = core.build_info()["cpu_level"]
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
            self._send((analyze, memory_limit))
            self._receive(_START_S, None)
            on_failure.pop_all()

    @property
    def alive(self) -> bool:
        """True while the process is running."""
        return self._process.poll() is None

    def run(self, job: Job) -> tuple[bool, Any]:
        """Return whether the worker has measured a file, and the result or the error."""
        # The offset is shared: whatever the worker writes from now on is about this file.
        self._errors.seek(0)
        self._errors.truncate()
        self._send(job.message())
        answer: tuple[bool, Any] = self._receive(None if job.timeout is None else job.timeout + _GRACE_S, job)
        return answer

    def close(self) -> None:
        """End the process."""
        self._end()
        self._connection.close()
        self._errors.close()

    def _end(self) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # and what it has started itself
        with contextlib.suppress(subprocess.TimeoutExpired):  # stuck in the kernel, say in a dead disk
            self._process.wait(1.0)

    def _send(self, message: object) -> None:
        try:
            self._connection.send(message)
        except (BrokenPipeError, ConnectionResetError):
            raise self._death() from None

    def _receive(self, limit_s: float | None, job: Job | None) -> Any:
        # Counted in ticks: time in which this process itself was stopped does not count.
        left_s = limit_s
        while not self._connection.poll(TICK_S):
            if job is not None:
                job.check_cancelled()
            # Its death does not close the connection if the program has forked in the meantime.
            if not self.alive and not self._connection.poll():
                raise self._death()
            if left_s is not None and (left_s := left_s - TICK_S) <= 0:
                raise Died(f"gave no answer within {limit_s:g} s and was killed")
        try:
            return self._connection.recv()
        except Exception:  # the end of the connection, or nonsense from a process that is crashing
            raise self._death() from None

    def _death(self) -> Died:
        """Return how the worker ended."""
        try:
            status = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return Died("sent nonsense and was killed")
        last_words = self._last_words()
        ending = f": {last_words}" if last_words else ""
        if status >= 0:
            return Died(f"ended with status {status}{ending}")
        usual = " (as the system does when memory runs out)" if -status == signal.SIGKILL else ""
        return Killed(f"was killed by {_signal_name(-status)}{usual}{ending}")

    def _last_words(self) -> str:
        """Return the last line that the worker wrote to standard error."""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 400))
        lines = self._errors.read().decode(errors="backslashreplace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
