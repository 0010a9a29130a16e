"""Any value in any column, since SQLite stores it: at most, its own track fails."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import create_engine
from support.library import (
    FakeAnalyzer,
    Music,
    Recorder,
    application_database,
    loose_schema,
    run_command,
    set_track,
    write_noise,
)

from auralis_fp.library import FingerprintExtractor, LibraryRepository, Scan, ScanSummary
from auralis_fp.library.store import tables
from auralis_fp.library.store.queries import find_track, library_status, stored_tracks, work_ahead

VALUES: Final = (
    "NULL", "0", "-1", "1", str(2**63 - 1), str(-(2**63)), "1.5", "-0.0", "1e308", "-1e308", "9e999",
    "-9e999", "''", "'3:45'", "'big'", "'2300-01-01 00:00:00'", "'9999-99-99'", "'infinity'",
    "CAST(x'ff' AS TEXT)", "'a' || char(0) || 'b'", "replace(hex(zeroblob(50000)), '0', 'x')",
    "x''", "x'00ff'", "zeroblob(100000)",
)  # fmt: skip
COLUMNS: Final = tuple(column.name for column in tables.tracks.columns if column.name != "id")


def scan(repository: LibraryRepository, *folders: Path) -> ScanSummary:
    extractor = FingerprintExtractor(repository, use_sidecar_files=False, analyze=FakeAnalyzer())
    return Scan(repository, extractor, folders=[str(f) for f in folders], workers=4).run(Recorder())


@pytest.mark.parametrize("walked", [False, True])
@pytest.mark.parametrize("typed", [True, False])
def test_every_column_with_every_type_of_value(tmp_path: Path, typed: bool, walked: bool) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    cases = [(column, value) for column in COLUMNS for value in VALUES]
    with sqlite3.connect(tmp_path / "app.db") as connection:
        connection.execute(loose_schema(typed=typed))
        for number, (column, value) in enumerate(cases):
            file = write_noise(folder / f"{column} {number % len(VALUES)}.wav", number, 0.01)
            row = "INSERT INTO tracks (title, filepath, fingerprint_status) VALUES ('song', ?, 'pending')"
            connection.execute(row, [file])
            connection.execute(f"UPDATE tracks SET {column} = {value} WHERE filepath = ?", [file])
    connection.close()
    repository = LibraryRepository(tmp_path / "app.db")
    folders = [folder] if walked else []
    summary = scan(repository, *folders)
    # Rows that name no file, or one that is not there; a walk finds their files new.
    assert len(summary.failures) == len(VALUES)
    assert all(path and reason for path, reason in summary.failures)
    expected = len(cases) - (0 if walked else len(VALUES))
    assert library_status(repository.database).by_status == {"complete": expected, "error": len(VALUES)}
    assert library_status(repository.database).fingerprinted == expected
    if (
        walked
    ):  # files whose size or time was not that of their row, and were being measured when they were met
        scan(repository, *folders)
    again = scan(repository, *folders)
    assert (again.clean, again.statistics.done, again.failed_before) == (True, 0, len(VALUES))
    # All other queries work as well.
    assert len(list(stored_tracks(repository.database))) == expected
    assert all(find_track(repository.database, str(row), "") for row in range(1, len(cases) + 1))
    assert work_ahead(repository.database, outdated=True, retry_failed=False) == 0


@pytest.mark.parametrize(
    "started",
    [
        *VALUES,
        f"'{datetime.now(timezone.utc) + timedelta(hours=2):%Y-%m-%d %H:%M:%S}'",
        f"'{datetime.now(timezone.utc) - timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}'",
        str(datetime.now(timezone.utc).timestamp()),
    ],
)
def test_a_claim_at_an_impossible_time_is_taken_over(music: Music, tmp_path: Path, started: str) -> None:
    path = application_database(tmp_path / "app.db", music(2), claim_column=True)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE tracks SET fingerprint_status = 'processing',"
            f" fingerprint_started_at = {started} WHERE id = 1"
        )
    connection.close()
    summary = scan(LibraryRepository(path))
    assert (summary.clean, summary.statistics.analyzed) == (True, 2)


def test_times_beyond_every_calendar_in_postgresql(
    postgresql: Callable[[], str], music: Music, tmp_path: Path
) -> None:
    url = postgresql()
    repository = LibraryRepository(url)
    assert scan(repository, Path(music(3)[0]).parent).statistics.analyzed == 3
    with create_engine(url).begin() as connection:
        for column in ("fingerprint_started_at", "fingerprint_computed_at", "created_at"):
            for number, value in enumerate(("infinity", "-infinity", "4700-01-01 BC"), 1):
                connection.exec_driver_sql(
                    f"UPDATE tracks SET {column} = '{value}', fingerprint_status = 'processing',"
                    f" file_mtime_ns = NULL WHERE id = {number}"
                )
        connection.exec_driver_sql("DELETE FROM track_fingerprints")
    summary = scan(repository, tmp_path / "music")
    assert (summary.clean, summary.statistics.analyzed) == (True, 3)
    repository.close()


def test_files_from_every_century(library: LibraryRepository, music: Music) -> None:
    songs = music(5)
    for song, seconds in zip(songs, (10_413_792_000, -10_413_792_000, 2**33, -(2**31), 0), strict=True):
        os.utime(song, (seconds, seconds))
    folder = Path(songs[0]).parent
    assert scan(library, folder).statistics.analyzed == 5
    again = scan(library, folder)
    assert (again.clean, again.changes.changed, again.statistics.done) == (True, 0, 0)
    # Application databases do not hold the time of the file.
    repository = LibraryRepository(application_database(folder.parent / "app.db", songs))
    assert scan(repository, folder).statistics.analyzed == 5
    again = scan(repository, folder)
    assert (again.clean, again.changes.changed, again.statistics.done) == (True, 0, 0)


@pytest.mark.parametrize(
    "trigger",
    [
        "BEFORE UPDATE ON tracks WHEN NEW.id = 2 BEGIN SELECT RAISE(ABORT, 'not this one'); END",
        "BEFORE UPDATE ON tracks WHEN NEW.id = 2 AND NEW.fingerprint_status = 'complete'"
        " BEGIN SELECT RAISE(ABORT, 'not this one'); END",
        "BEFORE INSERT ON track_fingerprints WHEN NEW.track_id = 2"
        " BEGIN SELECT RAISE(ABORT, 'not this one'); END",
        "AFTER INSERT ON track_fingerprints WHEN NEW.track_id = 2"
        " BEGIN UPDATE track_fingerprints SET lufs = 0 WHERE track_id = 2; END",
    ],
)
def test_a_row_that_the_database_refuses_is_one_failure(music: Music, tmp_path: Path, trigger: str) -> None:
    songs = music(4)
    path = application_database(tmp_path / "app.db", songs)
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TRIGGER refusal {trigger}")
    connection.close()
    summary = scan(LibraryRepository(path))
    assert summary.statistics.analyzed == 3
    assert [path for path, _reason in summary.failures] == [songs[1]]
    assert "not this one" in summary.failures[0][1] or "other numbers" in summary.failures[0][1]
    assert not summary.clean


def test_a_row_that_names_no_file_has_a_name_of_its_own(music: Music, tmp_path: Path) -> None:
    database = tmp_path / "app.db"
    with sqlite3.connect(database) as connection:
        connection.execute(loose_schema(typed=True))
        connection.executemany(
            "INSERT INTO tracks (title, filepath, fingerprint_status) VALUES ('a', ?, 'pending')",
            [(music(1)[0],), (None,), (b"/music/a.wav",)],
        )
    connection.close()
    done = run_command("scan", "--db", database)
    assert (done.returncode, done.stderr) == (1, "")
    assert "Done: 1 analysed, 0 from sidecars, 2 failed" in done.stdout
    assert "track 2: ValueError: the track's row names no file" in done.stdout
    repository = LibraryRepository(database)
    set_track(repository.database, 2, filepath=music(2)[1])
    repository.retry_failed([2])
    assert scan(repository).statistics.analyzed == 1
