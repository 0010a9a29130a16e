"""What the recipe of packaging/ffmpeg compiles into the bundled FFmpeg, in programs of their own.

They are tests/cpp/flac_checksum.cpp and tests/cpp/ffmpeg_allocation.cpp.
"""

from __future__ import annotations

import subprocess

import pytest
from support import cpp_programs

pytestmark = pytest.mark.unsanitized("runs programs of its own")


@pytest.mark.parametrize(
    ("program", "answer"),
    [("auralis_flac_checksum", "compared 38192\n"), ("auralis_ffmpeg_allocation", "checked 200000\n")],
)
def test_it_does_what_it_replaces(program: str, answer: str) -> None:
    done = subprocess.run([cpp_programs.build(program)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, answer)
