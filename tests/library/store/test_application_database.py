"""Databases that the existing application made: opened as they are, and none of their content changed."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from support.library import (
    FakeAnalyzer,
    Music,
    Recorder,
    application_database,
    rest_of,
    values_of,
    write_noise,
)

from auralis_fp import FINGERPRINT_VERSION
from auralis_fp.library import FingerprintExtractor, LibraryError, LibraryRepository, Scan
from auralis_fp.library.store.database import Database


def columns_of(path: Path, table: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute(f"PRAGMA table_info({table})").fetchall()
    connection.close()
    return [tuple(row) for row in rows]


def scan(repository: LibraryRepository, *folders: Path) -> None:
    extractor = FingerprintExtractor(repository, analyze=FakeAnalyzer())
    report = Scan(repository, extractor, folders=[str(f) for f in folders], workers=4).run(Recorder())
    assert report.clean, report


@pytest.mark.parametrize("claim_column", [False, True])
def test_only_what_claims_need_is_added(music: Music, tmp_path: Path, claim_column: bool) -> None:
    files = music(6)
    path = application_database(tmp_path / "app.db", files, claim_column=claim_column)
    rest, columns, fingerprints = (
        rest_of(path), columns_of(path, "tracks"), columns_of(path, "track_fingerprints")
    )  # fmt: skip
    repository = LibraryRepository(path)
    scan(repository)
    repository.close()
    assert rest_of(path) == rest
    assert columns_of(path, "track_fingerprints") == fingerprints
    added = columns_of(path, "tracks")[len(columns) :]
    assert columns_of(path, "tracks")[: len(columns)] == columns
    assert [row[1] for row in added] == ([] if claim_column else ["fingerprint_started_at"])
    with sqlite3.connect(path) as connection:
        stored = connection.execute(
            "SELECT track_id, lufs, fingerprint_version FROM track_fingerprints"
        ).fetchall()
        statuses = connection.execute("SELECT DISTINCT fingerprint_status FROM tracks").fetchall()
    assert sorted(stored) == [
        (number, values_of(file)["lufs"], FINGERPRINT_VERSION) for number, file in enumerate(files, 1)
    ]
    assert statuses == [("complete",)]


def test_new_files_get_rows_with_neutral_values_for_unknown_required_columns(
    music: Music, tmp_path: Path
) -> None:
    files = music(3)
    path = application_database(tmp_path / "app.db", files[:1])
    repository = LibraryRepository(path)
    scan(repository, tmp_path / "music")
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT title, filepath, play_count, favourite, mood, album_id, format FROM tracks WHERE id > 1"
        ).fetchall()
    assert sorted(rows) == [
        ("song0001", files[1], 0, 0, "", None, "wav"),
        ("song0002", files[2], 0, 0, "", None, "wav"),
    ]


def test_a_required_reference_cannot_be_made_up(music: Music, tmp_path: Path) -> None:
    path = tmp_path / "app.db"
    application_database(path, music(1)[:0])
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("ALTER TABLE tracks RENAME TO old")
        columns = "id INTEGER PRIMARY KEY, title VARCHAR NOT NULL, filepath VARCHAR NOT NULL UNIQUE"
        connection.execute(
            f"CREATE TABLE tracks ({columns}, album_id INTEGER NOT NULL REFERENCES albums (id))"
        )
    repository = LibraryRepository(path)
    extractor = FingerprintExtractor(repository, analyze=FakeAnalyzer())
    with pytest.raises(LibraryError, match="'album_id' is required"):
        Scan(repository, extractor, folders=[str(tmp_path / "music")]).run(Recorder())


def test_a_database_without_a_fingerprint_table_gets_one(music: Music, tmp_path: Path) -> None:
    path = application_database(tmp_path / "app.db", music(2))
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE track_fingerprints")
    repository = LibraryRepository(path)
    scan(repository)
    assert repository.exists(1)
    assert repository.exists(2)


def test_the_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "cookies.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE cookies (id INTEGER)")
    with pytest.raises(LibraryError, match="belongs to something else"):
        LibraryRepository(path)
    assert columns_of(path, "tracks") == []


def test_a_table_that_lacks_dimensions_is_refused(tmp_path: Path) -> None:
    path = application_database(tmp_path / "app.db", [])
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE track_fingerprints DROP COLUMN lufs")
    with pytest.raises(LibraryError, match="'track_fingerprints' lacks lufs"):
        LibraryRepository(path)


def test_reading_commands_change_nothing(music: Music, tmp_path: Path) -> None:
    path = application_database(tmp_path / "app.db", music(2))
    before = path.read_bytes()
    Database(path, readonly=True).close()
    assert path.read_bytes() == before
    with pytest.raises(LibraryError, match="no such database"):
        Database(tmp_path / "none.db", readonly=True)
    assert not (tmp_path / "none.db").exists()


def test_many_processes_may_open_a_new_database_at_once(database_url: str) -> None:
    errors: list[Exception] = []
    barrier = threading.Barrier(6)

    def open_it() -> None:
        barrier.wait()
        try:
            LibraryRepository(database_url).close()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_postgresql_application_database(postgresql: Callable[[], str], tmp_path: Path) -> None:
    """Its own types: an enumeration for the status, times with a zone, limited titles."""
    file = write_noise(tmp_path / ("long title " * 6 + ".wav"))
    url = postgresql()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TYPE state AS ENUM ('pending', 'processing', 'complete', 'error')")
        connection.exec_driver_sql(
            "CREATE TABLE tracks (id SERIAL PRIMARY KEY, title VARCHAR(20) NOT NULL,"
            " filepath TEXT NOT NULL UNIQUE, duration REAL, filesize INT,"
            " fingerprint_status state DEFAULT 'pending',"
            " fingerprint_computed_at TIMESTAMPTZ, fingerprint_started_at TIMESTAMPTZ, mood TEXT NOT NULL)"
        )
    repository = LibraryRepository(url)
    scan(repository, tmp_path)
    (track,) = [row.id for row in engine.connect().exec_driver_sql("SELECT id FROM tracks")]
    assert repository.exists(track)
    # Unchanged files are known again, though the database holds only the time of the fingerprint.
    analyzer = FakeAnalyzer()
    extractor = FingerprintExtractor(repository, analyze=analyzer)
    Scan(repository, extractor, folders=[str(tmp_path)]).run(Recorder())
    assert analyzer.calls == []
    write_noise(file, seed=1)
    Scan(repository, extractor, folders=[str(tmp_path)]).run(Recorder())
    assert analyzer.calls == [file]
    repository.close()
    engine.dispose()
