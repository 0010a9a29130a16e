"""Reading tags, also of files whose tags would take hours or gigabytes."""

from __future__ import annotations

import base64
import os
import random
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import mutagen.flac
import mutagen.id3
import psutil
import pytest
from support.bombs.tags import BOMBS, compressed_frames
from support.library import run_command, write_noise

from auralis_fp.library.files.tag_reader import MEMORY, PROCESSOR_S
from auralis_fp.library.files.tags import Tags, read_tags

MB = 1 << 20


def readers() -> list[psutil.Process]:
    """Return the processes that read tags for this one."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):  # another test's, which has ended
            if any("tag_reader" in argument for argument in child.cmdline()):
                found.append(child)
    return found


@pytest.fixture
def new_readers() -> None:
    """Let what is measured be the work of this test."""
    for reader in readers():
        reader.kill()
        reader.wait()


def tagged(folder: Path, extension: str) -> Path:
    path = folder / f"a song.{extension}"
    source = write_noise(folder / "source.wav", rate=44100, seconds=1.0)
    options = {"aiff": ["-write_id3v2", "1"]}.get(extension, [])
    for tag in ("title=Thé Sòng", "artist=Some Body", "album=An Album"):
        options += ["-metadata", tag]
    subprocess.run(["ffmpeg", "-v", "error", "-i", source, *options, path], check=True)
    return path


@pytest.mark.parametrize("extension", ["aiff", "flac", "m4a", "mp3", "ogg", "opus", "wma", "wv"])
def test_files_say_what_they_are(tmp_path: Path, extension: str) -> None:
    tags = read_tags(str(tagged(tmp_path, extension)))
    assert (tags.title, tags.artist, tags.album) == ("Thé Sòng", "Some Body", "An Album")
    assert tags.duration == pytest.approx(1.0, abs=0.1)
    # Into the header of an M4A, FFmpeg before 7 writes two, however many there are.
    assert tags.channels in ((1, 2) if extension == "m4a" else (1,))
    assert tags.sample_rate == (None if extension == "opus" else 44100)
    assert tags.bit_depth == (16 if extension in ("aiff", "flac", "m4a", "wv") else None)


@pytest.mark.parametrize("extension", ["flac", "m4a", "mp3", "ogg", "wv"])
def test_large_pictures_do_not_keep_tags_from_being_read(tmp_path: Path, extension: str) -> None:
    path, data = tagged(tmp_path, extension), os.urandom(12 * MB)
    file: Any = mutagen.File(path)
    module: Any = mutagen.flac
    picture = module.Picture()
    picture.data = data
    if extension == "flac":
        file.add_picture(picture)
    elif extension == "m4a":
        file["covr"] = [data]
    elif extension == "mp3":
        module = mutagen.id3
        file.tags.add(module.APIC(data=data, mime="image/png", type=3))
    elif extension == "ogg":
        file["METADATA_BLOCK_PICTURE"] = base64.b64encode(picture.write()).decode()
    else:
        file["Cover Art (Front)"] = b"cover.png\0" + data
    file.save()
    assert path.stat().st_size > 12 * MB
    assert read_tags(str(path)).artist == "Some Body"


def test_what_has_no_tags_has_its_name(tmp_path: Path) -> None:
    nothing, pipe, folder = tmp_path / "caf\udce9.mp3", tmp_path / "pipe.mp3", tmp_path / "folder.mp3"
    nothing.write_bytes(b"ID3" + b"\xff" * 50)
    os.mkfifo(pipe)
    folder.mkdir()
    for path in (nothing, pipe, folder, tmp_path / "gone.mp3", Path("/dev/zero"), Path("relative.mp3")):
        assert read_tags(str(path)) == Tags(path.stem.replace("\udce9", "\\udce9"))


def test_texts_are_short_and_printable(tmp_path: Path) -> None:
    path = tagged(tmp_path, "flac")
    file: Any = mutagen.File(path)
    file.update(title="  \n", artist=["a\x1b[2J" + "b" * 10_000, "c"], album=[])
    file.save()
    tags = read_tags(str(path))
    assert (tags.title, tags.artist, tags.album) == ("a song", "a\\x1b[2J" + "b" * 495, None)


@pytest.mark.parametrize("name", BOMBS)
def test_no_tag_takes_more_than_its_ration(tmp_path: Path, name: str, new_readers: None) -> None:
    extension, make = BOMBS[name]
    size = random.randint(1, 24)
    path = tmp_path / f"bomb.{extension}"
    path.write_bytes(make(size))
    tags = read_tags(str(path))
    assert tags.title in ("bomb", "A"), size
    (reader,) = readers()
    status = Path(f"/proc/{reader.pid}/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) << 10
    assert peak < MEMORY + 32 * MB, size
    assert sum(reader.cpu_times()[:2]) < PROCESSOR_S + 1, size
    # The reader has survived it.
    good = write_noise(tmp_path / "good.wav")
    assert read_tags(good).duration == pytest.approx(0.2)
    assert readers() == [reader]


def test_a_reader_that_is_killed_is_started_again(tmp_path: Path) -> None:
    song = write_noise(tmp_path / "song.wav")
    assert read_tags(song).channels == 1
    for number in (signal.SIGKILL, signal.SIGSEGV):
        for reader in readers():
            reader.send_signal(number)
        assert read_tags(song).channels == 1


def test_a_scan_survives_tags_that_its_reader_does_not(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    audio = tagged(tmp_path, "mp3").read_bytes()
    for number in range(5):
        write_noise(music / f"{number}.wav", number)
    (music / "2.mp3").write_bytes(compressed_frames(3000) + audio)
    done = run_command("scan", music, "--db", tmp_path / "library.db")
    assert (done.returncode, "Done: 6 analysed" in done.stdout) == (0, True), done.stdout + done.stderr
