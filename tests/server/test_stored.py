"""``serve --db``: unchanged files of a library are answered from it; everything else is measured."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.library import run_command, write_noise
from support.server import Server, running_server

import auralis_fp

MARK = 12.5  # a tempo that is never measured


@pytest.fixture
def song(tmp_path: Path) -> Path:
    (tmp_path / "music").mkdir()
    return Path(write_noise(tmp_path / "music" / "song.wav", 1))


@pytest.fixture
def database(tmp_path: Path, song: Path) -> Path:
    """A library of the song, whose stored tempo shows where an answer comes from."""
    path = tmp_path / "library.db"
    assert run_command("scan", song.parent, "--db", path, "--no-sidecar").returncode == 0
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE track_fingerprints SET tempo_bpm = ?", [MARK])
    connection.close()
    return path


@pytest.fixture
def server(database: Path, song: Path) -> Iterator[Server]:
    with running_server("--root", song.parent, "--db", database) as one:
        yield one


def tempo(server: Server, song: Path) -> float:
    answer = server.fingerprint(song)
    assert answer.status_code == 200
    return float(answer.json()["fingerprint"]["tempo_bpm"])


def test_an_unchanged_file_is_not_measured(server: Server, song: Path) -> None:
    content = server.fingerprint(song, track_id=7).json()
    measured = auralis_fp.analyze(song)
    assert content["fingerprint"] == {**measured, "tempo_bpm": MARK}
    about = measured.metadata
    assert content["metadata"] == {
        "duration_sec": about.duration,
        "sample_rate": about.sample_rate,
        "channels": about.channels,
        "format": "wav",
    }
    assert content["track_id"] == 7
    assert server.metric("auralis_fp_analysis_seconds_total") == 0


def test_a_changed_file_is_measured(server: Server, song: Path) -> None:
    os.utime(song, ns=(0, song.stat().st_mtime_ns + 1))
    assert tempo(server, song) != MARK


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE track_fingerprints SET fingerprint_version = 8",
        "UPDATE track_fingerprints SET fingerprint_version = 1, lufs = -100",
        "UPDATE track_fingerprints SET crest_db = 'loud'",
        "UPDATE tracks SET duration = NULL",
        "UPDATE tracks SET duration = '3:45'",
        "UPDATE tracks SET sample_rate = x'00'",
        "DELETE FROM track_fingerprints",
        "DROP TABLE track_fingerprints",
    ],
)
def test_what_is_no_answer_is_measured(server: Server, database: Path, song: Path, change: str) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(change)
    connection.close()
    assert tempo(server, song) != MARK


def test_the_path_must_be_inside_the_roots_all_the_same(
    server: Server, database: Path, tmp_path: Path
) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE tracks SET filepath = ?", [str(tmp_path / "library.db")])
    connection.close()
    assert server.fingerprint(tmp_path / "library.db").status_code == 403


def test_a_database_that_is_not_there(song: Path, tmp_path: Path) -> None:
    done = run_command("serve", "--root", song.parent, "--db", tmp_path / "none.db")
    assert done.returncode == 2
    assert done.stderr.startswith("auralis-fp: ")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "none.db").exists()
