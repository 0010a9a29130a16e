"""A worker process of :mod:`auralis_fp.isolation`: measures one file after the other until it is ended."""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from auralis_fp.errors import AnalysisError, ResourceLimit

if TYPE_CHECKING:
    from auralis_fp._types import Analyze

__all__ = ["main"]

_IDLE_S: Final = 60.0
_OOM_SCORE: Final = b"500"  # of 1000 at most: of two processes of the same size, the system kills this one


def main(descriptor: int) -> None:
    """Serve the process at the other end of a connection."""
    threading.Thread(target=_leave_with_parent, args=(os.getppid(),), daemon=True).start()
    connection = Connection(descriptor)
    with contextlib.suppress(EOFError, ConnectionError):  # the parent has ended, or this worker is in excess
        analyze, memory_limit = connection.recv()
        with contextlib.suppress(OSError):  # not Linux
            Path("/proc/self/oom_score_adj").write_bytes(_OOM_SCORE)
        if memory_limit is not None:
            _limit_memory(memory_limit)
        connection.send(None)  # ready
        while connection.poll(_IDLE_S):
            folder, path, timeout = connection.recv()
            _send(connection, _outcome(analyze, folder, path, timeout), path)


def _outcome(analyze: Analyze, folder: str | None, path: str, timeout: float | None) -> tuple[bool, Any]:
    try:
        if folder is not None:
            os.chdir(folder)
        return True, analyze(path, timeout=timeout)
    except AnalysisError as error:
        return False, error
    except MemoryError:
        return False, ResourceLimit("out of memory", path=path)
    except Exception as error:
        return False, error


def _send(connection: Connection, outcome: tuple[bool, Any], path: str) -> None:
    try:
        pickle.loads(pickle.dumps(outcome))  # an exception may need more arguments than it keeps
    except Exception:
        error = outcome[1]
        outcome = False, AnalysisError(f"{type(error).__name__}: {error}", path=path)
    connection.send(outcome)


def _limit_memory(extra: int) -> None:
    """Limit this process to ``extra`` bytes beyond what it holds now."""
    try:
        at_rest = int(Path("/proc/self/statm").read_bytes().split()[5]) * resource.getpagesize()
    except OSError:  # not Linux, where the limit would not count what is mapped
        return
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = at_rest + extra
    resource.setrlimit(
        resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard)
    )


def _leave_with_parent(parent: int) -> None:
    """End this process when its parent ends, even in the middle of a file."""
    # The connection shows it only between files, and not at all while a forked copy of the parent lives.
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)
