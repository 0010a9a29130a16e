"""Peak memory, measured in a process of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support import synth
from support.encode import encode, write_wav
from support.processes import run_program

pytestmark = pytest.mark.unsanitized("measures memory, of which a sanitizer takes more")


def peak_megabytes(paths: list[Path], *, threads: int, seconds: float) -> float:
    done = run_program("memory/threads", threads, *paths, timeout=600)
    measured_s, peak_bytes = map(float, done.stdout.split())
    assert measured_s == pytest.approx(seconds, abs=len(paths))
    return peak_bytes / 1e6


@pytest.mark.parametrize("extension", ["m4a", "ogg"])
def test_sixteen_threads_on_four_minute_files(extension: str, tmp_path: Path) -> None:
    minutes = np.tile(synth.song("rock", 30), (8, 1))
    path = encode(tmp_path / f"x.{extension}", minutes, 44100)
    copies = [tmp_path / f"{i}.{extension}" for i in range(16)]
    for copy in copies:
        copy.hardlink_to(path)
    assert peak_megabytes(copies, threads=16, seconds=16 * 240) <= 200


def test_one_file_of_three_hours(tmp_path: Path) -> None:
    """At a low rate, which halves the work: what grows with the length is kept per frame of 22.05 kHz."""
    samples = synth.to_int16(synth.song("rock", 60, 11025))
    path = write_wav(tmp_path / "x.wav", samples, 11025, seconds=3 * 3600, repeat=True)
    assert peak_megabytes([path], threads=1, seconds=3 * 3600) <= 150
