"""Programs in C++: those of ``tests/cpp``, which test what Python cannot reach, and of ``benchmarks``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


def build(target: str, *, bundled: bool | None = None) -> Path:
    """Build one of the programs with the preset ``release``; its path.

    `bundled` chooses between the libraries of wheels and the system's, each with a folder of its own;
    otherwise the environment does.
    """
    # cmake and ninja may be installed beside Python only.
    beside = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    folder = ROOT / "build/release"
    if bundled is not None:
        folder = folder.with_name("release-bundled" if bundled else "release-system")
        beside["AURALIS_FP_BUNDLED_FFMPEG"] = "1" if bundled else ""
    for step in (["--preset", "release", "-B", str(folder)], ["--build", str(folder), "--target", target]):
        done = subprocess.run(["cmake", *step], cwd=ROOT, env=beside, capture_output=True, text=True)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return folder / target
