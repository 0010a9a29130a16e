"""Calls in the form of each version of the application, and repositories that behave like its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.library import ApplicationRepository, FakeAnalyzer, Music, values_of

from auralis_fp import FINGERPRINT_VERSION, NAMES
from auralis_fp.library import ClaimedTrack, FingerprintExtractor, FingerprintQueue, LibraryError, Outcome

PLACEHOLDER = {**dict.fromkeys(NAMES, 0.0), "lufs": -100.0, "fingerprint_version": 8}


class Row:
    """A row as the application's object mapper returns it: attributes, and ``to_dict``."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)

    def to_dict(self) -> dict[str, Any]:
        return dict(self.__dict__)


class Application(ApplicationRepository):
    """The application's repository: rows with attributes, None for a failure, placeholders of its claims."""

    fails = False
    own_version: int | None = None
    changes: Mapping[str, float] = {}

    def upsert(self, track_id: int, fingerprint_data: Mapping[str, float]) -> Any:
        if self.fails:
            return None
        self.rows[track_id] = {**fingerprint_data, **self.changes}
        if self.own_version is not None:
            self.rows[track_id]["fingerprint_version"] = self.own_version
        return Row(self.rows[track_id])

    def get_by_track_id(self, track_id: int) -> Any:
        return Row(self.rows[track_id]) if track_id in self.rows else None


def test_what_a_repository_could_not_store_does_not_count(music: Music) -> None:
    (song,) = music(1)
    repository = Application()
    repository.fails = True
    repository.rows[7] = dict(PLACEHOLDER)  # of its own claim: exists() is true
    extractor = FingerprintExtractor(repository, analyze=FakeAnalyzer())
    extraction = extractor.extract(7, song)
    assert (extraction.outcome, extraction.stored, extraction.refused) == (Outcome.FAILED, False, True)
    assert "upsert returned None" in extraction.message
    assert not Path(song + ".25d").exists()
    assert extractor.extract_batch([(7, song)]) == {"success": 0, "failed": 1, "skipped": 0, "cached": 0}
    repository.fails = False
    assert extractor.extract_batch([(7, song)]) == {"success": 1, "failed": 0, "skipped": 0, "cached": 0}
    assert extractor.extract_batch([(7, song)]) == {"success": 0, "failed": 0, "skipped": 1, "cached": 0}
    assert Path(song + ".25d").exists()
    assert extractor.get_fingerprint(7) == {**values_of(song), "fingerprint_version": FINGERPRINT_VERSION}


def test_what_is_read_back_decides(music: Music) -> None:
    (song,) = music(1)
    repository = Application()
    repository.changes = {"lufs": -100.0}
    extraction = FingerprintExtractor(repository, analyze=FakeAnalyzer()).extract(7, song)
    assert (extraction.stored, "has other numbers" in extraction.message) == (False, True)
    assert not Path(song + ".25d").exists()


def test_a_repository_that_stores_nothing_stops_the_queue(music: Music) -> None:
    repository = Application()
    repository.fails = True
    repository.missing = [ClaimedTrack(number, song) for number, song in enumerate(music(40))]
    queue = FingerprintQueue(
        FingerprintExtractor(repository, analyze=FakeAnalyzer()), workers=1, until_empty=True
    )
    queue.start()
    assert queue.join(60)
    assert "none of the last 10 fingerprints was stored" in str(queue.error)
    assert queue.statistics.failed == 10


def test_a_repository_that_stores_them_under_its_own_version_is_found_out(music: Music) -> None:
    (song,) = music(1)
    repository = Application()
    repository.own_version = 8
    extractor = FingerprintExtractor(repository, analyze=FakeAnalyzer())
    with pytest.raises(LibraryError, match=r"version 101 as version 8.*docs/migration\.md"):
        extractor.extract_and_store(7, song)
    assert not Path(song + ".25d").exists()


def test_failures_are_counted_in_a_row(music: Music, tmp_path: Path) -> None:
    songs = music(40)
    for bad in songs[::3]:
        Path(bad).write_text("no audio")
    extractor = FingerprintExtractor(Application(), analyze=FakeAnalyzer())
    counts = extractor.extract_batch(list(enumerate(songs)), max_failures=10)
    assert counts == {"success": 26, "failed": 14, "skipped": 0, "cached": 0}
    for bad in songs[5:25]:
        Path(bad).write_text("no audio")
    extractor = FingerprintExtractor(Application(), use_sidecar_files=False, analyze=FakeAnalyzer())
    counts = extractor.extract_batch(list(enumerate(songs[4:])), max_failures=10)
    assert counts == {"success": 1, "failed": 10, "skipped": 0, "cached": 0}


