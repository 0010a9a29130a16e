"""Fingerprints that were computed elsewhere: into databases in bulk, and never over newer ones."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.collections import made_up
from support.library import application_database, run_command, track_row, write_noise

from auralis_fp import FINGERPRINT_VERSION, NAMES, analyze
from auralis_fp.cluster import analyze_table
from auralis_fp.library import Database, LibraryRepository
from auralis_fp.library.work import importing
from auralis_fp.library.work.importing import Imported, import_rows

WHEN = datetime(2026, 5, 1, 12, 30, 0, 123456, timezone.utc)


def row(path: str, seed: int = 0, **changes: object) -> dict[str, Any]:
    values = dict(zip(NAMES, made_up(1, seed)[0].tolist(), strict=True))
    known = {"uri": path, "duration": 180.5, "sample_rate": 44100, "channels": 2, "size": 1234}
    made = {"fingerprint_version": FINGERPRINT_VERSION, "fingerprint_build": "{}", "computed_at": WHEN}
    return {**known, **values, **made, **changes}


def counts(done: Imported) -> tuple[int, int, int, int]:
    assert done.rows == done.stored + done.kept + done.without + len(done.refused)
    return done.stored, done.added, done.kept, done.without


def numbers(repository: LibraryRepository, track_id: int) -> list[float]:
    found = repository.get_by_track_id(track_id)
    assert found is not None
    values: list[float] = found.vector.tolist()
    return values


def stored(seed: int) -> list[float]:
    found: list[float] = made_up(1, seed)[0].tolist()
    return found


def test_rows_become_tracks_with_fingerprints(
    repository: LibraryRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_PAGE", 4)
    rows = [row(f"/music/{number}.flac", number) for number in range(10)]
    assert counts(import_rows(repository.database, rows)) == (10, 10, 0, 0)
    for number in range(10):
        assert numbers(repository, number + 1) == stored(number)
    track = track_row(repository.database, 3)
    assert (track["filepath"], track["title"]) == ("/music/2.flac", "2")
    assert (track["fingerprint_status"], track["fingerprint_error_message"]) == ("complete", None)
    assert (track["duration"], track["sample_rate"], track["filesize"]) == (180.5, 44100, 1234)
    assert repository.claim_next_unfingerprinted_track() is None


def test_rows_are_imported_once(repository: LibraryRepository) -> None:
    rows = [row(f"/music/{number}.flac", number) for number in range(3)]
    import_rows(repository.database, rows)
    before = [track_row(repository.database, one) for one in (1, 2, 3)]
    assert counts(import_rows(repository.database, rows)) == (0, 0, 3, 0)
    assert [track_row(repository.database, one) for one in (1, 2, 3)] == before


@pytest.mark.parametrize(
    ("changes", "replaced"),
    [
        ({}, False),
        ({"computed_at": WHEN - timedelta(microseconds=2000)}, False),
        ({"computed_at": WHEN + timedelta(microseconds=2000)}, True),
        ({"computed_at": None}, False),
        ({"fingerprint_version": FINGERPRINT_VERSION + 1, "computed_at": None}, True),
        ({"fingerprint_version": FINGERPRINT_VERSION - 1, "computed_at": WHEN + timedelta(days=9)}, False),
    ],
)
def test_newer_fingerprints_are_kept(
    changes: dict[str, object], replaced: bool, repository: LibraryRepository
) -> None:
    import_rows(repository.database, [row("/music/song.flac", 1)])
    done = import_rows(repository.database, [row("/music/song.flac", 2, **changes)])
    assert counts(done) == (int(replaced), 0, int(not replaced), 0)
    assert numbers(repository, 1) == stored(2 if replaced else 1)


def test_the_newest_of_several_rows_counts(repository: LibraryRepository) -> None:
    later = WHEN + timedelta(hours=1)
    rows = [row("/a.mp3", 1), row("/a.mp3", 2, computed_at=later), row("/a.mp3", 3, computed_at=None)]
    assert counts(import_rows(repository.database, rows)) == (1, 1, 2, 0)
    assert numbers(repository, 1) == stored(2)


def test_uris_become_paths(repository: LibraryRepository) -> None:
    uris = [
        "s3://bucket/music/a.mp3",
        "s3://bucket/music/live/b.mp3",
        "gs://other/c.mp3",
        "file:///caf%E9.mp3",
    ]
    mapping = {"s3://bucket/music": "/mnt", "s3://bucket/music/live": "/mnt/concerts"}
    import_rows(repository.database, [row(uri) for uri in uris], mapping=mapping)
    paths = {track_row(repository.database, number)["filepath"] for number in (1, 2, 3, 4)}
    assert paths == {"/mnt/a.mp3", "/mnt/concerts/b.mp3", "gs://other/c.mp3", "file:///caf%E9.mp3"}


def test_rows_without_a_fingerprint_are_left_out(repository: LibraryRepository) -> None:
    failed: dict[str, Any] = dict.fromkeys((*NAMES, "fingerprint_version"))
    rows = [row("/a.mp3", **failed), row("/b.mp3", lufs=float("nan")), row("/c.mp3", fingerprint_version=0)]
    assert counts(import_rows(repository.database, [*rows, row("/d.mp3")])) == (1, 1, 0, 3)


def test_the_tracks_of_an_application_get_fingerprints(tmp_path: Path) -> None:
    """Its other columns stay as they are, and those that only it knows are completed for new tracks."""
    files = [write_noise(tmp_path / f"{number}.wav", number) for number in range(2)]
    path = application_database(tmp_path / "app.db", files)
    database = Database(path)
    assert counts(import_rows(database, [row(files[0], 5), row("/new.mp3", 6)])) == (2, 1, 0, 0)
    known, new = track_row(database, 1), track_row(database, 3)
    assert (known["play_count"], known["mood"], known["lufs_level"]) == (7, "calm", -9.5)
    assert (new["play_count"], new["mood"], new["filepath"]) == (0, "", "/new.mp3")
    assert track_row(database, 2)["fingerprint_status"] == "pending"
    database.close()


def test_a_row_that_the_database_refuses_does_not_stop_the_others(tmp_path: Path) -> None:
    database = Database(tmp_path / "library.db")
    with database.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER no BEFORE INSERT ON tracks WHEN NEW.title = 'bad' "
            "BEGIN SELECT RAISE(ABORT, 'no bad titles'); END"
        )
    done = import_rows(database, [row(f"/{name}.mp3") for name in ("a", "b", "bad", "c", "d")])
    assert counts(done)[:2] == (4, 4)
    assert [path for path, _reason in done.refused] == ["/bad.mp3"]
    database.close()


# --- commands on Parquet files -----------------------------------------------------------------------------


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder as a run leaves it: of four files, one is bad."""
    (tmp_path / "music").mkdir()
    paths = [write_noise(tmp_path / "music" / f"song{number}.wav", number) for number in range(3)]
    (tmp_path / "music" / "bad.mp3").write_bytes(b"no audio")
    folder = tmp_path / "results"
    (folder / "_auralis_fp").mkdir(parents=True)
    write_uris(folder / "shard-000000.parquet", [*paths[:2], str(tmp_path / "music" / "bad.mp3")])
    write_uris(folder / "shard-000001.parquet", paths[2:])
    pq.write_table(pa.table({"uri": paths}), folder / "_auralis_fp" / "manifest.parquet")
    return folder


