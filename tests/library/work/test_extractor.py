"""The extractor: the order of its work, its options, and files that fail."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from support.library import (
    ApplicationRepository,
    FakeAnalyzer,
    Music,
    add_tracks,
    track_row,
    values_of,
    write_noise,
)

import auralis_fp
from auralis_fp import FINGERPRINT_VERSION, NAMES, CancelToken
from auralis_fp.library import (
    FingerprintExtractor,
    FingerprintRepository,
    LibraryError,
    LibraryRepository,
    Outcome,
)
from auralis_fp.library.files import sidecar
from auralis_fp.library.files.sidecar import FileState


def test_the_order_is_sidecar_then_analysis(library: LibraryRepository, music: Music) -> None:
    (song,) = music(1)
    first, second = add_tracks(library, [song, song + ".copy"])
    analyzer = FakeAnalyzer()
    extractor = FingerprintExtractor(library, analyze=analyzer)
    assert extractor.extract(first, song).outcome is Outcome.ANALYZED
    assert sidecar.read(song) == {**values_of(song), "fingerprint_version": FINGERPRINT_VERSION}
    assert extractor.extract(second, song).outcome is Outcome.CACHED
    assert analyzer.calls == [song]
    assert dict(extractor.get_fingerprint(second)) == values_of(song)
    # An update measures even if there is a valid sidecar.
    assert extractor.update_fingerprint(first, song)
    assert analyzer.calls == [song, song]


def test_without_sidecars_none_is_read_or_written(library: LibraryRepository, music: Music) -> None:
    (song,) = music(1)
    (track,) = add_tracks(library, [song])
    analyzer = FakeAnalyzer()
    extractor = FingerprintExtractor(library, use_sidecar_files=False, analyze=analyzer)
    assert extractor.extract_and_store(track, song)
    assert not Path(song + ".25d").exists()
    sidecar.write(song, dict.fromkeys(NAMES, 1.0), FileState.of(song))
    assert extractor.extract_and_store(track, song)
    assert len(analyzer.calls) == 2


def test_a_repository_of_the_application_plugs_in(music: Music) -> None:
    songs = music(4)
    for answer in (object(), True):
        repository = ApplicationRepository(answer)
        assert isinstance(repository, FingerprintRepository)
        extractor = FingerprintExtractor(
            fingerprint_repository=repository,
            use_sidecar_files=False,
            use_native=True,
            analyze=FakeAnalyzer(),
        )
        assert extractor.extract_and_store(7, songs[0])
        assert repository.rows[7] == {**values_of(songs[0]), "fingerprint_version": FINGERPRINT_VERSION}
        assert extractor.get_fingerprint(7) == repository.rows[7]
        assert not extractor.extract_and_store(8, "/nowhere/at/all.wav")
        assert set(repository.rows) == {7}
    assert not FingerprintExtractor(ApplicationRepository(False), analyze=FakeAnalyzer()).extract_and_store(
        7, songs[0]
    )


def test_batches_count(library: LibraryRepository, music: Music, tmp_path: Path) -> None:
    songs = music(4)
    bad = [tmp_path / "music" / f"bad{index}.wav" for index in range(3)]
    for path in bad:
        path.write_text("no audio")
    tracks = add_tracks(library, [*songs, *bad])
    extractor = FingerprintExtractor(library, analyze=FakeAnalyzer())
    assert extractor.extract_and_store(tracks[0], songs[0])
    sidecar.write(songs[1], values_of(songs[1]), FileState.of(songs[1]))
    pairs = list(zip(tracks, [*songs, *map(str, bad)], strict=True))
    assert extractor.extract_batch(pairs) == {"success": 3, "failed": 3, "skipped": 1, "cached": 1}
    library.retry_failed()
    assert extractor.extract_batch(pairs, max_failures=2) == {
        "success": 0, "failed": 2, "skipped": 4, "cached": 0,
    }  # fmt: skip
    assert extractor.extract_missing_fingerprints(limit=5) == {
        "success": 0, "failed": 1, "skipped": 0, "cached": 0,
    }  # fmt: skip


def test_a_failing_file_gets_a_status_and_nothing_else(library: LibraryRepository, tmp_path: Path) -> None:
    path = tmp_path / "bad.wav"
    path.write_text("no audio")
    (track,) = add_tracks(library, [path])
    extractor = FingerprintExtractor(library)  # the real analyzer
    assert not extractor.extract_and_store(track, path)
    row = track_row(library.database, track)
    assert row["fingerprint_status"] == "error"
    assert str(row["fingerprint_error_message"]).startswith("Unsupported: ")
    assert library.get_by_track_id(track) is None
    assert path.read_text() == "no audio"
    path.unlink()
    assert not extractor.extract_and_store(track, path)
    assert str(track_row(library.database, track)["fingerprint_error_message"]).startswith("FileNotFound: ")


@pytest.mark.parametrize(
    "error", [RuntimeError("a defect"), MemoryError(), RecursionError(), OSError(22, "Invalid argument")]
)
def test_no_exception_of_the_analyzer_gets_out(
    library: LibraryRepository, music: Music, error: Exception
) -> None:
    (song,) = music(1)
    (track,) = add_tracks(library, [song])

    def broken(path: str, *, timeout: float | None = None, cancel: CancelToken | None = None) -> Any:
        raise error

    assert not FingerprintExtractor(library, analyze=broken).extract_and_store(track, song)
    assert type(error).__name__ in str(track_row(library.database, track)["fingerprint_error_message"])


def test_numbers_that_are_not_finite_are_a_failure(library: LibraryRepository, music: Music) -> None:
    (song,) = music(1)
    (track,) = add_tracks(library, [song])

    class Broken(FakeAnalyzer):
        def __call__(self, *arguments: Any, **options: Any) -> Any:
            return Values(super().__call__(*arguments, **options))

    class Values(dict[str, float]):
        def __init__(self, fingerprint: auralis_fp.Fingerprint) -> None:
            super().__init__(fingerprint)
            self["lufs"] = math.inf

    assert not FingerprintExtractor(library, analyze=Broken()).extract_and_store(track, song)
    assert "no finite lufs" in str(track_row(library.database, track)["fingerprint_error_message"])
    assert not library.exists(track)


def test_a_file_that_changes_meanwhile_is_measured_again(library: LibraryRepository, music: Music) -> None:
    (song,) = music(1)
    (track,) = add_tracks(library, [song])

    class Changing(FakeAnalyzer):
        times = 1

        def __call__(self, path: str, **options: Any) -> auralis_fp.Fingerprint:
            measured = super().__call__(path, **options)
            if len(self.calls) <= self.times:
                write_noise(path, seed=100 + len(self.calls), seconds=0.1 * len(self.calls))
            return measured

    assert FingerprintExtractor(library, analyze=Changing()).extract_and_store(track, song)
    stored = library.get_by_track_id(track)
    assert stored is not None
    assert dict(stored) == values_of(song)
    restless = Changing()
    restless.times = 99
    extractor = FingerprintExtractor(library, use_sidecar_files=False, analyze=restless)
    assert not extractor.extract_and_store(track, song)
    assert "keeps changing" in str(track_row(library.database, track)["fingerprint_error_message"])


def test_a_folder_that_vanished_is_no_fault_of_the_file(library: LibraryRepository) -> None:
    (track,) = add_tracks(library, ["/mnt/no such disk/a.wav"])
    assert library.claim_next_unfingerprinted_track() is not None
    extraction = FingerprintExtractor(library).extract(track, "/mnt/no such disk/a.wav")
    assert extraction.outcome is Outcome.UNAVAILABLE
    assert "/mnt/no such disk is not there" in extraction.message
    assert track_row(library.database, track)["fingerprint_status"] == "pending"


def test_a_database_that_fails_is_not_blamed_on_the_file(
    library: LibraryRepository, music: Music, monkeypatch: pytest.MonkeyPatch
) -> None:
    (song,) = music(1)
    (track,) = add_tracks(library, [song])

    def full(*_arguments: object) -> bool:
        raise LibraryError("no space is left")

    monkeypatch.setattr(library, "upsert", full)
    with pytest.raises(LibraryError, match="no space"):
        FingerprintExtractor(library, analyze=FakeAnalyzer()).extract_and_store(track, song)
    assert track_row(library.database, track)["fingerprint_status"] == "pending"
    assert not Path(song + ".25d").exists()  # store, then write


def test_the_name_from_the_time_of_the_server_still_works(library: LibraryRepository) -> None:
    with pytest.warns(DeprecationWarning, match="use_native"):
        extractor = FingerprintExtractor(fingerprint_repository=library, use_rust_server=True)
    assert extractor.use_native
    with pytest.warns(DeprecationWarning, match="use_native"):
        assert not FingerprintExtractor(library, use_rust_server=False).use_native


def test_the_rollback_switch_uses_the_reference(
    library: LibraryRepository, music: Music, monkeypatch: pytest.MonkeyPatch
) -> None:
    from auralis_fp import reference

    (song,) = music(1)
    (track,) = add_tracks(library, [song])
    fake = FakeAnalyzer()
    monkeypatch.setattr(reference, "analyze", fake)
    assert FingerprintExtractor(library, use_native=False).extract_and_store(track, song)
    assert fake.calls == [song]


def test_without_core_and_reference_there_is_one_clear_error(
    library: LibraryRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    monkeypatch.setattr("auralis_fp.library.work.analyzers.build_info", lambda: {"engine": "reference"})
    FingerprintExtractor(library)  # the reference is installed
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "librosa" else find_spec(name)
    )
    with pytest.raises(ImportError, match=r"auralis-fp\[reference\]"):
        FingerprintExtractor(library)


def test_the_real_core_end_to_end(library: LibraryRepository, music: Music) -> None:
    (song,) = music(1)
    (track,) = add_tracks(library, [song])
    assert FingerprintExtractor(library).extract_and_store(track, song)
    stored = library.get_by_track_id(track)
    assert stored is not None
    assert dict(stored) == dict(auralis_fp.analyze(song))
