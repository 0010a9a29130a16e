"""A disk that fails in the middle of a file: always Unreadable, whatever the system's error.

The program is tests/cpp/failing_source.cpp.
"""

from __future__ import annotations

import subprocess

import pytest
from support import cpp_programs, synth
from support.encode import EncodedFiles

pytestmark = pytest.mark.unsanitized("runs a program of its own")


@pytest.mark.parametrize(
    "name", ["wav-f32", "flac-16", "mp3-vbr-0", "aac-m4a", "vorbis", "opus-webm", "wma-2"]
)
def test_every_error_number_at_every_read(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    program = cpp_programs.build("auralis_failing_source")
    samples = synth.to_int16(synth.song("rock", 1))[:6000]
    tiny = EncodedFiles(tmp_path_factory.mktemp("tiny"), samples, 44100)
    done = subprocess.run([program, tiny.file(name)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout
    assert done.stderr == ""
    tried, number = done.stdout.split()
    assert tried == "tried"
    assert int(number) >= 2 * 133
