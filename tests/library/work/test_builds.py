"""The build that computed a fingerprint: named by the analyzer, kept in the database or in the sidecar."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.library import FakeAnalyzer, Music, add_tracks, application_database, values_of

import auralis_fp
from auralis_fp import NAMES, reference
from auralis_fp.isolation import IsolatedAnalyzer
from auralis_fp.library import FingerprintExtractor, LibraryRepository
from auralis_fp.library.files.sidecar_metadata import build_from
from auralis_fp.library.report.export import with_build
from auralis_fp.library.store.queries import stored_tracks
from auralis_fp.library.work.analyzers import build_of


def test_builds_are_what_build_info_says() -> None:
    info = auralis_fp.build_info()
    build = json.loads(build_of(auralis_fp.analyze) or "")
    assert build == {key: info[key] for key in build}
    assert {"engine", "version", "fingerprint_version", "cpu_level", "compiler", "ffmpeg", "soxr"} == set(
        build
    )
    assert build_of(IsolatedAnalyzer()) == build_of(auralis_fp.analyze)
    assert build_from(build) == build_of(auralis_fp.analyze)
    plain = json.loads(build_of(reference.analyze) or "")
    assert plain["engine"] == "reference"
    assert plain["packages"]["librosa"] != "?"
    assert build_of(FakeAnalyzer()) is None


def test_databases_of_this_package_tell_the_build(repository: LibraryRepository, song: str) -> None:
    (track,) = add_tracks(repository, [song])
    assert repository.keeps_builds
    assert FingerprintExtractor(repository, use_sidecar_files=False).extract_and_store(track, song)
    (stored,) = stored_tracks(repository.database)
    assert stored.build == build_of(auralis_fp.analyze)
    # The build belongs to the numbers: other numbers remove it.
    repository.upsert(track, values_of(song))
    assert [found.build for found in stored_tracks(repository.database)] == [None]


def test_the_extractor_keeps_and_finds_metadata_and_builds(library: LibraryRepository, song: str) -> None:
    first, second = add_tracks(library, [song, song + ".copy"])
    extractor = FingerprintExtractor(library)
    analyzed = extractor.extract(first, song)
    assert analyzed.metadata == auralis_fp.analyze(song).metadata
    cached = extractor.extract(second, song)
    assert (cached.metadata, cached.audio_seconds) == (analyzed.metadata, 0)
    builds = [track.build for track in stored_tracks(library.database)]
    assert builds == [build_of(auralis_fp.analyze)] * 2


@pytest.mark.parametrize("with_table", [True, False])
def test_databases_of_an_application_get_no_column(music: Music, tmp_path: Path, with_table: bool) -> None:
    songs = music(2)
    path = application_database(tmp_path / "app.db", songs)
    if not with_table:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP TABLE track_fingerprints")
    repository = LibraryRepository(path)
    assert not repository.keeps_builds
    extractor = FingerprintExtractor(repository)
    assert extractor.extract_missing_fingerprints()["success"] == 2
    tracks = list(stored_tracks(repository.database))
    assert [track.build for track in tracks] == [None, None]
    # It is known from the sidecar, as long as that holds the same numbers.
    assert [with_build(track).build for track in tracks] == [build_of(auralis_fp.analyze)] * 2
    repository.upsert(tracks[0].id, dict.fromkeys(NAMES, 1.0))
    builds = [with_build(track).build for track in stored_tracks(repository.database)]
    assert builds == [None, build_of(auralis_fp.analyze)]
    repository.close()
