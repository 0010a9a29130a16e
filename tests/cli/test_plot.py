"""The picture of a track: what it shows, that names are names, and what it says if it cannot be drawn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from support.hostile import HOSTILE
from support.library import run_command, write_noise

from auralis_fp import DIMENSIONS, Fingerprint, analyze_samples
from auralis_fp.similarity import Space

pytest.importorskip("matplotlib", reason="needs the extra plot")


def texts(file: Path) -> str:
    """All text of an SVG file, which must be well-formed."""
    return "\n".join(
        "".join(one.itertext()) for one in ElementTree.parse(file).iter() if one.tag.endswith("text")
    )


@pytest.fixture(scope="module")
def fingerprint() -> Fingerprint:
    return analyze_samples(np.random.default_rng(1).uniform(-0.5, 0.5, 60_000).astype("float32"), 22050)


def test_analyze_draws_a_file(tmp_path: Path) -> None:
    file = write_noise(tmp_path / "$\\frac{1}{ <b> & loud.wav", seconds=3)
    for name in ("picture.png", "picture.svg", "again.svg"):
        done = run_command("analyze", file, "--json", "--plot", tmp_path / name)
        assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "picture.svg").read_bytes() == (tmp_path / "again.svg").read_bytes()
    shown = texts(tmp_path / "picture.svg")
    assert "$\\frac{1}{ <b> & loud.wav" in shown
    assert all(dimension.name.replace("_", " ") in shown for dimension in DIMENSIONS)


@pytest.mark.parametrize("title", [HOSTILE[3], HOSTILE[5]])
def test_titles_are_text(fingerprint: Fingerprint, title: str) -> None:
    heading = fingerprint.plot(title=title).get_suptitle()
    assert title[:4].isprintable() is (title[:4] in heading)
    assert heading.splitlines()[1].startswith("samples, 2.7 s, 22050 Hz, 1 channels")
    assert len(heading.splitlines()[0]) <= 90


def test_it_compares_with_any_library(fingerprint: Fingerprint) -> None:
    library = np.random.default_rng(2).uniform(0.1, 0.9, (40, 25))
    left = fingerprint.plot(Space.fit(library)).axes[0]
    assert "share of 40 tracks" in left.get_xlabel()


def test_what_is_undefined_is_said() -> None:
    nothing = analyze_samples(np.zeros(44100, np.float32), 22050)
    left, right = nothing.plot().axes
    assert sum(text.get_text() == "undefined" for text in left.texts) == 24
    assert [text.get_text() for text in right.texts] == ["undefined"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.wav", "--plot", "a.gif"], "a.gif: a picture is a file whose name ends in .png or .svg"),
        (["a.wav", "b.wav", "--plot", "a.png"], "--plot draws one file, not 2"),
        (["a.wav", "--plot", "no such folder/a.png"], "no such folder/a.png: No such file or directory"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.wav", "b.wav"):
        write_noise(name, seconds=1)
    done = run_command("analyze", *arguments)
    assert done.returncode == 2
    assert done.stderr == f"auralis-fp: {message}\n"


def test_nothing_is_imported_before_something_is_drawn() -> None:
    program = "import sys, auralis_fp.fingerprint; assert 'matplotlib' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