@pytest.mark.filterwarnings("ignore:the whole track is measured", "ignore:use_rust_server")
@pytest.mark.parametrize(
    ("arguments", "options", "sidecars", "native"),
    [
        ((), {}, True, True),
        ((False,), {}, False, True),
        ((True, "sampling"), {}, True, True),
        ((False, "full-track", 20.0), {}, False, True),
        ((True, "sampling", 20.0, True), {}, True, True),
        ((object(),), {}, True, True),
        ((object(), False), {}, False, True),
        ((None, True), {}, True, True),
        ((), {"track_repository": object(), "use_sidecar_files": False}, False, True),
        ((True,), {"fingerprint_strategy": "sampling", "sampling_interval": 20.0}, True, True),
        ((), {"use_rust_server": False}, True, False),
        ((True, True), {}, True, True),
        ((True, False), {}, True, False),
    ],
)
def test_the_constructors_of_the_application(
    arguments: tuple[Any, ...], options: dict[str, Any], sidecars: bool, native: bool
) -> None:
    repository = Application()
    extractor = FingerprintExtractor(repository, *arguments, **options)
    assert (extractor.use_sidecar_files, extractor.use_native) == (sidecars, native)
    assert extractor.fingerprint_repo is extractor.repository is repository
    assert extractor.use_rust_server is native
    assert extractor.fingerprint_strategy in ("full-track", "sampling")


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((True, True, None, 1), {}, TypeError, "no more positional arguments"),
        ((True, "quick"), {}, ValueError, "'full-track' or 'sampling', not 'quick'"),
        ((True, 1), {}, TypeError, "use_native is True or False, not 1"),
        ((1,), {}, TypeError, "track_repository is an object that has tracks, not 1"),
        (("sampling",), {}, TypeError, "track_repository is an object that has tracks"),
        ((None, 1), {}, TypeError, "use_sidecar_files is True or False"),
        ((True,), {"use_sidecar_files": True}, TypeError, "given twice"),
        ((), {"strategy": "sampling"}, TypeError, "no argument 'strategy'"),
        ((True, "sampling", -1.0), {}, ValueError, "sampling_interval is a number of seconds"),
        ((True, "sampling", True), {}, ValueError, "sampling_interval is a number of seconds"),
    ],
)
@pytest.mark.filterwarnings("ignore:the whole track is measured")
def test_a_call_that_means_nothing_is_refused(
    arguments: tuple[Any, ...], options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        FingerprintExtractor(Application(), *arguments, **options)


def test_a_strategy_that_has_gone_warns() -> None:
    with pytest.warns(UserWarning, match="the whole track is measured") as caught:
        FingerprintExtractor(Application(), True, "sampling", 20.0)
    assert caught[0].filename == __file__


def test_failures_go_to_the_repository_of_tracks(music: Music) -> None:
    class Tracks:
        def __init__(self) -> None:
            self.failed: dict[int, str] = {}

        def mark_error(self, track_id: int, message: str) -> None:
            self.failed[track_id] = message

        def delete(self, track_id: int) -> None:
            raise AssertionError("a track was deleted")

    (song,) = music(1)
    Path(song).write_text("no audio")
    tracks = Tracks()
    assert not FingerprintExtractor(Application(), tracks, analyze=FakeAnalyzer()).extract_and_store(3, song)
    assert tracks.failed == {3: "Unsupported: not an audio file (probe)"}
    assert Path(song).exists()


@pytest.mark.parametrize("error", [RuntimeError("gone"), KeyError("x"), OSError(5, "I/O error")])
def test_errors_of_the_applications_repository_do_not_get_out(music: Music, error: Exception) -> None:
    class Failing(Application):
        def upsert(self, track_id: int, fingerprint_data: Mapping[str, float]) -> Any:
            raise error

    class Unreadable(Application):
        def get_by_track_id(self, track_id: int) -> Any:
            raise error

    (song,) = music(1)
    for repository in (Failing(), Unreadable()):
        extraction = FingerprintExtractor(repository, analyze=FakeAnalyzer()).extract(7, song)
        assert (extraction.stored, type(error).__name__ in extraction.message) == (False, True)
