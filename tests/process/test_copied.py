"""Copies of the package: without metadata, as in a frozen application, and with libraries that are gone."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support.processes import environment, program, run_program

import auralis_fp
from auralis_fp._native import core

pytestmark = pytest.mark.any_level


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Callable[[bytes], bytes]], Path]:
    """A maker of copies; a function may change what is compiled."""

    def copy(change: Callable[[bytes], bytes]) -> Path:
        package = Path(auralis_fp.__file__).parent
        shutil.copytree(
            package, tmp_path / "auralis_fp", ignore=shutil.ignore_patterns("*.so", "__pycache__")
        )
        for module in Path(str(vars(core)["__file__"])).parent.glob("*.so"):
            (tmp_path / "auralis_fp/_native" / module.name).write_bytes(change(module.read_bytes()))
        libraries = package.with_name("auralis_fp.libs")
        if libraries.exists():
            shutil.copytree(libraries, tmp_path / libraries.name)
        return tmp_path

    return copy


def test_the_import_needs_no_metadata(copied: Callable[[Callable[[bytes], bytes]], Path]) -> None:
    done = run_program("imports/copied", copied(lambda module: module))
    assert done.stdout.startswith(auralis_fp.__version__)
    assert "'engine': 'core'" in done.stdout


def test_another_ffmpeg_than_it_was_built_with(copied: Callable[[Callable[[bytes], bytes]], Path]) -> None:
    """As after an upgrade of the system: it says to build again, and the self-test fails."""

    def gone(module: bytes) -> bytes:
        return re.sub(rb"(libavformat[\w-]*\.so\.)\d\d", rb"\g<1>01", module)

    folder = copied(gone)
    done = subprocess.run(
        program("imports/copied", folder, "doctor"),
        capture_output=True,
        text=True,
        env=environment(),
        timeout=600,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "build it again" in done.stdout
    assert "all measurements are right" not in done.stdout
