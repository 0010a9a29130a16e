"""What the tests share: encoded files, results of the reference analyzer, the folder of real music."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from support import synth
from support.encode import Library, write_wav
from support.references import References

# Tests on real music exist only where there is some.
collect_ignore = [] if os.environ.get("AURALIS_FP_MUSIC_DIR") else ["numbers/test_parity_music.py"]


@pytest.fixture(scope="session")
def references(request: pytest.FixtureRequest) -> Iterator[References]:
    # "spawn": a forked child of a process with threads may inherit their locks.
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        results = References(pool)
        for item in request.session.items:
            case = getattr(item, "callspec", None) and item.callspec.params.get("case")  # type: ignore[attr-defined]
            if case is not None and "references" in item.fixturenames:  # type: ignore[attr-defined]
                results.request(case)
        yield results
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Ten seconds of music, 44.1 kHz, stereo, 16 bit, in every format."""
    samples = synth.to_int16(synth.song("rock", 10, bpm=124, seed=11))
    return Library(tmp_path_factory.mktemp("library"), samples, 44100)


@pytest.fixture(scope="session")
def wav(library: Library) -> Path:
    """A file that every test of paths, threads and errors can use."""
    return library.file("wav-s16")


@pytest.fixture(scope="session")
def long_wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour of 44.1 kHz stereo, which takes seconds to analyse: a minute of noise, then silence."""
    path = tmp_path_factory.mktemp("long") / "hour.wav"
    minute = synth.to_int16(np.stack([synth.noise(60, seed=1), synth.noise(60, seed=2)], axis=1))
    return write_wav(path, minute, 44100, seconds=3600)
