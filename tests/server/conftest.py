"""A folder of music and a server over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.encode import EncodedFiles
from support.server import Server, running_server


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory, encoded: EncodedFiles) -> Path:
    """Good files, bad files, and links that lead out."""
    folder = tmp_path_factory.mktemp("served")
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.wav").write_bytes(encoded.file("wav-s16").read_bytes())
    for name in ("wav-s16", "mp3-vbr-0", "flac-16"):
        source = encoded.file(name)
        (folder / source.name).write_bytes(source.read_bytes())
    (folder / "song.WAV").write_bytes(encoded.file("wav-s16").read_bytes())
    (folder / "empty.mp3").touch()
    (folder / "noise.mp3").write_bytes(bytes(range(256)) * 64)
    flac = encoded.file("flac-16").read_bytes()
    (folder / "cut.flac").write_bytes(flac[:200])
    (folder / "folder.wav").mkdir()
    (folder / "inside.wav").symlink_to(folder / "song.WAV")
    (folder / "secret.wav").symlink_to(outside / "secret.wav")
    (folder / "outside").symlink_to(outside)
    (folder / "loop.wav").symlink_to(folder / "loop.wav")
    return folder


@pytest.fixture(scope="session")
def server(root: Path) -> Iterator[Server]:
    """A server for all tests that leave it as it was."""
    with running_server("--root", root) as one:
        yield one
