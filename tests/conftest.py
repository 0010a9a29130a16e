"""The fixtures of all tests: recordings, results of the reference analyzer, databases."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from support import synth
from support.encode import EncodedFiles, write_wav
from support.library import Music, write_noise
from support.postgresql import private_server
from support.references import References

from auralis_fp._garbage import collect_in_own_thread
from auralis_fp.library import LibraryRepository

# As in the commands: tests share objects between threads, too.
collect_in_own_thread()

# If the tests start with Ctrl-C ignored (nohup, some CI), they and their programs would never see it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The settings of whoever runs the tests are not those of the tests.
os.environ["AURALIS_FP_CONFIG"] = os.devnull

NEED_SOURCE = (
    "test_allocation_failures.py",
    "test_annotated_tempi.py",
    "test_failing_source.py",
    "test_ffmpeg_recipe.py",
    "test_later_application.py",
)

# Tests on real music are collected only if there is some.
collect_ignore = [] if os.environ.get("AURALIS_FP_MUSIC_DIR") else ["numbers/test_parity_music.py"]


# --- tests of an installed package, without its source ----------------------------------------------


class WithoutSource(pytest.Module):
    """A module of tests that there is no source tree for."""

    def collect(self) -> Iterator[pytest.Item]:
        pytest.skip("needs the source tree", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Skip the tests of what is not installed: documentation, rooms, examples, programs in C++."""
    needs_source = module_path.parent.name in ("docs", "house") or module_path.name in NEED_SOURCE
    if needs_source and not (Path(__file__).parents[1] / "src").exists():
        skipped: pytest.Module = WithoutSource.from_parent(parent, path=module_path)
        return skipped
    return None


# --- recordings --------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> EncodedFiles:
    """Ten seconds of music, 44.1 kHz, stereo, 16 bit, in every format."""
    samples = synth.to_int16(synth.song("rock", 10, bpm=124, seed=11))
    return EncodedFiles(tmp_path_factory.mktemp("encoded"), samples, 44100)


@pytest.fixture(scope="session")
def wav(encoded: EncodedFiles) -> Path:
    """A file that every test of paths, threads and errors can use."""
    return encoded.file("wav-s16")


@pytest.fixture(scope="session")
def long_wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour of 44.1 kHz stereo, which takes seconds to analyse: a minute of noise, then silence."""
    path = tmp_path_factory.mktemp("long") / "hour.wav"
    minute = synth.to_int16(np.stack([synth.noise(60, seed=1), synth.noise(60, seed=2)], axis=1))
    return write_wav(path, minute, 44100, seconds=3600)


@pytest.fixture(scope="session")
def references(request: pytest.FixtureRequest) -> Iterator[References]:
    """Fingerprints by the reference analyzer, computed ahead of the tests."""
    # "spawn": a forked child of a process with threads may inherit their locks.
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        results = References(pool)
        for item in request.session.items:
            case = getattr(item, "callspec", None) and item.callspec.params.get("case")  # type: ignore[attr-defined]
            if case is not None and "references" in item.fixturenames:  # type: ignore[attr-defined]
                results.request(case)
        yield results
        pool.shutdown(cancel_futures=True)


# --- libraries ---------------------------------------------------------------------------------------


@pytest.fixture
def music(tmp_path: Path) -> Music:
    """A maker of folders with a given number of short files."""

    def make(number: int) -> list[str]:
        folder = tmp_path / "music"
        folder.mkdir(exist_ok=True)
        return [write_noise(folder / f"song{index:04}.wav", index) for index in range(number)]

    return make


@pytest.fixture
def song(tmp_path: Path) -> str:
    """A short file in a folder of its own."""
    return write_noise(tmp_path / "song.wav")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[], str]]:
    """A maker of empty PostgreSQL databases; it returns their URLs."""
    with private_server() as new_database:
        yield new_database


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'library.db'}"
    new_database: Callable[[], str] = request.getfixturevalue("postgresql")
    return new_database()


@pytest.fixture
def repository(database_url: str) -> Iterator[LibraryRepository]:
    """A repository on a new database, of each kind in turn."""
    opened = LibraryRepository(database_url)
    yield opened
    opened.close()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[LibraryRepository]:
    """A repository on a new SQLite database."""
    opened = LibraryRepository(tmp_path / "library.db")
    yield opened
    opened.close()


# --- users -------------------------------------------------------------------------------------------


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """Run a test without root's powers, in a folder of its own, so that permissions have an effect."""
    folder = Path(tempfile.mkdtemp(prefix="auralis-fp-"))
    root = os.geteuid() == 0
    if root:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        for path, _folders, _files in os.walk(folder):
            Path(path).chmod(0o700)
        shutil.rmtree(folder)
