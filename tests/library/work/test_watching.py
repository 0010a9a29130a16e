"""Scans that go on: what happens in the folders while they watch."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.library import FakeAnalyzer, Recorder, command, run_command, values_of, write_noise

from auralis_fp.library import FingerprintExtractor, LibraryRepository, Scan
from auralis_fp.library.files import watcher as watching
from auralis_fp.library.files.walk import AudioFile, Places
from auralis_fp.library.files.watcher import FolderWatcher, network_folders
from auralis_fp.library.store.queries import stored_tracks
from auralis_fp.library.work import scan as scanning
from auralis_fp.library.work.catalog import synchronize

SOON_S = 0.2


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "_IDLE_POLL_S", 0.3)
    monkeypatch.setattr(watching, "_WALK_SOON_S", 1.0)


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def measured(repository: LibraryRepository) -> dict[str, dict[str, float]]:
    """The numbers of the tracks whose files are there."""
    tracks = stored_tracks(repository.database)
    return {track.path: dict(track.fingerprint or {}) for track in tracks if Path(track.path).exists()}


def expected(folder: Path) -> dict[str, dict[str, float]]:
    return {str(path): values_of(path) for path in folder.rglob("*.wav")}


@contextmanager
def watched(folder: Path, watcher: FolderWatcher, database: Path) -> Iterator[LibraryRepository]:
    repository = LibraryRepository(database)
    extractor = FingerprintExtractor(repository, analyze=FakeAnalyzer())
    scan = Scan(repository, extractor, folders=[str(folder)], workers=2, watcher=watcher)
    thread = threading.Thread(target=scan.run, args=(Recorder(),))
    thread.start()
    try:
        yield repository
    finally:
        scan.interrupt()
        thread.join(60)
    assert not thread.is_alive()
    repository.close()


def test_copied_renamed_replaced_and_deleted_while_it_runs(tmp_path: Path) -> None:
    source, folder = tmp_path / "source", tmp_path / "music"
    source.mkdir()
    folder.mkdir()
    songs = [Path(write_noise(source / f"{number:03}.wav", number)) for number in range(42)]
    with watched(folder, FolderWatcher([str(folder)], settle_s=SOON_S), tmp_path / "a.db") as repository:
        for number, song in enumerate(songs):
            album = folder / f"album {number % 7}"
            album.mkdir(exist_ok=True)
            shutil.copyfile(song, album / song.name)
            time.sleep(0.02)
        until(lambda: len(measured(repository)) > 10, "nothing measured")
        (folder / "album 0").rename(folder / "album \udcff")
        for number, song in enumerate(sorted((folder / "album 1").iterdir())):
            if song.suffix == ".wav":
                song.rename(folder / "album 2" / f"renamed {number}.wav")
        for song in (folder / "album 3").glob("*.wav"):
            write_noise(song, 1000 + int(song.stem))
        while (folder / "album 4").exists():  # a sidecar may appear while it is being emptied
            shutil.rmtree(folder / "album 4", ignore_errors=True)
        for song in (folder / "album 5").glob("*.wav"):
            song.unlink()
        until(lambda: measured(repository) == expected(folder), "not what is in the folder")
    fresh = LibraryRepository(tmp_path / "b.db")
    extractor = FingerprintExtractor(fresh, analyze=FakeAnalyzer())
    Scan(fresh, extractor, folders=[str(folder)], workers=2).run(Recorder())
    assert measured(fresh) == expected(folder)
    fresh.close()


def test_a_missed_event_is_found_by_the_next_walk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FolderWatcher, "_listen", lambda _self, _stop: None)
    (tmp_path / "music").mkdir()
    watcher = FolderWatcher([str(tmp_path / "music")], settle_s=SOON_S, walk_every_s=1)
    with watched(tmp_path / "music", watcher, tmp_path / "a.db") as repository:
        write_noise(tmp_path / "music" / "new.wav")
        until(lambda: len(measured(repository)) == 1, "not found")


def test_network_folders_are_polled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "network_folders", list)
    folder = tmp_path / "music"
    folder.mkdir()
    os.utime(write_noise(folder / "old.wav"), (1e9, 1e9))
    watcher = FolderWatcher([str(folder)], settle_s=SOON_S, poll_s=0.2)
    with watched(folder, watcher, tmp_path / "a.db") as repository:
        until(lambda: len(measured(repository)) == 1, "not found by the first walk")
        write_noise(folder / "new.wav")
        until(lambda: len(measured(repository)) == 2, "not found by polling")


def test_which_folders_are_on_a_network(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "30 21 0:44 / /mnt/nas rw shared:1 - nfs4 nas:/music rw\n"
        "31 21 0:45 / /mnt/music/other\\040disk rw - fuse.sshfs me@host: rw\n"
        "32 30 8:2 / /mnt/nas/local rw - xfs /dev/sdb1 rw\n"
    )
    roots = ["/mnt/nas/", "/mnt/nas/rock/", "/mnt/nas/local/", "/mnt/music/", "/home/", "/mnt/nasty/"]
    found = network_folders(roots, mounts)
    assert found == ["/mnt/nas/", "/mnt/nas/rock/", "/mnt/music/other disk/"]
    assert network_folders(roots, tmp_path / "none") == []


def test_a_file_that_is_still_written_waits(tmp_path: Path) -> None:
    watcher = FolderWatcher([str(tmp_path)], settle_s=600)
    now, long_ago = time.time_ns(), time.time_ns() - 10**13
    assert not watcher.is_quiet(AudioFile("/a.wav", 1, now))
    assert watcher.is_quiet(AudioFile("/b.wav", 1, long_ago))
    assert watcher.is_quiet(AudioFile("/c.wav", 1, now + 10**13))  # a wrong clock
    watcher.touch("/b.wav")
    assert not watcher.is_quiet(AudioFile("/b.wav", 1, long_ago))


def test_a_look_at_some_places(repository: LibraryRepository, tmp_path: Path) -> None:
    album = tmp_path / "music" / "album"
    (album / "disc").mkdir(parents=True)
    first, second = (Path(write_noise(folder / "a.wav")) for folder in (album, album / "disc"))
    roots = [str(tmp_path / "music")]

    def look(*, folders: list[Path] | None = None, trees: list[Path] | None = None) -> tuple[int, int, int]:
        places = Places(frozenset(map(str, folders or [])), frozenset(map(str, trees or [])))
        changes = synchronize(repository.database, roots, places=places)
        return changes.new, changes.moved, changes.missing

    assert look(folders=[album]) == (1, 0, 0)
    assert look(folders=[album], trees=[album]) == (1, 0, 0)
    album.rename(album.with_name("renamed"))
    assert look(trees=[album, album.with_name("renamed")]) == (0, 2, 0)
    assert not first.exists()
    assert not second.exists()
    # Of the names of one file, only a walk through everything can tell which is the first.
    renamed = album.with_name("renamed")
    os.link(renamed / "a.wav", renamed / "0.wav")
    changes = synchronize(repository.database, roots, places=Places(frozenset([str(renamed)])))
    assert (changes.new, changes.unsettled) == (0, 1)


def test_a_file_that_was_away_when_its_turn_came_is_measured_when_it_is_back(
    library: LibraryRepository, tmp_path: Path
) -> None:
    song = Path(write_noise(tmp_path / "a.wav"))
    synchronize(library.database, [str(tmp_path)])
    away = song.rename(tmp_path / "elsewhere")
    Scan(library, FingerprintExtractor(library, analyze=FakeAnalyzer())).run(Recorder())
    away.rename(song)
    assert synchronize(library.database, [str(tmp_path)]).changed == 1


def test_kill_and_ctrl_c(tmp_path: Path) -> None:
    folder, database = tmp_path / "music", tmp_path / "library.db"
    folder.mkdir()
    arguments = ("scan", folder, "--db", database, "--watch", "--settle", "0.2", "--claim-timeout", "1")

    def status() -> str:
        return run_command("status", "--db", database).stdout

    first = subprocess.Popen(command(*arguments), stdout=subprocess.DEVNULL)
    until(database.exists, "no database")
    for number in range(20):
        write_noise(folder / f"{number}.wav", number, seconds=1)
    until(lambda: "complete" in status(), "nothing measured")
    first.send_signal(signal.SIGKILL)
    first.wait()
    for number in range(20, 40):
        write_noise(folder / f"{number}.wav", number, seconds=1)
    second = subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: "complete: 40" in status(), "not all measured")
    second.send_signal(signal.SIGINT)
    output, errors = second.communicate(timeout=60)
    assert second.returncode == 0
    assert "0 failed" in output
    assert "Traceback" not in errors
