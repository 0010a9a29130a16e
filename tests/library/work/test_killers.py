"""Files that crash the process that analyses them: no file ends two scans."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from support import killers
from support.library import (
    FakeAnalyzer,
    Music,
    Recorder,
    add_fingerprint,
    add_tracks,
    application_database,
    command,
    run_command,
    set_track,
    track_row,
)
from support.workers import busy_worker, eventually, workers

from auralis_fp.library import FingerprintExtractor, FingerprintQueue, LibraryRepository, Outcome, Scan
from auralis_fp.library.store.database import utc_now
from auralis_fp.library.store.tables import UNREAD
from auralis_fp.library.work.catalog import synchronize


@pytest.fixture
def killer(music: Music, long_wav: Path) -> str:
    """Return a file that takes seconds, enough to kill its process meanwhile; it has two good neighbours."""
    path = Path(music(2)[0]).with_name("a long one.wav")
    os.link(long_wav, path)
    return str(path)


def state(database: Path, path: str) -> tuple[str, str]:
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT fingerprint_status, fingerprint_error_message FROM tracks WHERE filepath = ?"
        status, message = connection.execute(query, [path]).fetchone()
    return status, message or ""


def scan_and_kill_twice(*options: str | Path) -> str:
    """Run a scan, kill two of its workers while they analyse, and return its output."""
    with subprocess.Popen(command("scan", *options), stdout=subprocess.PIPE, text=True) as process:
        first = busy_worker(process.pid)
        first.send_signal(signal.SIGSEGV)
        busy_worker(process.pid, but=first).send_signal(signal.SIGABRT)
        output = process.communicate(timeout=120)[0]
    assert process.returncode == 1, "a failed file, and no more than that"
    return output


def test_scan_isolate(killer: str, tmp_path: Path) -> None:
    folder, database = Path(killer).parent, tmp_path / "library.db"
    output = scan_and_kill_twice(folder, "--db", database, "--isolate", "--no-sidecar")
    reason = "Crashed: the process that analysed it was killed by SIGABRT (analyze)"
    assert f"  {killer}: {reason}" in output
    assert "Done: 2 analysed, 0 from sidecars, 1 failed" in output
    assert state(database, killer) == ("error", reason)
    # It is left alone; if it is tried again, then not in the process of the scan.
    assert "Nothing to do: no track was waiting" in run_command("scan", "--db", database).stdout
    arguments = command("scan", "--db", database, "--retry-failed", "--no-sidecar")
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL) as process:
        busy_worker(process.pid)
    assert process.returncode == 0
    assert state(database, killer) == ("complete", "")


def test_a_scan_survives_what_killed_the_last_one(killer: str, tmp_path: Path) -> None:
    folder, database = Path(killer).parent, tmp_path / "library.db"
    options = (folder, "--db", database, "--claim-timeout", "1", "--no-sidecar")
    repository = LibraryRepository(database)
    synchronize(repository.database, [str(folder)])
    repository.close()
    paths = [*map(str, folder.glob("song*")), killer]
    with subprocess.Popen(command("scan", *options), stdout=subprocess.DEVNULL) as process:
        last_one = ["complete", "complete", "processing"]
        assert eventually(lambda: [state(database, path)[0] for path in paths] == last_one)
        assert not workers(process.pid)
        process.send_signal(signal.SIGSEGV)
    assert state(database, killer) == ("processing", UNREAD)
    scan_and_kill_twice(*options)
    assert state(database, killer)[0] == "error"


def test_interrupting_an_isolated_scan(killer: str, tmp_path: Path) -> None:
    database = tmp_path / "library.db"
    options = (Path(killer).parent, "--db", database, "--isolate", "--no-sidecar")
    process = subprocess.Popen(
        command("scan", *options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    children = [busy_worker(process.pid)]
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    assert process.stderr is not None
    assert process.stderr.readline().startswith(b"finishing")
    assert children[0].is_running()
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert not any(child.is_running() for child in children)
    assert state(database, killer) == ("pending", UNREAD)


def test_the_queue_isolates_suspects_only(library: LibraryRepository, music: Music) -> None:
    before, used = workers(), []
    good, suspect = add_tracks(library, music(2))
    set_track(library.database, suspect, fingerprint_status="processing")  # without a time: expired
    extractor = FingerprintExtractor(library)
    queue = FingerprintQueue(
        extractor, workers=1, until_empty=True, on_progress=lambda *_: used.append(len(workers()))
    )
    queue.start()
    assert queue.join(120)
    assert (queue.error, queue.statistics.analyzed) == (None, 2)
    assert used == [len(before), len(before) + 1]
    assert {track_row(library.database, t)["fingerprint_error_message"] for t in (good, suspect)} == {None}


def test_who_isolates_and_who_does_not(library: LibraryRepository, music: Music) -> None:
    song = music(1)[0]
    (track,) = add_tracks(library, [song])
    for isolate, suspect, expected in ((None, False, 0), (None, True, 1), (False, True, 0), (True, False, 1)):
        assert eventually(lambda: not workers())  # those of the last extractor
        extractor = FingerprintExtractor(library, use_sidecar_files=False, isolate=isolate)
        assert extractor.extract(track, song, suspect=suspect).outcome is Outcome.ANALYZED
        assert len(workers()) == expected
        del extractor
    analyzer = FakeAnalyzer()  # with an analyzer of their own, callers decide where it runs
    FingerprintExtractor(library, use_sidecar_files=False, analyze=analyzer).extract(
        track, song, suspect=True
    )
    assert analyzer.calls == [song]


def test_an_analyzer_of_ones_own_in_isolation(library: LibraryRepository, music: Music) -> None:
    song = Path(music(1)[0])
    song.write_text("do signal SIGSEGV")
    (track,) = add_tracks(library, [song])
    extractor = FingerprintExtractor(library, analyze=killers.analyze, isolate=True)
    assert extractor.extract_missing_fingerprints()["failed"] == 1
    assert "killed by SIGSEGV: last words" in str(track_row(library.database, track))


def test_no_worker_is_no_failure_of_files(
    library: LibraryRepository, music: Music, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracks = add_tracks(library, music(3))
    monkeypatch.setattr("multiprocessing.spawn.get_executable", lambda: "/no/such/python")
    with pytest.raises(ImportError, match="no worker process can be started"):
        Scan(library, FingerprintExtractor(library, isolate=True), workers=2).run(Recorder())
    assert {track_row(library.database, track)["fingerprint_status"] for track in tracks} == {"pending"}


# --- the record --------------------------------------------------------------------------------------


def test_suspicion_outlives_releases_and_ends_with_a_result(
    repository: LibraryRepository, music: Music
) -> None:
    songs = music(2)
    first, second = add_tracks(repository, songs)
    assert [track.suspect for track in repository.get_missing_fingerprints()] == [False, False]
    set_track(repository.database, first, fingerprint_status="processing")
    repository.reconcile()
    assert [track.suspect for track in repository.get_missing_fingerprints()] == [True, False]
    claims = {
        track.id: track for track in (repository.claim_next_unfingerprinted_track() for _ in "12") if track
    }
    assert (claims[first].suspect, claims[second].suspect) == (True, False)
    repository.release_all_claims()
    again = LibraryRepository(repository.database.url)
    claimed = again.claim_next_unfingerprinted_track()
    assert claimed is not None
    assert (claimed.id, claimed.suspect) == (first, True)
    extractor = FingerprintExtractor(again, analyze=FakeAnalyzer())
    assert extractor.extract_and_store(first, songs[0])
    assert track_row(again.database, first)["fingerprint_error_message"] is None
    again.close()


def test_a_verdict_stays_on_record_when_failures_are_cleared(
    repository: LibraryRepository, music: Music
) -> None:
    crashed, failed = add_tracks(repository, music(2))
    repository.mark_error(crashed, "Crashed: killed by SIGSEGV (analyze)")
    repository.mark_error(failed, "CorruptAudio: nothing (decode)")
    assert repository.claim_next_unfingerprinted_track() is None
    assert repository.retry_failed() == 2
    assert [(t.id, t.suspect) for t in repository.get_missing_fingerprints()] == [
        (crashed, True),
        (failed, False),
    ]
    repository.mark_error(crashed, "CorruptAudio: nothing (decode)")  # in a process that survived
    repository.retry_failed()
    assert [t.suspect for t in repository.get_missing_fingerprints()] == [False, False]


def test_suspicion_of_outdated_tracks(repository: LibraryRepository, music: Music) -> None:
    (track,) = add_tracks(repository, music(1))
    add_fingerprint(repository.database, track, version=7)
    set_track(repository.database, track, fingerprint_status="processing")  # its renewal, when all ended
    repository.reconcile()
    assert track_row(repository.database, track)["fingerprint_status"] == "complete"
    again = LibraryRepository(repository.database.url, outdated=True)
    claimed = again.claim_next_unfingerprinted_track()
    assert claimed is not None
    assert claimed.suspect
    again.close()


def test_a_crash_moves_along_and_a_new_recording_is_innocent(
    library: LibraryRepository, music: Music
) -> None:
    song = Path(music(1)[0])
    synchronize(library.database, [str(song.parent)])
    (track,) = library.get_missing_fingerprints()
    library.mark_error(track.id, "Crashed: killed by SIGSEGV (analyze)")
    moved = song.rename(song.with_name("moved.wav"))
    assert synchronize(library.database, [str(song.parent)]).moved == 1
    assert track_row(library.database, track.id)["fingerprint_status"] == "error"
    moved.write_bytes(moved.read_bytes() + b"more")
    synchronize(library.database, [str(song.parent)])
    assert [t.suspect for t in library.get_missing_fingerprints()] == [False]


def test_a_database_without_messages_keeps_no_record(music: Music, tmp_path: Path) -> None:
    path = application_database(tmp_path / "app.db", music(1), claim_column=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("ALTER TABLE tracks DROP COLUMN fingerprint_error_message")
        connection.execute("UPDATE tracks SET fingerprint_status = 'processing'")
    repository = LibraryRepository(path)
    repository.reconcile()
    claimed = repository.claim_next_unfingerprinted_track()
    assert claimed is not None
    assert claimed.suspect, "of the claim that has just expired, this is known"
    repository.mark_error(claimed.id, "Crashed: ")
    assert repository.retry_failed() == 1
    assert [track.suspect for track in repository.get_missing_fingerprints()] == [False]
    repository.close()


def test_a_living_claim_is_no_suspect(repository: LibraryRepository, music: Music) -> None:
    (track,) = add_tracks(repository, music(1))
    set_track(repository.database, track, fingerprint_status="processing", fingerprint_started_at=utc_now())
    repository.reconcile()
    assert repository.claim_next_unfingerprinted_track() is None
    assert track_row(repository.database, track)["fingerprint_error_message"] is None