def write_uris(path: Path, uris: Sequence[str]) -> None:
    pq.write_table(analyze_table(pa.table({"uri": uris})), path)


def test_the_command_imports_a_folder(results: Path, database_url: str) -> None:
    done = run_command("import", results, "--db", database_url)
    assert done.stdout == (
        "4 rows: 3 fingerprints stored, 3 tracks added, 0 kept as they were, 1 without a fingerprint\n"
    )
    again = run_command("import", results, "--db", database_url, "--map", f"{results.parent}/x=/y")
    assert "0 fingerprints stored, 0 tracks added, 3 kept" in again.stdout
    repository = LibraryRepository(database_url)
    song = results.parent / "music/song0.wav"
    assert numbers(repository, 1) == analyze(song).vector.tolist()
    repository.close()
    scanned = run_command("scan", song.parent, "--db", database_url, "--no-sidecar", "--quiet")
    assert "song" not in scanned.stderr  # nothing but the bad file was to be measured
    assert "bad.mp3" in scanned.stderr


def test_what_cannot_be_imported_is_an_error_before_there_is_a_database(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    pq.write_table(pa.table({"uri": ["a"]}), tmp_path / "list.parquet")
    for source, cause in {
        "none": "no such file", "empty": "no .parquet file in this folder", "http://x/y": "http is not read"
    }.items():  # fmt: skip
        named = source if "://" in source else tmp_path / source
        done = run_command("import", named, "--db", tmp_path / "x.db")
        assert (done.returncode, done.stdout) == (2, "")
        assert cause in done.stderr
    assert not (tmp_path / "x.db").exists()
    done = run_command("import", tmp_path / "list.parquet", "--db", tmp_path / "x.db")
    assert done.returncode == 2
    assert "no column" in done.stderr


def test_results_are_exported_as_a_database_is(results: Path, tmp_path: Path) -> None:
    run_command("import", results, "--db", tmp_path / "library.db")
    exported = run_command("export", "--db", results).stdout
    assert len(exported.splitlines()) == 4
    from_database = run_command("export", "--db", tmp_path / "library.db", "--no-sidecar").stdout
    without_ids = [line.partition(",")[2] for line in exported.splitlines()]
    assert without_ids == [line.partition(",")[2] for line in from_database.splitlines()]


def test_results_can_be_searched_and_shown(results: Path, tmp_path: Path) -> None:
    found = run_command("similar", os.path.relpath(results.parent / "music/song1.wav"), "--db", results)
    assert found.returncode == 0, found.stderr
    assert "song2" in found.stdout
    page = run_command("page", "--db", results, "--output", tmp_path / "page.html")
    assert page.stdout == f"3 tracks written to {tmp_path / 'page.html'}\n"
    assert "results" in (tmp_path / "page.html").read_text()
