"""Walking folders for audio files."""

from __future__ import annotations

import os
from pathlib import Path

from auralis_fp.library.files.walk import Walk


def found(*roots: Path) -> list[str]:
    return [file.path for folder in Walk([str(root) for root in roots]) for file in folder.files]


def test_the_walk_finds_audio_and_nothing_else(tmp_path: Path) -> None:
    music = tmp_path / "music"
    (music / "Album" / "CD 1").mkdir(parents=True)
    (music / ".hidden").mkdir()
    wanted = ["a.MP3", "Album/b.Flac", "Album/CD 1/c.opus", "caf\udce9.wav"]
    for name in [*wanted, ".d.mp3", "._e.mp3", ".hidden/f.mp3", "cover.jpg", "mp3", "g.mp3.25d"]:
        (music / name).touch()
    os.mkfifo(music / "pipe.mp3")
    (music / "folder.mp3").mkdir()
    (music / "dangling.mp3").symlink_to("nowhere.mp3")
    (music / "Album" / "up").symlink_to(music)  # a loop
    (music / "self.wav").symlink_to("self.wav")
    assert sorted(found(music)) == sorted(str(music / name) for name in wanted)
    assert sorted(found(music, music / "Album")) == sorted(str(music / name) for name in wanted)
