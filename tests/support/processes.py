"""Programs of :data:`PROGRAMS`, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).parents[1]
PROGRAMS: Final = Path(__file__).with_name("programs")


def environment(changes: Mapping[str, str] = {}) -> dict[str, str]:
    """This process's environment, with changes, in which programs find the modules of this folder."""
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
    """Run one of :data:`PROGRAMS`; if it fails or hangs, fail with what it printed."""
    done = subprocess.run(
        program(name, *arguments),
        capture_output=True, text=True, timeout=timeout, cwd=cwd, env=environment(variables),
    )  # fmt: skip
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done
