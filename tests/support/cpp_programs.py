"""Programs in C++: those of ``tests/cpp``, which test what Python cannot reach, and of ``benchmarks``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


def build(target: str) -> Path:
    """Build one of the programs with the preset ``release``; its path."""
    # cmake and ninja may be installed beside Python only.
    beside = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for step in (["--preset", "release"], ["--build", "--preset", "release", "--target", target]):
        done = subprocess.run(["cmake", *step], cwd=ROOT, env=beside, capture_output=True, text=True)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return ROOT / "build" / "release" / target
