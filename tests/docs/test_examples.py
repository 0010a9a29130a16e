"""The examples in README and the documentation: blocks of Python are run, outputs of commands compared."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from support import synth
from support.encode import encode
from support.examples import Block, blocks, run_page

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if blocks(page)]


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a song, a louder master of it, and a folder of music."""
    home = tmp_path_factory.mktemp("songs")
    (home / "Music").mkdir()
    song = synth.song("rock", 30, bpm=124)
    encode(home / "song.mp3", song, 44100, "-b:a", "192k")
    encode(home / "song.flac", song, 44100)
    encode(home / "master.mp3", np.asarray(0.9 * np.tanh(4 * song), np.float32), 44100, "-b:a", "192k")
    for style in ("ballad", "house", "rock"):
        encode(home / f"Music/{style}.mp3", synth.song(style, 20, bpm=100), 44100, "-b:a", "192k")
    return home


@pytest.fixture
def home(songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same home, for one test to work in."""
    shutil.copytree(songs, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_show_what_happens(page: Path, home: Path) -> None:
    if page.stem == "migration":
        (home / "Music/broken.mp3").write_bytes(b"no audio" * 100)
    run_page(page, home)


@pytest.mark.parametrize(
    "text",
    [
        "```console\n$ echo 1.5\n1.6\n```\n",
        "```console\n$ echo one; echo two\none\n```\n",
        "```console\n$ echo one; echo two\n...\none\n```\n",
        "```console\n$ auralis-fp analyze song.mp3 | grep lufs\n lufs -19 LUFS integrated loudness\n```\n",
        "```python\n1 / 0\n```\n",
    ],
)
def test_pages_that_show_something_else_fail(text: str, home: Path) -> None:
    page = home / "page.md"
    page.write_text(text)
    with pytest.raises((AssertionError, ZeroDivisionError)):
        run_page(page, home)


def test_blocks_of_other_languages_are_not_run(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```shell\nrm -r .\n```\n\n```python\nfirst\n```\n")
    assert blocks(page) == [Block("python", "first\n", 6)]
