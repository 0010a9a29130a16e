"""Other programs at the database: locks, a file that is removed or replaced, schemas of their own."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import select
from support.library import (
    FakeAnalyzer,
    Music,
    Recorder,
    add_fingerprint,
    add_tracks,
    application_database,
    command,
    run_command,
    set_track,
    write_noise,
)

from auralis_fp import NAMES
from auralis_fp.library import FingerprintExtractor, LibraryError, LibraryRepository, Scan
from auralis_fp.library.work.catalog import Changes, synchronize

WORKERS: Final = 16


def folder_of_songs(tmp_path: Path, number: int, seconds: float) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    for index in range(number):
        write_noise(folder / f"{index:03}.wav", index, seconds, 22050)
    return folder


def lock(database: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN EXCLUSIVE")
    return connection


def wait_for_a_result(database: Path) -> None:
    """Wait until a scan has stored something."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(database)) as connection:
            if connection.execute("SELECT id FROM track_fingerprints").fetchone():
                return
        time.sleep(0.01)
    raise TimeoutError("the scan has not begun")


# --- locks ---------------------------------------------------------------------------------------------


def test_all_workers_wait_once_for_a_lock_and_the_scan_says_so(tmp_path: Path) -> None:
    folder, database = folder_of_songs(tmp_path, 100, 20), tmp_path / "library.db"
    url = f"sqlite:///{database}?timeout=4"
    process = subprocess.Popen(
        command("scan", folder, "--db", url, "--workers", str(WORKERS)),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for_a_result(database)
    blocker = lock(database)
    started = time.monotonic()
    output, errors = process.communicate(timeout=120)
    waited = time.monotonic() - started
    blocker.close()
    assert process.returncode == 2
    assert errors.splitlines() == [
        f"auralis-fp: {database}: the database is locked by another program; try again when it is done"
    ]
    assert "Waiting: another program has locked the database" in output
    assert waited < 3 * 4, "not one timeout after the other"
    assert run_command("scan", folder, "--db", database, "--claim-timeout", "1").returncode == 0


def test_a_lock_that_ends_in_time_is_only_waited_for(tmp_path: Path) -> None:
    folder, database = folder_of_songs(tmp_path, 100, 20), tmp_path / "library.db"
    process = subprocess.Popen(
        command("scan", folder, "--db", database), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for_a_result(database)
    blocker = lock(database)
    time.sleep(4)
    blocker.close()
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    assert "Waiting: another program has locked the database" in output
    assert "Done: 100 analysed" in output


# --- a database that goes away -------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["removed", "replaced"])
def test_a_database_that_goes_away_ends_the_scan(tmp_path: Path, what: str) -> None:
    folder, database = folder_of_songs(tmp_path, 200, 10), tmp_path / "library.db"
    other = tmp_path / "other.db"
    shutil.copytree(folder, tmp_path / "others")
    assert run_command("scan", tmp_path / "others", "--db", other, "--limit", "3").returncode == 0
    before = other.read_bytes()
    process = subprocess.Popen(
        command("scan", folder, "--db", database, "--workers", "2"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for_a_result(database)
    if what == "removed":
        database.unlink()
    else:
        other.rename(database)
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, "Done" in output, "Traceback" in errors) == (2, False, False)
    (line,) = errors.splitlines()
    assert f"{database}: the database was {what}" in line
    if what == "replaced":  # and its successor has none of the log of the old one
        assert database.read_bytes() == before
        with sqlite3.connect(database) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_store_into_a_database_that_is_gone_raises(library: LibraryRepository, song: str) -> None:
    set_up = FingerprintExtractor(library, analyze=FakeAnalyzer(), use_sidecar_files=False)
    with library.database.write() as connection:
        connection.execute(library.database.tracks.insert().values(title="a", filepath=song))
    Path(str(library.database.url.database)).unlink()
    with pytest.raises(LibraryError, match="was removed while it was in use"):
        set_up.extract_and_store(1, song)


# --- schemas -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    ["FLOAT", "REAL", "DOUBLE PRECISION", "NUMERIC(8, 3)", "BOOLEAN", "BLOB", "DATE", "TIME", "DATETIME",
     "TIMESTAMP", "VARCHAR(3)", "JSON", "UUID", "NONSENSE", ""],
)  # fmt: skip
def test_required_columns_of_every_type_are_filled(music: Music, tmp_path: Path, kind: str) -> None:
    folder = Path(music(2)[0]).parent
    path = application_database(tmp_path / "app.db", [])
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE tracks")
        connection.execute(
            "CREATE TABLE tracks (id INTEGER PRIMARY KEY, title TEXT NOT NULL, filepath TEXT NOT NULL UNIQUE,"
            f" fingerprint_status TEXT, reference_weight {kind} NOT NULL)"
        )
        connection.execute(f"ALTER TABLE track_fingerprints ADD COLUMN weight {kind} NOT NULL DEFAULT 1")
    connection.close()
    extractor = FingerprintExtractor(LibraryRepository(path), analyze=FakeAnalyzer())
    summary = Scan(extractor.repository, extractor, folders=[str(folder)]).run(Recorder())  # type: ignore[arg-type]
    assert (summary.clean, summary.statistics.analyzed) == (True, 2)


@pytest.mark.parametrize(
    ("change", "sign"),
    [
        ("ALTER TABLE tracks ADD COLUMN filepath_key VARCHAR", "tracks.filepath_key"),
        ("CREATE TABLE schema_version AS SELECT 3 AS version UNION SELECT 10", "schema version 10"),
        ("CREATE TABLE schema_version AS SELECT 14 AS version", "schema version 14"),
    ],
)
def test_databases_of_later_versions_of_the_application_are_refused_before_the_first_row(
    music: Music, tmp_path: Path, change: str, sign: str
) -> None:
    path = application_database(tmp_path / "app.db", music(2))
    with sqlite3.connect(path) as connection:
        connection.execute(change)
    connection.close()
    before = path.read_bytes()
    done = run_command("scan", tmp_path / "music", "--db", path)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert f"belongs to a later version of its application ({sign})" in done.stderr
    assert "docs/migration.md" in done.stderr
    assert path.read_bytes() == before
    assert run_command("status", "--db", path).returncode == 0


@pytest.mark.parametrize(
    "table",
    ["schema_version AS SELECT 9 AS version", "schema_version AS SELECT 'x' AS version",
     "schema_version AS SELECT 12 AS number", "schema_version (version BLOB)"],
)  # fmt: skip
def test_databases_of_earlier_versions_are_taken_as_they_are(
    music: Music, tmp_path: Path, table: str
) -> None:
    path = application_database(tmp_path / "app.db", music(2))
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE {table}")
    connection.close()
    assert run_command("scan", "--db", path).returncode == 0


def test_placeholders_of_every_version_are_no_fingerprints(
    repository: LibraryRepository, music: Music
) -> None:
    folder = Path(music(9)[0]).parent
    extractor = FingerprintExtractor(repository, use_sidecar_files=False, analyze=FakeAnalyzer())
    assert Scan(repository, extractor, folders=[str(folder)]).run(Recorder()).statistics.analyzed == 9
    with repository.database.write() as connection:
        connection.execute(repository.database.fingerprints.delete())
    for version in range(1, 9):
        add_fingerprint(repository.database, version, version, value=-100)
        set_track(repository.database, version, fingerprint_status="complete")
    add_fingerprint(repository.database, 9, 8, value=-14.0)  # a result of the application, and not current
    assert [repository.exists(track) for track in range(1, 10)] == [False] * 8 + [True]
    summary = Scan(repository, extractor).run(Recorder())
    assert (summary.clean, summary.statistics.analyzed) == (True, 8)


@pytest.mark.parametrize("value", ["NULL", "'loud'", "x'00'", "9e999", "1e305"])
def test_a_row_with_a_number_that_is_none_is_no_fingerprint(music: Music, tmp_path: Path, value: str) -> None:
    path = tmp_path / "library.db"
    columns = f"{', '.join(NAMES)}, fingerprint_version"
    with sqlite3.connect(application_database(path, music(1))) as connection:
        connection.execute("DROP TABLE track_fingerprints")
        connection.execute(f"CREATE TABLE track_fingerprints (id INTEGER PRIMARY KEY, track_id, {columns})")
        values = ", ".join(["1.0"] * 24 + [value])
        connection.execute(f"INSERT INTO track_fingerprints (track_id, {columns}) VALUES (1, {values}, 101)")
    connection.close()
    assert "Done: 1 analysed" in run_command("scan", "--db", path).stdout
    assert "version 101: 1" in run_command("status", "--db", path).stdout


def test_a_track_gets_one_fingerprint_in_a_table_that_allows_more(tmp_path: Path, song: str) -> None:
    path = application_database(tmp_path / "app.db", [song])
    with closing(sqlite3.connect(path)) as database, database:
        query = "SELECT sql FROM sqlite_master WHERE name = 'track_fingerprints'"
        (schema,) = database.execute(query).fetchone()
        database.execute("DROP TABLE track_fingerprints")
        database.execute(schema.replace("NOT NULL UNIQUE", "NOT NULL"))
    repository = LibraryRepository(path)
    claim = repository.claim_next_unfingerprinted_track()
    assert claim is not None
    # By another program, which does not know of the claim.
    add_fingerprint(repository.database, claim.id, version=5, value=-100.0)
    assert repository.upsert(claim.id, dict.fromkeys(NAMES, 1.0))
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT lufs FROM track_fingerprints").fetchall() == [(1.0,)]


# --- names ---------------------------------------------------------------------------------------------


def test_a_database_whose_name_is_a_slip_is_not_made(tmp_path: Path) -> None:
    for more in ([], ["--dry-run"]):
        done = run_command("scan", "--db", tmp_path / "typo.db", *more)
        assert (done.returncode, done.stderr) == (2, f"auralis-fp: {tmp_path}/typo.db: no such database\n")
        assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty.db").touch()
    done = run_command("scan", "--db", tmp_path / "empty.db")
    assert (done.returncode, "holds no music library" in done.stderr) == (2, True)
    assert (tmp_path / "empty.db").stat().st_size == 0


def test_another_scan_adds_the_new_name_of_a_file_first(library: LibraryRepository, music: Music) -> None:
    songs = music(3)
    folder = Path(songs[0]).parent
    synchronize(library.database, [str(folder)])
    moved = folder / "moved.wav"
    Path(songs[1]).rename(moved)
    changes, rival = Changes(), LibraryRepository(library.database.url)

    def asked_whether_to_stop() -> bool:
        if changes.files == 3 and str(moved) not in names(rival):
            add_tracks(rival, [moved])  # after the walk, and before this scan moves the row of the old name
        return False

    synchronize(library.database, [str(folder)], stop=asked_whether_to_stop, changes=changes)
    assert names(library) == {*songs, str(moved)}
    assert (changes.moved, changes.missing, changes.refused) == (0, 1, [])
    extractor = FingerprintExtractor(library, analyze=FakeAnalyzer())
    assert Scan(library, extractor, folders=[str(folder)]).run(Recorder()).statistics.analyzed == 3


def names(repository: LibraryRepository) -> set[str]:
    with repository.database.read() as connection:
        return set(connection.execute(select(repository.database.tracks.c.filepath)).scalars())
