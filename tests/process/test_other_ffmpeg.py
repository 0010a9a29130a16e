"""PyAV brings an FFmpeg of its own: in one process, it and ours both decode, whichever is imported first."""

from __future__ import annotations

import pytest
from support.encode import EncodedFiles
from support.processes import run_program

import auralis_fp

pytestmark = pytest.mark.any_level


@pytest.mark.parametrize("first", ["av", "auralis_fp"])
@pytest.mark.parametrize("name", ["mp3-vbr-0", "flac-16", "aac-m4a", "opus"])
def test_pyav_in_the_same_process(first: str, name: str, encoded: EncodedFiles) -> None:
    path = encoded.file(name)
    decoded, lufs = run_program("imports/with_pyav", first, path).stdout.split()
    fp = auralis_fp.analyze(path)
    assert float(lufs) == fp.lufs
    assert abs(int(decoded) - fp.metadata.samples_decoded) <= 4096  # PyAV does not trim all padding
