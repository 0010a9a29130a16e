"""The worker processes that a program has started, and waiting for them."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil


def workers(of: int | None = None) -> list[psutil.Process]:
    """Workers of a program; of this one by default."""
    found = []
    for child in psutil.Process(of).children():
        try:
            if any("auralis_fp.isolation.worker" in argument for argument in child.cmdline()):
                found.append(child)
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


def eventually(condition: Callable[[], object]) -> bool:
    """Return whether something becomes true in the time that a busy machine takes."""
    for _ in range(1200):
        if condition():
            return True
        time.sleep(0.05)
    return False


def busy_worker(of: int | None = None, *, but: psutil.Process | None = None) -> psutil.Process:
    """Wait for a worker that analyses a long file."""
    found: list[psutil.Process] = []

    def look() -> bool:
        try:
            found[:] = [w for w in workers(of) if w != but and w.cpu_times().user > 0.6]
        except psutil.NoSuchProcess:
            return False
        return bool(found)

    assert eventually(look)
    return found[0]
