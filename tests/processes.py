"""Python programs in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def python(code: str, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> str:
    """Run code in a fresh interpreter; its standard output. Fails with what it printed, and when it hangs."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
