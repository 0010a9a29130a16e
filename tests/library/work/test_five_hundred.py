"""A library of 500 files with one of each fault: all others are measured, and the faults named."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from support.bombs import compressed, tags
from support.bombs.mp4 import box
from support.library import loose_schema, run_command, write_noise

from auralis_fp import NAMES

FILES: Final = 500

# What is wrong with a file of the folder, and what its row says about it.
CONTENTS: Final[dict[str, Callable[[], bytes]]] = {
    "text.mp3": lambda: b"no audio",
    "empty.flac": lambda: b"",
    "header.wav": lambda: b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "zeros.m4a": lambda: bytes(5000),
    "headers in a header.m4a": lambda: compressed.side_by_side(20),
    "a long header.m4a": lambda: (
        compressed.QUICKTIME + box(b"moov", compressed.compressed(*compressed.space(100)))
    ),
}
TAGGED: Final[dict[str, Callable[[], bytes]]] = {  # and what is wrong with tags alone, which are measured
    "tags.mp3": lambda: tags.mp3(tags.tiny_frames(1)),
    "frames.mp3": lambda: tags.mp3(tags.compressed_frames(3000)),
    "frames.aiff": lambda: tags.aiff(compressed.frames(30)),
}
ROWS: Final = {  # set in the row of a healthy file, which is measured all the same
    "duration": "'3:45'",
    "filesize": "'big'",
    "sample_rate": "x'ff'",
    "bit_depth": "9e999",
    "title": "NULL",
    "fingerprint_status": "'unheard of'",
    "fingerprint_started_at": "'2300-01-01 00:00:00'",
    "fingerprint_computed_at": "'yesterday'",
    "fingerprint_error_message": "x'00'",
    "file_mtime_ns": "'long ago'",
}
LOST: Final = ("NULL", "x'2f6d75736963'", "''", "17")  # instead of a file's name


def make_library(folder: Path, database: Path) -> tuple[int, list[str]]:
    """Make a folder and a database; return how many files are healthy, and the name of each fault."""
    music = folder / "music"
    music.mkdir(parents=True)
    healthy = FILES - len(CONTENTS)
    plain = healthy - len(TAGGED)
    files = [Path(write_noise(music / f"{number:03}.wav", number)) for number in range(plain)]
    for name, make in {**CONTENTS, **TAGGED}.items():
        (music / name).write_bytes(make())
    # No faults, but unusual.
    os.utime(files[0], (10_413_792_000, 10_413_792_000))
    files[1] = files[1].rename(music / "caf\udce9.wav")
    Path(f"{files[2]}.25d").write_text("[" * 100_000)
    Path(f"{files[3]}.25d").write_text(json.dumps({"fingerprint": dict.fromkeys(NAMES, 1)}))
    Path(f"{files[4]}.25d").mkdir()
    (music / "everything").symlink_to("/")
    (music / "nowhere.mp3").symlink_to("none.mp3")
    (music / "folder.mp3").mkdir()
    os.mkfifo(music / "pipe.mp3")
    named = [f"  {music}/{name}: " for name in CONTENTS]
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(loose_schema())
        insert = "INSERT INTO tracks (title, filepath, fingerprint_status) VALUES ('song', ?, 'pending')"
        for column, value, file in zip(ROWS, ROWS.values(), files[10:], strict=False):
            connection.execute(insert, [str(file)])
            connection.execute(f"UPDATE tracks SET {column} = {value} WHERE filepath = ?", [str(file)])
        for value in LOST:
            number = connection.execute(insert, ["x"]).lastrowid
            connection.execute(f"UPDATE tracks SET filepath = {value} WHERE id = {number}")
            named.append("  17: FileNotFound: " if value == "17" else f"  track {number}: ")
        refused = connection.execute(insert, [str(files[30])]).lastrowid
        connection.execute(
            f"CREATE TRIGGER refusal BEFORE UPDATE ON tracks WHEN NEW.id = {refused}"
            " BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        )
        connection.execute(insert, [str(music / "gone.wav")])
        connection.execute(insert, ["/mnt/no such disk/a.wav"])
    named += [f"  {files[30]}: ", f"  {music}/gone.wav: FileNotFound: ", "Unavailable: /mnt/no such disk (1 "]
    return healthy - 1, named  # one of them is refused by the database


def faults_in(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert (done.returncode, done.stderr) == (1, "")
    return done.stdout[done.stdout.index("\nFailed: ") :].splitlines()[2:]


def test_five_hundred_files_with_one_of_each_fault(tmp_path: Path) -> None:
    found = []
    for _turn in range(2):
        folder, database = tmp_path / "library", tmp_path / "library" / "app.db"
        healthy, named = make_library(folder, database)
        done = run_command("scan", folder / "music", "--db", database)
        assert f"Done: {healthy} analysed, 0 from sidecars, " in done.stdout
        faults = faults_in(done)
        assert [sum(fault.startswith(name) for fault in faults) for name in named] == [1] * len(named)
        assert len(faults) == len(named)
        found.append(faults)
        # Only the faults are left, and another try ends in the same way.
        again = run_command("scan", folder / "music", "--db", database, "--retry-failed")
        assert "Done: 0 analysed, 0 from sidecars, " in again.stdout
        assert faults_in(again) == faults
        shutil.rmtree(folder)
    assert found[0] == found[1]
