"""How a library comes to a new version of the fingerprint, as its user sees it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from support.library import Music, run_command

from auralis_fp import FINGERPRINT_VERSION

OLDER = FINGERPRINT_VERSION - 1
NOTE = "(not comparable; scan --outdated replaces them)"


@pytest.fixture
def older_library(music: Music, tmp_path: Path) -> Path:
    """Give the database of three songs, which with their sidecars are of the version before."""
    songs, database = music(3), tmp_path / "library.db"
    assert run_command("scan", Path(songs[0]).parent, "--db", database).returncode == 0
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE track_fingerprints SET fingerprint_version = ?, tempo_bpm = 77", (OLDER,))
    for sidecar in sidecars(database):
        content = json.loads(sidecar.read_text())
        assert content["fingerprint_version"] == FINGERPRINT_VERSION
        sidecar.write_text(json.dumps(content | {"fingerprint_version": OLDER, "mood": "calm"}))
    return database


def sidecars(database: Path) -> list[Path]:
    with sqlite3.connect(database) as connection:
        return [Path(f"{path}.25d") for (path,) in connection.execute("SELECT filepath FROM tracks")]


def test_outdated_rows_are_replaced_one_by_one(older_library: Path) -> None:
    assert "Nothing to do" in run_command("scan", "--db", older_library).stdout
    first = run_command("scan", "--db", older_library, "--outdated", "--limit", "1")
    assert "Done: 1 analysed, 0 from sidecars" in first.stdout
    status = run_command("status", "--db", older_library).stdout
    assert "with a fingerprint: 3 (100.0%)" in status
    assert f"version {OLDER}: 2 {NOTE}\n" in status
    assert f"version {FINGERPRINT_VERSION}: 1\n" in status
    with sqlite3.connect(older_library) as connection:  # those that wait are what they were
        waiting = "SELECT tempo_bpm FROM track_fingerprints WHERE fingerprint_version = ?"
        assert connection.execute(waiting, (OLDER,)).fetchall() == [(77,), (77,)]
    rest = run_command("scan", "--db", older_library, "--outdated")
    assert "Done: 2 analysed, 0 from sidecars" in rest.stdout
    assert f"version {OLDER}" not in run_command("status", "--db", older_library).stdout


def test_older_sidecars_count_for_nothing_and_are_rewritten(older_library: Path, tmp_path: Path) -> None:
    folder = sidecars(older_library)[0].parent
    missed = run_command("scan", folder, "--db", tmp_path / "another.db")
    assert "Done: 3 analysed, 0 from sidecars" in missed.stdout
    for sidecar in sidecars(older_library):
        content = json.loads(sidecar.read_text())
        assert (content["fingerprint_version"], content["mood"]) == (FINGERPRINT_VERSION, "calm")
    hit = run_command("scan", "--db", older_library, "--outdated")
    assert "Done: 0 analysed, 3 from sidecars" in hit.stdout
