"""Walking folders for audio files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auralis_fp.library.files.walk import Walk


def found(*roots: Path) -> list[str]:
    return [file.path for folder in Walk([str(root) for root in roots]) for file in folder.files]


def test_the_walk_finds_audio_and_nothing_else(tmp_path: Path) -> None:
    music = tmp_path / "music"
    (music / "Album" / "CD 1").mkdir(parents=True)
    (music / ".hidden").mkdir()
    wanted = ["a.MP3", "Album/b.Flac", "Album/CD 1/c.opus", "caf\udce9.wav"]
    for name in [*wanted, ".d.mp3", "._e.mp3", ".hidden/f.mp3", "cover.jpg", "mp3", "g.mp3.25d"]:
        (music / name).touch()
    os.mkfifo(music / "pipe.mp3")
    (music / "folder.mp3").mkdir()
    (music / "dangling.mp3").symlink_to("nowhere.mp3")
    (music / "Album" / "up").symlink_to(music)  # a loop
    (music / "self.wav").symlink_to("self.wav")
    walk = Walk([str(music)])
    assert sorted(file.path for folder in walk for file in folder.files) == sorted(
        str(music / name) for name in wanted
    )
    assert (walk.unreadable, walk.not_followed) == ([], [])
    assert sorted(found(music, music / "Album")) == sorted(str(music / name) for name in wanted)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A folder with one file in each of its folders: music, music/Album, other, other/deep."""
    for folder in ("music", "music/Album", "other", "other/deep"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{Path(folder).name}.wav").touch()
    return tmp_path


@pytest.mark.parametrize("target", ["/", "/proc", "/sys/kernel", "/dev/shm", "../..", "..", "."])
def test_links_that_lead_anywhere_are_not_followed(house: Path, target: str) -> None:
    link = house / "music" / "Album" / "link"
    link.symlink_to(target)
    walk = Walk([str(house / "music")])
    names = [file.path for folder in walk for file in folder.files]
    assert names == [str(house / "music" / name) for name in ("music.wav", "Album/Album.wav")]
    assert walk.not_followed == ([] if target in ("..", ".") else [str(link)])  # those are found anyway


def test_links_to_other_folders_are_followed_once(house: Path) -> None:
    (house / "music" / "x").symlink_to(house / "other")
    (house / "music" / "y").symlink_to(house / "other" / "deep")
    (house / "other" / "deep" / "home").symlink_to(house)  # above a root, from outside
    (house / "other" / "deep" / "up").symlink_to(house / "other")
    walk = Walk([str(house / "music")])
    folders = list(walk)
    assert [(folder.path, folder.inside) for folder in folders] == [
        (str(house / "music"), True), (str(house / "music" / "Album"), True),
        (str(house / "music" / "x"), False), (str(house / "music" / "x" / "deep"), False),
    ]  # fmt: skip
    assert [len(folder.files) for folder in folders] == [1, 1, 1, 1]
    assert [Path(path).name for path in walk.not_followed] == ["home", "up"]
    # What another root holds is inside, under whichever name it is found.
    assert all(folder.inside for folder in Walk([str(house / "music"), str(house / "other")]))


def test_a_root_may_be_a_link_and_lie_in_a_system_folder(house: Path) -> None:
    (house / "door").symlink_to("music")
    assert found(house / "door") == [str(house / "door" / name) for name in ("music.wav", "Album/Album.wav")]
    assert all(folder.inside for folder in Walk([str(house / "door")]))
    (house / "music" / "zero.wav").symlink_to("/dev/zero")
    walk = Walk([str(house / "music")])
    assert [len(folder.files) for folder in walk] == [1, 1]
    assert walk.not_followed == [str(house / "music" / "zero.wav")]


def test_what_cannot_be_looked_at_is_named(unprivileged: Path) -> None:
    locked = unprivileged / "locked"
    (locked / "inner").mkdir(parents=True)
    (locked / "inner" / "song.wav").touch()
    music = unprivileged / "music"
    music.mkdir()
    (music / "file.wav").symlink_to(locked / "inner" / "song.wav")
    (music / "folder").symlink_to(locked / "inner")
    locked.chmod(0)
    walk = Walk([str(music), str(unprivileged / "gone")])
    assert [folder.files for folder in walk] == [[]]
    assert walk.unreadable == [
        (str(music / "file.wav"), "Permission denied"), (str(music / "folder"), "Permission denied"),
        (str(unprivileged / "gone"), "No such file or directory"),
    ]  # fmt: skip


@pytest.mark.parametrize("seconds", [-(2**31), -1, 10_413_792_000, 2**33])
def test_times_fit_into_64_bits(tmp_path: Path, seconds: int) -> None:
    song = tmp_path / "song.wav"
    song.touch()
    times = []
    for moment in (seconds, seconds + 1):
        os.utime(song, (moment, moment))
        ((file,),) = [folder.files for folder in Walk([str(tmp_path)])]
        times.append(file.mtime_ns)
    assert times[1] - times[0] == 10**9
    assert all(-(2**63) <= time < 2**63 for time in times)
