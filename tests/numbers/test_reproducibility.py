"""The same recording gives the same bits: on every run, thread and process, and in blocks of any size."""

from __future__ import annotations

import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support import synth
from support.encode import FORMATS, EncodedFiles
from support.processes import run_program
from support.tolerances import BUILD, assert_agree, assert_identical

import auralis_fp
from auralis_fp import Fingerprint
from auralis_fp import _native as _core

THREADS = 16
MUSIC_DIR = os.environ.get("AURALIS_FP_MUSIC_DIR")
MUSIC = {".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wav"}
LEVELS = auralis_fp.build_info()["cpu_levels"]


def music() -> list[Path]:
    return sorted(path for path in Path(MUSIC_DIR or "/nowhere").glob("*") if path.suffix in MUSIC)


@pytest.fixture(params=["generated", *(["music"] if MUSIC_DIR else [])])
def files(request: pytest.FixtureRequest, encoded: EncodedFiles) -> list[Path]:
    """A generated recording in all formats; and real music, if there is some."""
    return music() if request.param == "music" else [encoded.file(name) for name in FORMATS]


@cache
def first_run(path: Path) -> Fingerprint:
    return auralis_fp.analyze(path)


# --- runs, threads, processes ------------------------------------------------------------------------


def test_on_many_threads_at_once(files: list[Path]) -> None:
    """Each file on several threads side by side, between files of other formats."""
    expected = [first_run(path) for path in files]
    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(auralis_fp.analyze, files * 3))
    for fp, first in zip(results, expected * 3, strict=True):
        assert_identical(fp, first)
        assert fp.metadata == first.metadata


def test_from_memory(files: list[Path]) -> None:
    for path in files:
        assert_identical(auralis_fp.analyze_bytes(path.read_bytes()), first_run(path))


def test_one_array_on_many_threads(encoded: EncodedFiles) -> None:
    expected = auralis_fp.analyze_samples(encoded.samples, encoded.rate)
    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(auralis_fp.analyze_samples, encoded.samples, encoded.rate) for _ in range(32)]
        for future in futures:
            assert_identical(future.result(), expected)


def in_another_process(files: list[Path], **variables: str) -> tuple[str, list[Fingerprint]]:
    """CPU level and fingerprints of a fresh interpreter."""
    done = run_program("output/fingerprints", *files, timeout=600, variables=variables)
    level, pickled = done.stdout.split()
    return level, pickle.loads(bytes.fromhex(pickled))


def test_another_process_gives_the_same(files: list[Path]) -> None:
    for path, measured in zip(files, in_another_process(files)[1], strict=True):
        assert_identical(measured, first_run(path))


# --- blocks ------------------------------------------------------------------------------------------


def in_blocks(samples: NDArray[np.float32] | NDArray[np.int16], frames: int) -> Fingerprint:
    """Return the fingerprint of samples that are passed on in blocks of a given size, as decoders do."""
    assert _core.core is not None
    matrix = samples.reshape(len(samples), -1)
    values, metadata = _core.core.analyze_samples(matrix, 44100, None, None, False, frames)
    return Fingerprint(values, auralis_fp.Metadata(**metadata))


@pytest.mark.parametrize("frames", [1, 7, 1000, 4095, 4096, 4097, 100_000, 1 << 24])
def test_block_size(frames: int) -> None:
    for samples in (
        synth.song("rock", 5, seed=2),
        synth.song("house", 3, seed=4)[:, 0],
        synth.surround("rock", 2, 6, 44100),
        synth.to_int16(synth.song("waltz", 3)),
    ):
        assert_identical(in_blocks(samples, frames), auralis_fp.analyze_samples(samples, 44100))


# --- CPU levels --------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_every_cpu_level_agrees(level: str, files: list[Path]) -> None:
    """Within a tenth of the tolerance, of which this process uses another level than others."""
    used, results = in_another_process(files, AURALIS_FP_CPU_LEVEL=level)
    assert used == level
    for path, measured in zip(files, results, strict=True):
        assert_agree(measured, first_run(path), BUILD)
        if level == auralis_fp.build_info()["cpu_level"]:
            assert_identical(measured, first_run(path))


def test_an_unknown_cpu_level_is_refused() -> None:
    done = run_program("imports/import_error", variables={"AURALIS_FP_CPU_LEVEL": "x86-64-v9"})
    assert "x86-64-v9" in done.stdout
