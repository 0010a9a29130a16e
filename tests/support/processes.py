"""Programs in processes of their own, and the worker processes that a program has started."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil


def python(code: str, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> str:
    """Run code in a fresh interpreter; its standard output. Fails with what it printed, and when it hangs."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


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
    """Whether something comes true, given the time that a busy machine takes."""
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
