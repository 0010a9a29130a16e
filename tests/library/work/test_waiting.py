"""What a scan waits for, or leaves for another time and names: dead disks, locked rows, claims of others."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import create_engine
from support.library import (
    FakeAnalyzer,
    Music,
    Recorder,
    add_tracks,
    command,
    run_command,
    track_row,
    write_noise,
)
from support.processes import program

from auralis_fp.library import FingerprintExtractor, FingerprintQueue, LibraryRepository, Outcome, Scan
from auralis_fp.library.files.tags import read_tags
from auralis_fp.library.work.catalog import synchronize
from auralis_fp.library.work.outcomes import what_is_away

NAMESPACE: Final = ("unshare", "--user", "--map-root-user", "--mount")


def may_mount() -> bool:
    if not (Path("/dev/fuse").exists() and shutil.which("unshare")):
        return False
    return subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode == 0


mounts: Final = pytest.mark.skipif(not may_mount(), reason="no FUSE, or no right to mount in a namespace")


def with_a_dying_mount(folder: Path, database: str | Path, *arguments: str | Path) -> Any:
    inside = program("mounts/dying_mount", folder, database, *command(*arguments))
    return subprocess.run([*NAMESPACE, *inside], capture_output=True, text=True, timeout=120)


@mounts
@pytest.mark.parametrize("walk", [False, True])
def test_tracks_on_a_mount_that_dies_during_a_scan_wait_for_it(tmp_path: Path, walk: bool) -> None:
    folder, database = tmp_path / "music" / "disk", tmp_path / "library.db"
    folder.mkdir(parents=True)
    for index in range(100):
        write_noise(folder / f"{index:03}.wav", index, 20, 22050)
    if not walk:
        repository = LibraryRepository(database)
        synchronize(repository.database, [str(folder)])
        repository.close()
    folders = [tmp_path / "music"] if walk else []
    done = with_a_dying_mount(folder, database, "scan", *folders, "--db", database, "--workers", "2")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stdout + done.stderr
    analyzed = int(done.stdout.split("Done: ")[1].split()[0])
    assert 0 < analyzed < 100
    assert f"Unavailable: {folder} ({100 - analyzed} tracks are waiting for it)" in done.stdout
    assert "Failed" not in done.stdout
    again = run_command("scan", *folders, "--db", database)
    assert again.returncode == 0, again.stdout
    assert f"Done: {100 - analyzed} analysed" in again.stdout


@mounts
def test_a_folder_that_is_a_dead_mount_is_named(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    done = with_a_dying_mount(tmp_path / "disk", "-", "scan", tmp_path / "disk", "--db", tmp_path / "x.db")
    assert (done.returncode, done.stderr) == (
        2, f"auralis-fp: {tmp_path}/disk: no such folder; is its disk mounted?\n"
    )  # fmt: skip


def test_a_disk_with_an_error_is_waited_for(library: LibraryRepository, music: Music) -> None:
    """An EIO from the kernel: a read of memory that a process does not have."""
    dead, song = add_tracks(library, ["/proc/self/mem", music(1)[0]])
    summary = Scan(library, FingerprintExtractor(library)).run(Recorder())
    assert (summary.statistics.analyzed, summary.unavailable) == (1, {"/proc/self": 1})
    assert (summary.clean, summary.elsewhere, summary.failures) == (False, 0, [])
    assert track_row(library.database, dead)["fingerprint_status"] == "pending"
    assert library.exists(song)


@pytest.mark.parametrize(
    "code",
    [errno.EIO, errno.ENOTCONN, errno.ESTALE, errno.ENODEV, errno.EHOSTDOWN, errno.ETIMEDOUT, errno.EMFILE],
)
def test_what_is_no_fault_of_a_file(tmp_path: Path, code: int) -> None:
    file = tmp_path / "a.wav"
    file.touch()
    assert what_is_away(str(file), OSError(code, os.strerror(code))) == (
        f"{tmp_path} cannot be read: {os.strerror(code)}"
    )
    for at_fault in (
        OSError(errno.EACCES, "Permission denied"),
        OSError("it keeps changing"),
        ValueError("x"),
    ):
        assert what_is_away(str(file), at_fault) is None


def test_a_mount_point_without_its_disk_is_not_the_end_of_its_tracks(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    repository = LibraryRepository(tmp_path / "library.db")
    add_tracks(repository, [tmp_path / "disk" / "a.wav"])
    summary = Scan(repository, FingerprintExtractor(repository)).run(Recorder())
    assert summary.unavailable == {str(tmp_path / "disk"): 1}
    write_noise(tmp_path / "disk" / "b.wav")  # now the folder is there, and the file is not
    again = LibraryRepository(tmp_path / "library.db")
    summary = Scan(again, FingerprintExtractor(again)).run(Recorder())
    assert [path for path, _reason in summary.failures] == [str(tmp_path / "disk" / "a.wav")]


def test_a_row_that_is_locked_is_waited_for_and_named_if_it_stays_locked(
    postgresql: Callable[[], str], music: Music
) -> None:
    url, songs = postgresql(), music(3)
    repository = LibraryRepository(url, claim_timeout_s=0.5)
    add_tracks(repository, songs)
    extractor = FingerprintExtractor(repository, use_sidecar_files=False, analyze=FakeAnalyzer())
    engine = create_engine(url)
    recorder = Recorder()
    with engine.begin() as connection:
        connection.exec_driver_sql("SELECT * FROM tracks WHERE id = 2 FOR UPDATE")
        summary = Scan(repository, extractor).run(recorder)
        assert (summary.clean, summary.statistics.analyzed) == (False, 2)
        assert (summary.elsewhere, summary.elsewhere_paths) == (1, [songs[1]])
    assert any("another process" in snapshot.waiting for snapshot in recorder.snapshots)
    patient = LibraryRepository(url)
    lock = engine.connect()
    lock.exec_driver_sql("SELECT * FROM tracks WHERE id = 2 FOR UPDATE")

    class Unlocking(Recorder):
        def show(self, snapshot: Any, *, last: bool = False) -> None:
            super().show(snapshot, last=last)
            if snapshot.waiting:
                lock.close()

    extractor = FingerprintExtractor(patient, use_sidecar_files=False, analyze=FakeAnalyzer())
    summary = Scan(patient, extractor).run(Unlocking())
    assert (summary.clean, summary.statistics.analyzed) == (True, 1)
    for opened in (repository, patient):
        opened.close()
    engine.dispose()


def test_a_new_file_is_claimed_before_its_tags_are_read(
    library: LibraryRepository, music: Music, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(music(3)[0]).parent
    synchronize(library.database, [str(folder)])
    assert [track_row(library.database, number)["duration"] for number in (1, 2, 3)] == [None] * 3
    statuses = []

    def watched(path: str) -> Any:
        number = int(Path(path).stem[-1]) + 1
        statuses.append(track_row(library.database, number)["fingerprint_status"])
        return read_tags(path)

    monkeypatch.setattr("auralis_fp.library.work.queue.read_tags", watched)
    assert Scan(library, FingerprintExtractor(library)).run(Recorder()).statistics.analyzed == 3
    assert statuses == ["processing"] * 3
    row = track_row(library.database, 1)
    assert (row["duration"], row["channels"], row["fingerprint_error_message"]) == (0.2, 1, None)


def test_tags_are_read_by_the_next_scan_if_the_first_one_dies(tmp_path: Path, music: Music) -> None:
    folder = Path(music(2)[0]).parent
    first = LibraryRepository(tmp_path / "library.db", claim_timeout_s=0.1)
    synchronize(first.database, [str(folder)])
    claimed = first.claim_next_unfingerprinted_track()
    assert claimed is not None
    assert (claimed.new, claimed.suspect) == (True, False)
    # Long enough that a busy machine does not make it take its own claims over.
    second = LibraryRepository(tmp_path / "library.db", claim_timeout_s=3)
    outcomes: dict[int, tuple[bool, bool, Outcome]] = {}
    queue = FingerprintQueue(
        FingerprintExtractor(second, use_sidecar_files=False),
        until_empty=True,
        poll_s=0.05,
        more_expected=second.more_expected,
        on_progress=lambda track, done: outcomes.update(
            {track.id: (track.new, track.suspect, done.outcome)}  # type: ignore[attr-defined]
        ),
    )
    queue.start()
    assert queue.join(60)
    assert outcomes == {1: (True, True, Outcome.ANALYZED), 2: (True, False, Outcome.ANALYZED)}
    assert [track_row(second.database, number)["duration"] for number in (1, 2)] == [0.2, 0.2]
