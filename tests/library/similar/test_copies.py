"""Copies of one recording: found in other encodings, the best one first, and nothing deleted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.collections import made_up, store_fingerprints
from support.encode import EncodedFiles
from support.library import Recorder

from auralis_fp.library import Database, FingerprintExtractor, LibraryError, LibraryRepository, Scan
from auralis_fp.library.similar.copies import find_copies
from auralis_fp.library.similar.sources import open_source


def test_copies_of_every_encoding_are_one_recording_and_a_lossless_one_is_the_best(
    encoded: EncodedFiles, tmp_path: Path
) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    for name in ("mp3-vbr-0", "flac-16", "aac-m4a", "flac-mka"):
        (folder / name).with_suffix(encoded.file(name).suffix).write_bytes(encoded.file(name).read_bytes())
    before = sorted(folder.iterdir())
    repository = LibraryRepository(tmp_path / "library.db")
    Scan(repository, FingerprintExtractor(repository), folders=[str(folder)], workers=2).run(Recorder())
    repository.close()
    [group], unknown = find_copies(open_source(tmp_path / "library.db"))
    assert unknown == 0  # Matroska's length is in the sidecar alone
    assert {copy.track.path for copy in group.copies} == set(map(str, before))
    assert group.copies[0].lossless
    assert group.reason.startswith("lossless (flac)")
    assert [file for file in sorted(folder.iterdir()) if file.suffix != ".25d"] == before


@pytest.fixture
def database(tmp_path: Path) -> Path:
    values = made_up(300)
    values[290:] = values[:10] * 1.001
    durations = (
        [100.0 + 2 * one for one in range(290)] + [100.0 + 2 * one + 0.2 for one in range(9)] + [500.5]
    )
    paths = [f"/music/{one}.{'flac' if one % 2 else 'mp3'}" for one in range(300)]
    return store_fingerprints(tmp_path / "library.db", values, durations=durations, paths=paths)


def test_copies_are_alike_and_equally_long(database: Path) -> None:
    groups, unknown = find_copies(open_source(database))
    found = [[copy.track.id for copy in group.copies] for group in groups]
    assert [sorted(one or 0 for one in group) for group in found] == [[n, n + 290] for n in range(1, 10)]
    assert unknown == 0


def test_silent_tracks_and_tracks_of_no_known_length_are_not_compared(tmp_path: Path) -> None:
    values = np.repeat(made_up(1), 4, axis=0)
    database = store_fingerprints(tmp_path / "library.db", values, durations=[100.0, 100.0, None, None])
    groups, unknown = find_copies(open_source(database))
    assert [[copy.track.id for copy in group.copies] for group in groups] == [[1, 2]]
    assert unknown == 2
    assert groups[0].reason == "all are equally good; this is the first in the library"


def test_an_empty_library_says_so(tmp_path: Path) -> None:
    Database(tmp_path / "library.db").close()
    with pytest.raises(LibraryError, match="no track has a fingerprint yet"):
        find_copies(open_source(tmp_path / "library.db"))
