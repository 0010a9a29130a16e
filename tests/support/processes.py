"""Programs in processes of their own, and the worker processes that a program has started."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import psutil

TESTS: Final = Path(__file__).parents[1]
PROGRAMS: Final = Path(__file__).with_name("programs")


def environment(changes: Mapping[str, str] = {}) -> dict[str, str]:
    """What this process has, with changes; programs find this folder's modules in it."""
    return {**os.environ, "PYTHONPATH": str(TESTS), **changes}


def program(name: str, *arguments: object) -> list[str]:
    """The command that runs one of :data:`PROGRAMS`."""
    return [sys.executable, str(PROGRAMS / f"{name}.py"), *map(str, arguments)]


def run_program(
    name: str,
    *arguments: object,
    timeout: float = 60,
    cwd: Path | None = None,
    variables: Mapping[str, str] = {},
) -> subprocess.CompletedProcess[str]:
    """Run one of :data:`PROGRAMS`. Fails with what it printed if it does, and when it hangs."""
    done = subprocess.run(
        program(name, *arguments),
        capture_output=True, text=True, timeout=timeout, cwd=cwd, env=environment(variables),
    )  # fmt: skip
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


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
