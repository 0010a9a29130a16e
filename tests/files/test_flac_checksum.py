"""The checksum that the bundled FFmpeg checks FLAC's frames with.

The program is tests/cpp/flac_checksum.cpp.
"""

from __future__ import annotations

import subprocess

import pytest
from support import cpp_programs

pytestmark = pytest.mark.unsanitized("runs a program of its own")


def test_it_equals_that_of_ffmpeg() -> None:
    program = cpp_programs.build("auralis_flac_checksum")
    done = subprocess.run([program], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert done.stdout == "compared 38192\n"
