"""Files are placed complete or not at all, and only where they belong."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from support.library import write_noise
from support.sidecars import VALUES, store, stored

from auralis_fp.library.files import sidecar
from auralis_fp.library.files.placing import remove_orphans
from auralis_fp.library.files.sidecar import FileState


@pytest.mark.parametrize("nameless", [True, False])
@pytest.mark.parametrize("present", [True, False])
def test_a_failed_write_leaves_the_old_file_and_no_other(
    song: str, monkeypatch: pytest.MonkeyPatch, nameless: bool, present: bool
) -> None:
    if not nameless:  # as on a file system, or a system, without O_TMPFILE
        monkeypatch.delattr(os, "O_TMPFILE")
    if present:
        store(song, {"mine": 1})
    before = sorted(Path(song).parent.iterdir())

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            sidecar.write(song, VALUES, FileState.of(song))
    assert sorted(Path(song).parent.iterdir()) == before
    if present:
        assert stored(song) == {"mine": 1}
    sidecar.write(song, VALUES, FileState.of(song))
    assert sidecar.read(song) is not None
    assert len(list(Path(song).parent.iterdir())) == 2


def test_a_read_only_folder_costs_the_cache_alone(unprivileged: Path) -> None:
    song = write_noise(unprivileged / "song.wav")
    unprivileged.chmod(0o555)
    with pytest.raises(OSError, match="Permission denied"):
        sidecar.write(song, VALUES, FileState.of(song))
    assert sidecar.read(song) is None


def test_orphans_go_and_files_that_are_written_or_foreign_stay(tmp_path: Path) -> None:
    orphan = tmp_path / ".0123456789abcdef.25d.auralis-fp-tmp"
    written = tmp_path / ".fedcba9876543210.25d.auralis-fp-tmp"
    foreign = tmp_path / ".mine.25d.auralis-fp-tmp"
    for path in (orphan, written, foreign):
        path.write_text("half")
    with written.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        names = sorted(path.name for path in tmp_path.iterdir())
        assert remove_orphans(str(tmp_path), names) == 1
        assert sorted(tmp_path.iterdir()) == sorted([written, foreign])
    assert remove_orphans(str(tmp_path), [written.name]) == 1


def test_links_do_not_lead_out_of_the_folders_of_a_scan(tmp_path: Path) -> None:
    music, elsewhere = tmp_path / "music", tmp_path / "elsewhere"
    (music / "real").mkdir(parents=True)
    elsewhere.mkdir()
    for folder in (music / "real", elsewhere):
        write_noise(folder / "song.wav")
    (music / "out").symlink_to(elsewhere)
    (music / "in").symlink_to("real")
    (tmp_path / "door").symlink_to(music)

    def written(song: Path, *roots: Path) -> bool:
        try:
            sidecar.write(str(song), VALUES, FileState.of(str(song)), roots=[str(root) for root in roots])
        except OSError as error:
            refused = error.strerror == "a link leads out of the folders of the scan"
            return not refused or Path(f"{song}.25d").exists()
        Path(f"{song}.25d").unlink()
        return True

    assert not written(music / "out" / "song.wav", music)
    assert not written(music / "out" / "song.wav")
    assert written(music / "out" / "song.wav", music, elsewhere)
    assert written(music / "in" / "song.wav", music)
    assert not written(music / "in" / "song.wav")
    assert written(tmp_path / "door" / "real" / "song.wav", tmp_path / "door")
    assert written(tmp_path / "door" / "real" / "song.wav", music)
    assert not written(tmp_path / "door" / "real" / "song.wav", tmp_path / "mus")
    assert written(music / "real" / "song.wav")  # no link on the way
    assert written(music / "real" / "song.wav", Path("/"))
