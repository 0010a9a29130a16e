"""The systemd units of the documentation, checked by systemd itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[2] / "docs/library.md"


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    units = dict(re.findall(r"^```ini\n# (\S+)\n(.*?)^```", LIBRARY.read_text(), re.MULTILINE | re.DOTALL))
    assert [Path(name).suffix for name in units] == [".service", ".timer", ".service"]
    program = tmp_path / "auralis-fp"
    program.symlink_to(sys.executable)
    for name, text in units.items():
        (tmp_path / name).write_text(text.replace("%h/.venv/bin/auralis-fp", str(program)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", *(str(tmp_path / name) for name in units)],
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (0, "")
