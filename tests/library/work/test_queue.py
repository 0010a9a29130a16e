"""The queue: workers claim tracks, stop when asked, and survive bad tracks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.library import ApplicationRepository, FakeAnalyzer, Music, add_tracks, track_row

from auralis_fp.library import (
    AsyncFingerprintQueue,
    ClaimedTrack,
    Extraction,
    FingerprintExtractor,
    FingerprintQueue,
    LibraryError,
    LibraryRepository,
    Outcome,
)
from auralis_fp.library.store.queries import library_status
from auralis_fp.library.work.protocol import TrackLike
from auralis_fp.library.work.queue import default_deadline_s


def queue_of(repository: LibraryRepository, seconds: float = 0.0, **options: Any) -> FingerprintQueue:
    analyzer = FakeAnalyzer(seconds)
    extractor = FingerprintExtractor(repository, use_sidecar_files=False, analyze=analyzer)
    return FingerprintQueue(extractor, **options)


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this should have happened"
        time.sleep(0.01)


def test_it_works_until_there_is_nothing_left(
    repository: LibraryRepository, music: Music, tmp_path: Path
) -> None:
    songs = music(40)
    bad = tmp_path / "bad.wav"
    bad.write_text("no audio")
    add_tracks(repository, [*songs[:20], bad, *songs[20:]])
    seen: list[tuple[str, Outcome]] = []
    lock = threading.Lock()

    def progress(track: TrackLike, extraction: Extraction) -> None:
        with lock:
            seen.append((track.filepath, extraction.outcome))
        raise RuntimeError("a callback of the application that fails")

    queue = queue_of(repository, until_empty=True, on_progress=progress)
    queue.start()
    with pytest.raises(RuntimeError, match="is running"):
        queue.start()
    assert queue.join(60)
    statistics = queue.statistics
    assert (statistics.analyzed, statistics.failed, statistics.running, statistics.done) == (40, 1, 0, 41)
    assert statistics.audio_seconds == 40
    assert len(seen) == 41
    assert (str(bad), Outcome.FAILED) in seen
    assert library_status(repository.database).by_status == {"complete": 40, "error": 1}
    assert queue.error is None


def test_sixteen_threads_by_default_work_at_once(library: LibraryRepository, music: Music) -> None:
    add_tracks(library, music(32))
    queue = queue_of(library, seconds=0.5, until_empty=True)
    queue.start()
    wait_for(lambda: queue.statistics.running == 16)
    assert queue.join(30)
    assert queue.statistics.analyzed == 32


def test_a_graceful_stop_finishes_the_running_tracks(library: LibraryRepository, music: Music) -> None:
    add_tracks(library, music(30))
    queue = queue_of(library, seconds=0.2, workers=4)
    queue.start()
    wait_for(lambda: queue.statistics.running == 4)
    assert queue.stop(timeout=10)
    counts = library_status(library.database).by_status
    assert queue.statistics.analyzed == counts["complete"] >= 4
    assert queue.statistics.cancelled == 0
    assert set(counts) == {"complete", "pending"}


def test_an_immediate_stop_gives_them_back(library: LibraryRepository, music: Music) -> None:
    add_tracks(library, music(8))
    queue = queue_of(library, seconds=60, workers=4)
    queue.start()
    wait_for(lambda: queue.statistics.running == 4)
    started = time.monotonic()
    assert queue.stop(graceful=False, timeout=10)
    assert time.monotonic() - started < 5
    assert queue.statistics.cancelled == 4
    assert library_status(library.database).by_status == {"pending": 8}
    # It can be started again.
    rest = queue_of(library, until_empty=True)
    rest.start()
    assert rest.join(30)
    assert library_status(library.database).by_status == {"complete": 8}


def test_a_waiting_queue_finds_new_tracks_and_restarts(library: LibraryRepository, music: Music) -> None:
    songs = music(3)
    queue = queue_of(library, workers=2, poll_s=0.05)
    queue.start()
    assert not queue.join(0.2)
    add_tracks(library, songs[:2])
    wait_for(lambda: queue.statistics.done == 2)
    assert queue.stop(timeout=10)
    queue.start()
    add_tracks(library, songs[2:])
    wait_for(lambda: queue.statistics.done == 1)
    assert queue.stop(timeout=10)


def test_a_track_past_its_deadline_fails_and_the_worker_goes_on(
    library: LibraryRepository, music: Music
) -> None:
    first, second = add_tracks(library, music(2))
    deadlines = {first: 0.05, second: 60.0}
    queue = queue_of(library, seconds=0.2, workers=1, until_empty=True, deadline_s=lambda t: deadlines[t.id])
    queue.start()
    assert queue.join(30)
    assert str(track_row(library.database, first)["fingerprint_error_message"]).startswith("Timeout: ")
    assert library.exists(second)


def test_the_default_deadline(music: Music) -> None:
    (song,) = music(1)
    assert default_deadline_s(ClaimedTrack(1, song, duration=599.0)) == 60
    assert default_deadline_s(ClaimedTrack(1, song, duration=36_000.0)) == 3600
    assert default_deadline_s(ClaimedTrack(1, song)) == 60  # read from the file
    assert default_deadline_s(ClaimedTrack(1, "/nowhere")) == 60


def test_a_limit_is_kept(library: LibraryRepository, music: Music) -> None:
    add_tracks(library, music(20))
    queue = queue_of(library, workers=8, until_empty=True, limit=5)
    queue.start()
    assert queue.join(30)
    assert queue.statistics.done == 5


@pytest.mark.parametrize("failing", ["claim_next_unfingerprinted_track", "upsert", "mark_error"])
def test_a_repository_that_fails_stops_the_queue(
    library: LibraryRepository, music: Music, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_text("no audio")
    add_tracks(library, [*music(6), bad])

    def fail(*_arguments: object, **_options: object) -> None:
        raise LibraryError("the disk is gone")

    monkeypatch.setattr(library, failing, fail)
    queue = queue_of(library, workers=3, until_empty=True)
    queue.start()
    assert queue.join(30)
    assert isinstance(queue.error, LibraryError)
    assert "processing" not in library_status(library.database).by_status


def test_claims_are_renewed_while_the_work_goes_on(database_url: str, music: Music) -> None:
    repository = LibraryRepository(database_url, claim_timeout_s=2.0)
    rival = LibraryRepository(database_url, claim_timeout_s=2.0)
    add_tracks(repository, music(2))
    queue = queue_of(repository, seconds=5.0, workers=2, until_empty=True)
    queue.start()
    wait_for(lambda: queue.statistics.running == 2)
    while queue.running:
        assert rival.claim_next_unfingerprinted_track() is None
        time.sleep(0.05)
    assert queue.statistics.analyzed == 2
    repository.close()
    rival.close()


def test_an_application_repository_is_worked_through(music: Music) -> None:
    repository = ApplicationRepository()
    repository.missing = [ClaimedTrack(number, song) for number, song in enumerate(music(10))]
    queue = FingerprintQueue(
        FingerprintExtractor(repository, analyze=FakeAnalyzer()), workers=4, until_empty=True
    )
    queue.start()
    assert queue.join(30)
    assert sorted(repository.rows) == list(range(10))


def test_the_async_front(library: LibraryRepository, music: Music) -> None:
    add_tracks(library, music(6))

    async def main() -> int:
        queue = AsyncFingerprintQueue(queue_of(library, seconds=0.05, workers=2))
        await queue.start()
        while queue.statistics.done < 6:
            await asyncio.sleep(0.02)
        assert await queue.stop()
        async with AsyncFingerprintQueue(queue_of(library, until_empty=True)) as empty:
            await empty.join()
        return queue.statistics.analyzed

    assert asyncio.run(main()) == 6
