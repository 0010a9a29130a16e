"""The commands, run as users run them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pyarrow.parquet
import pytest
from support.library import Music, application_database, command, run_command, write_noise
from support.terminal import run_on_terminal

import auralis_fp
from auralis_fp import NAMES
from auralis_fp.library.report.export import COLUMNS

LINE = re.compile(
    r"^Progress: \d+/\d+ \(\d+\.\d%\) \| Rate: \d+\.\d tracks/s \| ETA: (\?|\d+s|\d+m|\d+h \d\dm)$"
)


@pytest.fixture
def scanned(music: Music, tmp_path: Path) -> Path:
    """Return a database of four scanned songs and a bad one."""
    folder = Path(music(4)[0]).parent
    (folder / "bad.mp3").write_text("no audio")
    done = run_command("scan", folder, "--db", tmp_path / "library.db")
    assert done.returncode == 1, done.stderr
    return tmp_path / "library.db"


def test_scan_prints_progress_totals_and_failures(music: Music, tmp_path: Path) -> None:
    folder = Path(music(5)[0]).parent
    (folder / "bad.mp3").write_text("no audio")
    done = run_command("scan", folder, "--db", tmp_path / "library.db", "--workers", "3")
    lines = done.stdout.splitlines()
    progress = [line for line in lines if line.startswith("Progress: ")]
    assert all(LINE.match(line) for line in progress)
    assert progress[-1].startswith("Progress: 6/6 (100.0%)")
    assert "Done: 5 analysed, 0 from sidecars, 1 failed" in done.stdout
    assert f"  {folder}/bad.mp3: Unsupported: " in done.stdout
    assert (done.returncode, done.stderr) == (1, "")
    again = run_command("scan", folder, "--db", tmp_path / "library.db")
    assert again.returncode == 0
    assert "Nothing to do" in again.stdout
    assert "Failed in earlier scans: 1 (auralis-fp status names them" in again.stdout
    retried = run_command("scan", "--db", tmp_path / "library.db", "--retry-failed")
    assert retried.returncode == 1
    assert "1 failed" in retried.stdout
    assert len(list(folder.glob("*.25d"))) == 5


def test_scan_reads_sidecars_unless_told_not_to(music: Music, tmp_path: Path) -> None:
    folder = Path(music(3)[0]).parent
    assert "3 analysed, 0 from sidecars" in run_command("scan", folder, "--db", tmp_path / "a.db").stdout
    assert "0 analysed, 3 from sidecars" in run_command("scan", folder, "--db", tmp_path / "b.db").stdout
    bare = run_command("scan", folder, "--db", tmp_path / "c.db", "--no-sidecar")
    assert "3 analysed, 0 from sidecars" in bare.stdout


def test_scan_options_dry_run_limit_and_outdated(music: Music, tmp_path: Path) -> None:
    songs = music(5)
    folder, database = Path(songs[0]).parent, tmp_path / "library.db"
    dry = run_command("scan", folder, "--db", database, "--dry-run")
    assert dry.returncode == 0
    assert "5 new" in dry.stdout
    assert "To analyse: 5 tracks" in dry.stdout
    assert not database.exists()
    assert run_command("scan", folder, "--db", database, "--limit", "2").returncode == 0
    with sqlite3.connect(database) as connection:
        statuses = connection.execute(
            "SELECT fingerprint_status, COUNT(*) FROM tracks GROUP BY 1 ORDER BY 1"
        ).fetchall()
        assert statuses == [("complete", 2), ("pending", 3)]
    assert run_command("scan", "--db", database).returncode == 0
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE track_fingerprints SET fingerprint_version = 7 WHERE track_id = 3")
    assert "To analyse: 0 tracks" in run_command("scan", "--db", database, "--dry-run").stdout
    assert "To analyse: 1 tracks" in run_command("scan", "--db", database, "--dry-run", "--outdated").stdout
    assert "Nothing to do" in run_command("scan", "--db", database).stdout
    assert "0 analysed, 1 from sidecars" in run_command("scan", "--db", database, "--outdated").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["scan", "/no such folder", "--db", "x.db"],
            "/no such folder: no such folder; is its disk mounted?",
        ),
        (["scan", "--db", "/no such folder/x.db"], "the folder /no such folder does not exist"),
        (["scan", "--db", "nonsense://x"], "not a database URL"),
        (["scan", "--db", "postgresql://nobody@localhost:1/x"], "refused"),
        (["status", "--db", "none.db"], "none.db: no such database"),
        (["clear-failed", "--db", "none.db"], "none.db: no such database"),
        (["analyze", "x", "--json", "--table"], "cannot be combined"),
        (["scan", "--watch", "--db", "x.db"], "--watch needs folders"),
        (["scan", ".", "--watch", "--limit", "1", "--db", "x.db"], "cannot be combined"),
    ],
)
def test_what_cannot_run_says_why(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = subprocess.run(command(*arguments), capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "song.wav"
    write_noise(path)
    before = path.read_bytes()
    done = run_command("scan", "--db", path)
    assert (done.returncode, "not a SQLite database" in done.stderr) == (2, True)
    assert path.read_bytes() == before


def test_a_locked_database_is_named_and_left(scanned: Path) -> None:
    with sqlite3.connect(scanned, isolation_level=None) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        done = run_command("scan", "--db", f"sqlite:///{scanned}?timeout=0.3")
    assert (done.returncode, "locked by another program" in done.stderr) == (2, True)
    assert "Traceback" not in done.stderr


def test_status_counts_tracks_and_names_failures(scanned: Path) -> None:
    status = run_command("status", "--db", scanned)
    assert status.returncode == 0
    for text in (
        "Tracks: 5, with a fingerprint: 4 (80.0%)",
        "complete: 4",
        "error: 1",
        "version 101: 4",
        "bad.mp3",
    ):
        assert text in status.stdout


def test_show_prints_a_track_named_by_path_or_number(scanned: Path, tmp_path: Path) -> None:
    song = tmp_path / "music" / "song0002.wav"
    shown = json.loads(run_command("show", song, "--db", scanned, "--json").stdout)
    assert shown["fingerprint"] == {**auralis_fp.analyze(song), "fingerprint_version": 101}
    assert run_command("show", str(shown["id"]), "--db", scanned).stdout.count("\n") >= 28
    assert run_command("show", "999", "--db", scanned).returncode == 2


def test_exports_hold_the_numbers_of_every_track(scanned: Path, tmp_path: Path) -> None:
    song = tmp_path / "music" / "song0002.wav"
    rows = list(csv.DictReader(io.StringIO(run_command("export", "--db", scanned).stdout)))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 4
    row = next(row for row in rows if row["filepath"] == str(song))
    assert {name: float(row[name]) for name in NAMES} == dict(auralis_fp.analyze(song))
    listed = json.loads(run_command("export", "--db", scanned, "--format", "json").stdout)
    assert [item["filepath"] for item in listed] == [row["filepath"] for row in rows]
    run_command("export", "--db", scanned, "--format", "parquet", "-o", tmp_path / "out.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert table.column_names == list(COLUMNS)
    assert table.to_pylist() == listed


def test_verify_finds_a_number_that_is_not_the_files(scanned: Path) -> None:
    verified = run_command("verify", "--db", scanned)
    assert (verified.returncode, "4 of 4 tracks agree" in verified.stdout) == (0, True)
    with sqlite3.connect(scanned) as connection:
        connection.execute("UPDATE track_fingerprints SET lufs = lufs + 1 WHERE track_id = 2")
    verified = run_command("verify", "--db", scanned)
    assert (verified.returncode, "    lufs: stored" in verified.stdout) == (1, True)


def test_clear_failed_marks_failed_tracks_for_another_try(scanned: Path) -> None:
    assert "1 failed tracks marked" in run_command("clear-failed", "--db", scanned).stdout
    assert "error" not in run_command("status", "--db", scanned).stdout


def test_older_versions_are_exported_only_on_request(scanned: Path) -> None:
    with sqlite3.connect(scanned) as connection:
        connection.execute("UPDATE track_fingerprints SET fingerprint_version = 5 WHERE track_id < 3")
    assert len(json.loads(run_command("export", "--db", scanned, "--format", "json").stdout)) < 4
    everything = run_command("export", "--db", scanned, "--format", "json", "--all-versions").stdout
    assert len(json.loads(everything)) == 4


def test_commands_read_a_database_they_may_not_change(music: Music, tmp_path: Path) -> None:
    database = application_database(tmp_path / "app.db", music(2))
    assert "Tracks: 2, with a fingerprint: 0" in run_command("status", "--db", database).stdout
    assert "To analyse: 2 tracks" in run_command("scan", "--db", database, "--dry-run").stdout
    assert "no fingerprint" in run_command("show", "1", "--db", database).stdout


def test_analyze(tmp_path: Path) -> None:
    songs = [write_noise(tmp_path / name, seconds=0.5) for name in ("a.wav", "caf\udce9.wav")]
    done = subprocess.run(
        command("analyze", *songs, tmp_path / "none.wav", "--json"), capture_output=True, timeout=60
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert b"none.wav" in done.stderr
    expected = auralis_fp.analyze(songs[0]).to_dict()
    assert sorted(result.pop("path") for result in results) == [songs[0], str(tmp_path / "caf\\udce9.wav")]
    assert results == [expected, expected]
    table = run_command("analyze", songs[0])
    assert table.returncode == 0
    assert all(name in table.stdout for name in NAMES)
    assert run_command("analyze", songs[0], "--table").stdout.splitlines()[0].split() == ["a.wav", "unit"]


@pytest.mark.parametrize("workers", ["1", "3"])
def test_analyze_keeps_the_order_of_its_arguments(workers: str, tmp_path: Path) -> None:
    long = write_noise(tmp_path / "long.wav", seconds=30)
    short = [write_noise(tmp_path / f"{n}.wav", seconds=0.5) for n in range(3)]
    missing = str(tmp_path / "none.wav")
    files = [long, *short, long, missing, short[0]]
    done = run_command("analyze", *files, "--json", "--workers", workers)
    names = [json.loads(line)["path"] for line in done.stdout.splitlines()]
    assert names == [file for file in files if file != missing]
    assert done.stderr.count("none.wav") == 1


def test_doctor() -> None:
    done = run_command("doctor")
    assert done.returncode == 0, done.stdout
    for text in (
        "engine: core",
        "libavformat",
        "formats: ",
        "clicks, tempo_bpm: ",
        "all measurements are right",
    ):
        assert text in done.stdout


def test_interrupting_a_scan(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    for index in range(30):
        write_noise(folder / f"{index}.wav", index, seconds=40, rate=44100)
    process = subprocess.Popen(
        command("scan", folder, "--db", tmp_path / "library.db", "--workers", "2", "--no-sidecar"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Progress: ")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors.startswith("finishing the running tracks")) == (130, True)
    assert "Run the same command again to continue." in output
    with sqlite3.connect(tmp_path / "library.db") as connection:
        statuses = {row[0] for row in connection.execute("SELECT DISTINCT fingerprint_status FROM tracks")}
    assert statuses <= {"complete", "pending"}


def test_the_live_display_on_a_terminal(music: Music, tmp_path: Path) -> None:
    folder = Path(music(4)[0]).parent
    done = run_on_terminal(
        "scan", folder, "--db", tmp_path / "library.db", columns=140, variables={"TERM": "xterm"}
    )
    assert done.returncode == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", done.stdout)
    for words in ("4/4 (100.0 %)", "tracks/s", "real time", "ETA", "memory", "failed 0", "slowest"):
        assert words in text
    assert "Progress: " not in text


def test_the_help_of_scan_says_that_it_writes_beside_the_music() -> None:
    assert "(song.mp3.25d)" in " ".join(run_command("scan", "--help").stdout.split())


def test_analyze_takes_folders_and_passes_over_sidecars(tmp_path: Path) -> None:
    below = tmp_path / "album"
    below.mkdir()
    songs = [write_noise(below / name, seconds=0.5) for name in ("a.wav", "b.WAV")]
    (below / "a.wav.25d").write_text("{}")
    (below / "cover.jpg").write_text("no audio")
    done = run_command("analyze", tmp_path, "--json")
    assert [json.loads(line)["path"] for line in done.stdout.splitlines()] == songs
    listed = run_command("analyze", songs[0], below / "a.wav.25d", "--json")
    assert (listed.returncode, len(listed.stdout.splitlines()), listed.stderr) == (0, 1, "")
    (tmp_path / "empty").mkdir()
    empty = run_command("analyze", tmp_path / "empty")
    assert (empty.returncode, empty.stderr) == (2, "auralis-fp: no audio files there\n")


def test_analyze_reads_standard_input(tmp_path: Path) -> None:
    song = Path(write_noise(tmp_path / "a.wav", seconds=0.5))
    done = subprocess.run(command("analyze", "-", "--json"), input=song.read_bytes(), capture_output=True)
    result = json.loads(done.stdout)
    assert (result.pop("path"), result) == ("-", auralis_fp.analyze(song).to_dict())
    bad = subprocess.run(command("analyze", "-"), input=b"no audio", capture_output=True)
    assert (bad.returncode, bad.stderr.startswith(b"auralis-fp: standard input: probe: ")) == (1, True)


def test_a_table_of_many_files_fits_80_columns(tmp_path: Path) -> None:
    songs = [write_noise(tmp_path / f"{number} {'long ' * 9}.wav", seconds=0.5) for number in range(5)]
    done = run_command("analyze", *songs, "--table")
    assert max(map(len, done.stdout.splitlines())) <= 80
    lufs = [line.split()[1:-1] for line in done.stdout.splitlines() if line.split()[0] == "lufs"]
    expected = [auralis_fp.analyze(song).format_value("lufs") for song in songs]
    assert [number for line in lufs for number in line] == expected


def test_a_scan_without_a_database_uses_the_users_own(music: Music, tmp_path: Path) -> None:
    folder = Path(music(2)[0]).parent
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path / "data")}

    def run(*arguments: str | Path) -> str:
        done = subprocess.run(command(*arguments), capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        output: str = done.stdout
        return output

    first = run("scan", folder)
    assert str(tmp_path / "data" / "auralis-fp" / "library.db") in first
    assert "Sidecars: 2 .25d files written beside the music" in first
    assert "Nothing to do" in run("scan", folder)
    assert "2" in run("status")


def test_the_ending_of_its_name_decides_what_an_export_holds(scanned: Path, tmp_path: Path) -> None:
    for name in ("a.json", "a.csv", "a.parquet", "a.txt"):
        assert run_command("export", "--db", scanned, "-o", tmp_path / name).returncode == 0
    assert len(json.loads((tmp_path / "a.json").read_text())) == 4
    assert pyarrow.parquet.read_table(tmp_path / "a.parquet").num_rows == 4
    assert (tmp_path / "a.txt").read_bytes() == (tmp_path / "a.csv").read_bytes()
