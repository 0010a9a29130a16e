"""A scan writes only under the folders that it was given, and leaves other programs' files as they are."""

from __future__ import annotations

import os
from pathlib import Path

from support.library import run_command, write_noise
from support.sidecars import content_for, store

from auralis_fp.library.files import sidecar


def everything(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Return a state that changes with anything in a folder."""
    states = {str(path): path.lstat() for path in sorted(folder.rglob("*"))}
    return {path: (state.st_mode, state.st_mtime_ns, state.st_size) for path, state in states.items()}


def test_links_lead_to_files_that_are_measured_but_nothing_is_written_there(tmp_path: Path) -> None:
    music, elsewhere, database = tmp_path / "music", tmp_path / "elsewhere", tmp_path / "a.db"
    (elsewhere / "deep").mkdir(parents=True)
    music.mkdir()
    write_noise(music / "in.wav", 1)
    write_noise(elsewhere / "deep" / "out.wav", 2)
    (elsewhere / "deep" / ".0123456789abcdef.25d.auralis-fp-tmp").write_text("what a scan of theirs left")
    (music / "link").symlink_to(elsewhere)
    (music / "root").symlink_to("/")
    before = everything(elsewhere)
    done = run_command("scan", music, "--db", database)
    assert done.returncode == 0, done.stderr
    assert "Done: 2 analysed" in done.stdout
    assert "  1: a link leads out of the folders of the scan" in done.stdout
    assert f"  not followed: {music}/root: " in done.stdout
    assert everything(elsewhere) == before
    assert sidecar.read(str(music / "in.wav")) is not None
    # Nor later, when the database is all that a scan is given.
    for song in (music / "in.wav", elsewhere / "deep" / "out.wav"):
        os.utime(song, (1, 1))
    before = everything(elsewhere)
    assert "2 changed" in run_command("scan", music, "--db", database, "--limit", "1").stdout
    assert run_command("scan", "--db", database).returncode == 0
    assert everything(elsewhere) == before


def test_sidecars_that_are_not_ours_are_said_once_and_left_alone(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    secret = tmp_path / "secret"
    secret.write_text('{"password": "x"}')
    secret.chmod(0o4600)
    for number in range(6):
        song = write_noise(music / f"{number}.wav", number)
        if number < 3:
            store(song, {**content_for(song), "format_version": "2.0"})
        elif number < 5:
            Path(song + ".25d").symlink_to(secret)
    before = everything(music)
    for name, expected in (("a.db", "6 analysed, 0 from sidecars"), ("b.db", "5 analysed, 1 from sidecars")):
        done = run_command("scan", music, "--db", tmp_path / name)
        assert (done.returncode, expected in done.stdout) == (0, True), done.stdout + done.stderr
        lines = done.stdout.splitlines()
        first = lines.index("Sidecars: 5 not written; the fingerprints are in the database")
        assert lines[first + 1 : first + 3] == [
            "  2: the present one is no regular file and is left alone",
            "  3: the present one is of a format other than 1.0 and is left alone",
        ]
    after = everything(music)
    assert {path: state for path, state in after.items() if path in before} == before
    assert set(after) - set(before) == {str(music / "5.wav.25d")}
    assert secret.stat().st_mode & 0o7777 == 0o4600


def test_files_of_any_time_are_measured_once(tmp_path: Path) -> None:
    for number, seconds in enumerate((-(2**31), -1, 0, 10_413_792_000, 2**33)):
        os.utime(write_noise(tmp_path / f"{number}.wav", number), (seconds, seconds))
    for expected in ("Done: 5 analysed", "Nothing to do"):
        done = run_command("scan", tmp_path, "--db", tmp_path / "a.db")
        assert (done.returncode, expected in done.stdout) == (0, True), done.stdout + done.stderr
