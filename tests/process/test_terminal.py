"""None of FFmpeg's messages reaches the terminal; one may become the cause of an error."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.bombs import BOMBS
from support.encode import FORMATS, EncodedFiles
from support.processes import run_program

import auralis_fp


def run(name: str, *arguments: object) -> str:
    """Return the standard output; nothing may be written to the error stream in any way."""
    done = run_program(name, *arguments, timeout=600)
    assert done.stderr == ""
    return done.stdout


@pytest.fixture(scope="module")
def damaged(encoded: EncodedFiles, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Files of every format, damaged at the beginning or in the middle, or truncated; and false claims."""
    folder = tmp_path_factory.mktemp("damaged")
    rng = np.random.default_rng(7)
    paths = []
    for name, one in FORMATS.items():
        whole = encoded.file(name).read_bytes()
        head, middle = bytearray(whole), bytearray(whole)
        for at in rng.integers(12, 400, 30):
            head[at] = rng.integers(256)
        for at in rng.integers(0, len(whole), len(whole) // 500):
            middle[at] = rng.integers(256)
        for kind, data in {
            "head": bytes(head),
            "middle": bytes(middle),
            "cut": whole[: len(whole) // 2],
        }.items():
            paths.append(folder / f"{name}-{kind}.{one.extension}")
            paths[-1].write_bytes(data)
    for name in ("mp4-stsz-100000000", "mp4-3000-streams", "matroska-claims", "ape-30M-frames"):
        paths.append(folder / name)
        paths[-1].write_bytes(BOMBS[name](encoded))
    return paths


@pytest.mark.parametrize("threads", [1, 8])
def test_damaged_files(threads: int, damaged: list[Path]) -> None:
    assert 0 < int(run("output/analyze_all", threads, *damaged)) < len(damaged)


def test_threads_at_work_when_the_interpreter_exits(damaged: list[Path]) -> None:
    assert run("output/end_at_work", *damaged) == ""


def test_the_files_do_make_ffmpeg_speak(damaged: list[Path]) -> None:
    """Shows that the tests above can fail."""
    spoken = 0
    for path in damaged[:60]:
        done = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "null", "-"], capture_output=True)
        spoken += bool(done.stderr)
    assert spoken > 20


def test_what_ffmpeg_said_is_the_cause(damaged: list[Path]) -> None:
    causes = []
    for path in damaged:
        try:
            auralis_fp.analyze(path)
        except auralis_fp.AnalysisError as error:
            causes.append(error.cause)
    assert sum("(" in cause for cause in causes) > 5  # in brackets
