"""Walking folders and keeping a database in line with them."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
from support.library import (
    FakeAnalyzer,
    Music,
    Recorder,
    application_database,
    set_track,
    track_row,
    values_of,
    write_noise,
)

from auralis_fp.library import FingerprintExtractor, LibraryRepository, Scan, ScanSummary
from auralis_fp.library.files.tags import read_tags
from auralis_fp.library.store.backlog import WorkLeft
from auralis_fp.library.store.queries import find_track, library_status
from auralis_fp.library.work.catalog import synchronize
from auralis_fp.library.work.progress import Meter, format_seconds
from auralis_fp.library.work.queue import QueueStatistics


def scan(repository: LibraryRepository, folder: Path, analyzer: FakeAnalyzer | None = None) -> ScanSummary:
    extractor = FingerprintExtractor(repository, analyze=analyzer or FakeAnalyzer())
    return Scan(repository, extractor, folders=[str(folder)], workers=4).run(Recorder())


def test_links_lead_to_one_track_per_file(library: LibraryRepository, tmp_path: Path) -> None:
    music, elsewhere = tmp_path / "music", tmp_path / "elsewhere"
    music.mkdir()
    elsewhere.mkdir()
    write_noise(music / "b.wav", 1)
    os.link(music / "b.wav", music / "a.wav")
    (music / "c.wav").symlink_to("b.wav")
    write_noise(elsewhere / "target.wav", 2)
    (music / "d.wav").symlink_to(elsewhere / "target.wav")
    (music / "e.wav").symlink_to(elsewhere / "target.wav")
    (music / ".store").mkdir()
    write_noise(music / ".store" / "1.wav", 3)
    (music / "f.wav").symlink_to(".store/1.wav")  # as git-annex does
    report = scan(library, music)
    assert (report.changes.new, report.changes.other_names) == (3, 3)
    paths = {Path(track).name for track in stored_paths(library)}
    assert paths == {"a.wav", "d.wav", "f.wav"}
    # A new link to a listed file is no new track, whatever its place in the order.
    os.link(music / "b.wav", music / "0.wav")
    report = scan(library, music)
    assert (report.changes.new, report.changes.moved, report.changes.changed) == (0, 0, 0)


def stored_paths(repository: LibraryRepository) -> list[str]:
    with repository.database.read() as connection:
        return [row.filepath for row in connection.execute(repository.database.tracks.select())]


def numbers_of(repository: LibraryRepository, path: Path) -> dict[str, float]:
    track = find_track(repository.database, "", str(path))
    assert track is not None
    assert track.fingerprint is not None
    return dict(track.fingerprint)


def test_new_files_are_analysed_once(repository: LibraryRepository, music: Music) -> None:
    folder, analyzer = Path(music(3)[0]).parent, FakeAnalyzer()
    assert scan(repository, folder, analyzer).changes.new == 3
    assert scan(repository, folder, analyzer).statistics.done == 0
    assert len(analyzer.calls) == 3


def test_changed_files_are_analysed_again(repository: LibraryRepository, music: Music) -> None:
    same_size, longer, older, untouched = songs = [Path(song) for song in music(4)]
    analyzer = FakeAnalyzer()
    scan(repository, same_size.parent, analyzer)
    write_noise(same_size, 100)
    write_noise(longer, 101, seconds=0.3)
    before = older.stat()
    write_noise(older, 102)
    os.utime(older, ns=(before.st_atime_ns, before.st_mtime_ns - 10**12))
    changes = scan(repository, same_size.parent, analyzer).changes
    assert (changes.new, changes.changed, changes.moved, changes.missing) == (0, 3, 0, 0)
    assert sorted(analyzer.calls[4:]) == sorted(map(str, (same_size, longer, older)))
    assert [numbers_of(repository, song) for song in songs] == [values_of(song) for song in songs]
    assert str(untouched) not in analyzer.calls[4:]


def test_a_moved_file_keeps_its_row(repository: LibraryRepository, music: Music) -> None:
    song, analyzer = Path(music(2)[0]), FakeAnalyzer()
    scan(repository, song.parent, analyzer)
    before = find_track(repository.database, "", str(song))
    assert before is not None
    (song.parent / "Album").mkdir()
    moved = song.rename(song.parent / "Album" / "renamed.wav")
    changes = scan(repository, song.parent, analyzer).changes
    assert (changes.new, changes.changed, changes.moved, changes.missing) == (0, 0, 1, 0)
    after = find_track(repository.database, "", str(moved))
    assert after is not None
    assert after.id == before.id
    assert numbers_of(repository, moved) == values_of(moved)
    assert len(analyzer.calls) == 2


def test_a_missing_file_keeps_its_row(repository: LibraryRepository, music: Music) -> None:
    song, analyzer = Path(music(2)[0]), FakeAnalyzer()
    scan(repository, song.parent, analyzer)
    expected = values_of(song)
    song.unlink()
    changes = scan(repository, song.parent, analyzer).changes
    assert (changes.new, changes.changed, changes.moved, changes.missing) == (0, 0, 0, 1)
    assert changes.missing_paths == [str(song)]
    assert numbers_of(repository, song) == expected
    assert library_status(repository.database).tracks == 2


def test_a_changed_file_that_fails_does_not_keep_its_old_numbers(
    library: LibraryRepository, music: Music
) -> None:
    (song,) = music(1)
    scan(library, Path(song).parent)
    Path(song).write_text("no audio any more")
    report = scan(library, Path(song).parent)
    assert [path for path, _reason in report.failures] == [song]
    track = find_track(library.database, "", song)
    assert track is not None
    assert (track.status, track.fingerprint) == ("error", None)
    # It is left alone until it changes again.
    assert scan(library, Path(song).parent).statistics.done == 0
    write_noise(song, 5)
    assert scan(library, Path(song).parent).statistics.analyzed == 1


def test_moves_that_are_not_certain_are_new_files(library: LibraryRepository, tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    for name in ("a.wav", "b.wav"):
        write_noise(folder / name)
        os.utime(folder / name, (1_000_000_000, 1_000_000_000))
    scan(library, folder)
    for name in ("a.wav", "b.wav"):  # twins: the same size and time
        (folder / name).rename(folder / f"new {name}")
    changes = scan(library, folder).changes
    assert (changes.new, changes.moved, changes.missing) == (2, 0, 2)


def test_moves_in_an_application_database_go_by_name_and_size(music: Music, tmp_path: Path) -> None:
    songs = [Path(song) for song in music(3)]
    repository = LibraryRepository(application_database(tmp_path / "app.db", songs))
    scan(repository, songs[0].parent)
    (songs[0].parent / "Album").mkdir()
    songs[1].rename(songs[0].parent / "Album" / songs[1].name)
    songs[2].rename(songs[0].parent / "Album" / "another name.wav")
    changes = scan(repository, songs[0].parent).changes
    assert (changes.new, changes.moved, changes.missing) == (1, 1, 1)
    assert track_row(repository.database, 2)["filepath"] == str(songs[0].parent / "Album" / songs[1].name)


def test_changes_in_an_application_database_go_by_the_time_of_the_fingerprint(
    music: Music, tmp_path: Path
) -> None:
    songs = [Path(song) for song in music(3)]
    repository = LibraryRepository(application_database(tmp_path / "app.db", songs))
    analyzer = FakeAnalyzer()
    scan(repository, songs[0].parent, analyzer)
    scan(repository, songs[0].parent, analyzer)
    assert len(analyzer.calls) == 3
    write_noise(songs[1], 50)  # the same size, newer
    scan(repository, songs[0].parent, analyzer)
    assert analyzer.calls[3:] == [str(songs[1])]


def test_names_that_are_not_utf8(repository: LibraryRepository, tmp_path: Path) -> None:
    folder = tmp_path / "music" / "Beyonc\udce9"
    folder.mkdir(parents=True)
    song = folder / "caf\udce9.wav"
    write_noise(song)
    assert scan(repository, tmp_path / "music").statistics.analyzed == 1
    assert stored_paths(repository)[0].startswith("file:///")
    again = scan(repository, tmp_path / "music")
    assert (again.changes.new, again.changes.missing, again.statistics.done) == (0, 0, 0)
    song.rename(folder / "th\udce9.wav")
    assert scan(repository, folder).changes.moved == 1
    (folder / "th\udce9.wav").unlink()
    assert scan(repository, folder).changes.missing == 1


def test_an_unreadable_folder_is_named_and_its_tracks_are_not_missing(unprivileged: Path) -> None:
    (unprivileged / "music" / "closed").mkdir(parents=True)
    write_noise(unprivileged / "music" / "a.wav", 1)
    write_noise(unprivileged / "music" / "closed" / "b.wav", 2)
    repository = LibraryRepository(unprivileged / "library.db")
    assert scan(repository, unprivileged / "music").clean
    (unprivileged / "music" / "closed").chmod(0)
    report = scan(repository, unprivileged / "music")
    assert report.changes.unreadable == [(str(unprivileged / "music" / "closed"), "Permission denied")]
    assert report.changes.missing == 0
    assert not report.clean


def test_a_read_only_music_folder_costs_the_sidecars_alone(unprivileged: Path) -> None:
    (unprivileged / "music").mkdir()
    write_noise(unprivileged / "music" / "a.wav")
    (unprivileged / "music").chmod(0o555)
    repository = LibraryRepository(unprivileged / "library.db")
    report = scan(repository, unprivileged / "music")
    assert report.clean
    assert (report.statistics.analyzed, report.statistics.sidecars_unwritten) == (1, 1)
    assert repository.exists(1)


def test_a_vanished_folder_costs_nothing(library: LibraryRepository, music: Music, tmp_path: Path) -> None:
    songs = music(5)
    folder = Path(songs[0]).parent
    synchronize(library.database, [str(folder)])
    folder.rename(tmp_path / "unmounted")
    extractor = FingerprintExtractor(library, analyze=FakeAnalyzer())
    report = Scan(library, extractor, workers=2).run(Recorder())
    assert report.unavailable == {str(folder): 5}
    assert not report.clean
    assert library_status(library.database).by_status == {"pending": 5}
    (tmp_path / "unmounted").rename(folder)
    reopened = LibraryRepository(library.database.url)
    assert scan(reopened, folder).statistics.analyzed == 5


def test_orphans_of_a_killed_process_are_removed(library: LibraryRepository, music: Music) -> None:
    (song,) = music(1)
    orphan = Path(song).with_name(".0123456789abcdef.25d.auralis-fp-tmp")
    orphan.write_text("half")
    synchronize(library.database, [str(Path(song).parent)], dry_run=True)
    assert orphan.exists()
    scan(library, Path(song).parent)
    assert not orphan.exists()


def test_a_dry_run_changes_nothing(library: LibraryRepository, music: Music) -> None:
    songs = music(4)
    folder = Path(songs[0]).parent
    assert synchronize(None, [str(folder)], dry_run=True).new == 4
    scan(library, folder)
    write_noise(songs[0], 50, seconds=0.4)
    Path(songs[1]).unlink()
    write_noise(folder / "new.wav", 60)
    library.database.engine.dispose()
    before = sqlite3.connect(library.database.name).execute("SELECT * FROM tracks").fetchall()
    changes = synchronize(library.database, [str(folder)], dry_run=True)
    assert (changes.new, changes.changed, changes.missing) == (1, 1, 1)
    assert sqlite3.connect(library.database.name).execute("SELECT * FROM tracks").fetchall() == before


def test_rows_hold_what_the_file_says_of_itself(library: LibraryRepository, tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    source = write_noise(tmp_path / "source.wav", rate=44100, seconds=1.0)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", source, "-metadata", "title=Thé Sòng", folder / "a.flac"], check=True
    )
    (folder / "broken.mp3").write_bytes(b"ID3" + b"\xff" * 50)
    scan(library, folder)
    row = track_row(library.database, 1)
    expected = {
        "title": "Thé Sòng", "filepath": str(folder / "a.flac"), "duration": 1.0, "sample_rate": 44100,
        "bit_depth": 16, "channels": 1, "format": "flac", "filesize": (folder / "a.flac").stat().st_size,
        "lufs_level": None,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert row["created_at"] is not None
    row = track_row(library.database, 2)
    assert (row["title"], row["duration"], row["format"]) == ("broken", None, "mp3")
    assert read_tags("/nowhere/song.mp3").title == "song"


def test_the_walk_and_the_work_go_on_together(library: LibraryRepository, music: Music) -> None:
    songs = music(200)
    recorder = Recorder()
    extractor = FingerprintExtractor(library, use_sidecar_files=False, analyze=FakeAnalyzer(0.02))
    report = Scan(library, extractor, folders=[str(Path(songs[0]).parent)], workers=4).run(recorder)
    assert report.statistics.analyzed == 200
    last = recorder.snapshots[-1]
    assert (last.done, last.total, last.eta_s) == (200, 200, 0.0)
    done = [snapshot.done for snapshot in recorder.snapshots]
    assert done == sorted(done)
    assert all(snapshot.done <= snapshot.total for snapshot in recorder.snapshots)


def test_an_interrupted_scan_goes_on_where_it_was(library: LibraryRepository, music: Music) -> None:
    songs = music(60)
    folder = Path(songs[0]).parent
    for interrupts in (1, 2):
        extractor = FingerprintExtractor(library, use_sidecar_files=False, analyze=FakeAnalyzer(0.3))
        run = Scan(library, extractor, folders=[str(folder)], workers=4)

        class Interrupting(Recorder):
            def show(
                self, snapshot: object, *, last: bool = False, run: Scan = run, times: int = interrupts
            ) -> None:
                for _ in range(times):
                    run.interrupt()

        report = run.run(Interrupting())
        assert report.interrupted
        assert 0 <= report.statistics.done <= 8
        assert "processing" not in library_status(library.database).by_status
    report = scan(library, folder)
    assert library_status(library.database).by_status == {"complete": 60}


def test_failed_and_outdated_tracks_only_on_request(library: LibraryRepository, music: Music) -> None:
    from support.library import add_fingerprint

    songs = music(3)
    folder = Path(songs[0]).parent
    synchronize(library.database, [str(folder)])
    set_track(library.database, 1, fingerprint_status="error", fingerprint_error_message="once")
    add_fingerprint(library.database, 2, 8)
    analyzer = FakeAnalyzer()
    scan(library, folder, analyzer)
    assert analyzer.calls == [songs[2]]
    library.retry_failed()
    outdated = LibraryRepository(library.database.url, outdated=True)
    scan(outdated, folder, analyzer)
    assert sorted(analyzer.calls) == songs
    assert library_status(library.database).by_version == {101: 3}


def test_copies_are_tracks_of_their_own(library: LibraryRepository, music: Music) -> None:
    (song,) = music(1)
    shutil.copy2(song, song.replace("song", "copy"))
    assert scan(library, Path(song).parent).changes.new == 2


def test_the_time_left_goes_by_bytes() -> None:
    meter = Meter()
    meter.measure(QueueStatistics(), WorkLeft(110, 20_000, 110))
    # Ten small files took ten seconds for 1000 bytes; a hundred with 19 000 bytes are left.
    snapshot = meter.measure(
        QueueStatistics(analyzed=10, bytes_done=1000, audio_seconds=500, elapsed_s=10),
        WorkLeft(100, 19_000, 100),
    )
    assert snapshot.eta_s == pytest.approx(190)
    assert snapshot.times_real_time == pytest.approx(50)
    assert snapshot.line == "Progress: 10/110 (9.1%) | Rate: 1.0 tracks/s | ETA: 3m"
    limited = meter.measure(QueueStatistics(analyzed=10, elapsed_s=10), WorkLeft(100, 19_000, 100), limit=20)
    assert (limited.done, limited.total) == (10, 20)


def test_the_line_is_the_one_in_the_contract() -> None:
    from auralis_fp.library.work.progress import Snapshot

    snapshot = Snapshot(10_000, 54_756, 42.53, 900.0, 17 * 60.0, QueueStatistics())
    assert snapshot.line == "Progress: 10000/54756 (18.3%) | Rate: 42.5 tracks/s | ETA: 17m"
    assert [format_seconds(s) for s in (None, 0, 45, 59.7, 3599, 7500)] == [
        "?",
        "0s",
        "45s",
        "1m",
        "1h 00m",
        "2h 05m",
    ]
