"""What must hold in any case: kill -9, rival scans, a full disk, 54 756 rows, memory."""

from __future__ import annotations

import json
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import time
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event
from support.library import (
    LIBRARY_ROWS,
    FakeAnalyzer,
    Recorder,
    add_tracks,
    application_database,
    command,
    rest_of,
    run_command,
    write_noise,
)
from support.processes import run_program

import auralis_fp
from auralis_fp import NAMES
from auralis_fp.library import FingerprintExtractor, LibraryError, LibraryRepository, Scan
from auralis_fp.library.store.database import Database
from auralis_fp.library.store.queries import library_status, stored_tracks

OLD_SIDECAR = {
    "format_version": "1.0",
    "audio_file": {"path": "x", "size_bytes": 1, "modified_at": "2020-01-01T00:00:00"},
    "fingerprint": {"fingerprint_version": 3},
    "processing_cache": {"keep": "this"},
}


def make_files(folder: Path, number: int, seconds: float) -> list[Path]:
    """Write files with ten different contents; a third of them has a sidecar of an older program."""
    folder.mkdir()
    files = []
    for index in range(number):
        path = folder / f"{index:03}.wav"
        if index < 10:
            write_noise(path, index, seconds=seconds, rate=22050)
        else:
            shutil.copyfile(folder / f"{index % 10:03}.wav", path)
        if index % 3 == 0:
            Path(f"{path}.25d").write_text(json.dumps(OLD_SIDECAR))
        files.append(path)
    return files


def assert_every_result_is_right(database: Path, files: list[Path]) -> None:
    expected = [list(auralis_fp.analyze(path).values()) for path in files[:10]]
    with closing(sqlite3.connect(database)) as connection:
        tracks = connection.execute(
            "SELECT id, filepath, fingerprint_status, fingerprint_vector, fingerprint_error_message"
            " FROM tracks"
        ).fetchall()
        rows = connection.execute(
            f"SELECT track_id, fingerprint_version, {', '.join(NAMES)} FROM track_fingerprints"
        ).fetchall()
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(tracks) == len(files)
    stored = {track_id: (version, values) for track_id, version, *values in rows}
    assert len(stored) == len(rows) == len(files)
    for track_id, path, status, vector, message in tracks:
        values = expected[int(Path(path).stem) % 10]
        assert (status, message) == ("complete", None)
        assert stored[track_id] == (auralis_fp.FINGERPRINT_VERSION, values)
        assert json.loads(vector) == values


def test_kill_9_twenty_times_loses_nothing(tmp_path: Path) -> None:
    files = make_files(tmp_path / "music", 200, seconds=10)
    database = application_database(tmp_path / "app.db", files)
    rest = rest_of(database)
    rng = random.Random(4)
    arguments = command(
        "scan", tmp_path / "music", "--db", database, "--workers", "2", "--claim-timeout", "1"
    )
    interrupted = in_flight = 0
    for _ in range(20):
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()  # it has begun
        time.sleep(rng.uniform(0, 0.12))
        process.send_signal(signal.SIGKILL)
        interrupted += process.wait() == -signal.SIGKILL
        process.stdout.close()
        with closing(sqlite3.connect(database)) as connection:
            claimed = "SELECT COUNT(*) FROM tracks WHERE fingerprint_status = 'processing'"
            in_flight += connection.execute(claimed).fetchone()[0]
    assert interrupted == 20
    assert in_flight > 5  # the processes were killed in the middle of the work
    final = run_command("scan", tmp_path / "music", "--db", database, "--claim-timeout", "1")
    assert final.returncode == 0, final.stdout + final.stderr
    assert_every_result_is_right(database, files)
    assert rest_of(database) == rest
    names = {path.name for path in (tmp_path / "music").iterdir()}
    assert names <= {f"{file.name}{suffix}" for file in files for suffix in ("", ".25d")}
    for index in range(0, 200, 3):
        sidecar = json.loads(Path(f"{files[index]}.25d").read_text())
        assert sidecar["processing_cache"] == {"keep": "this"}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_scans_at_once_share_the_work(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> None:
    files = make_files(tmp_path / "music", 120, seconds=8)
    if kind == "sqlite":
        database = str(application_database(tmp_path / "app.db", files))
    else:
        new_database: Callable[[], str] = request.getfixturevalue("postgresql")
        database = new_database()
    arguments = command("scan", tmp_path / "music", "--db", database, "--no-sidecar", "--workers", "1")
    both = [
        subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert all("locked" not in output + errors for output, errors in outputs)
    shares = [int(output.split("Done: ")[1].split()[0]) for output, _errors in outputs]
    assert sum(shares) == 120, "a track was analysed twice, or not at all"
    assert min(shares) > 0
    if kind == "sqlite":
        assert_every_result_is_right(Path(database), files)
    assert "complete: 120" in run_command("status", "--db", database).stdout


def test_memory_stays_flat_over_2000_files(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    folder.mkdir()
    for index in range(2000):
        write_noise(folder / f"{index}.wav", index, seconds=0.1)
    done = run_program("memory/scan", tmp_path / "library.db", folder, timeout=300)
    memory = [int(word) for word in done.stdout.split()]
    assert len(memory) == 2000
    second, last = statistics.mean(memory[500:1000]), statistics.mean(memory[1500:])
    assert last < 1.05 * second
    assert max(memory) < 200e6


def large_library(path: Path, done: int, rows: int = LIBRARY_ROWS) -> Path:
    """Make a database of ``rows`` tracks, the first ``done`` of which have a fingerprint."""
    LibraryRepository(path).close()
    columns = f"track_id, fingerprint_version, {', '.join(NAMES)}"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO tracks (title, filepath, filesize, duration, fingerprint_status)"
            " VALUES ('t', ?, 1000, 1, ?)",
            (
                (f"/music/artist {n % 997}/{n}.flac", "complete" if n <= done else "pending")
                for n in range(1, rows + 1)
            ),
        )
        values = (0.5,) * len(NAMES)
        connection.executemany(
            f"INSERT INTO track_fingerprints ({columns}) VALUES (?, 101, {', '.join('?' * len(NAMES))})",
            ((n, *values) for n in range(1, done + 1)),
        )
    return path


class Steps:
    """Counts the instructions that SQLite executes: a cost that no other load changes."""

    def __init__(self, database: Database) -> None:
        self.count = 0
        event.listen(database.engine, "checkout", self._watch)

    def _watch(self, connection: sqlite3.Connection, *_rest: object) -> None:
        connection.set_progress_handler(self._step, 10)

    def _step(self) -> int:
        self.count += 10
        return 0


def test_the_cost_of_a_claim_does_not_depend_on_what_is_done(tmp_path: Path) -> None:
    costs = []
    for share in (0.0, 0.5, 0.99):
        repository = LibraryRepository(large_library(tmp_path / f"{share}.db", int(share * LIBRARY_ROWS)))
        repository.reconcile()
        steps = Steps(repository.database)
        for _ in range(50):
            before = steps.count
            track = repository.claim_next_unfingerprinted_track()
            assert track is not None
            assert repository.upsert(track.id, dict.fromkeys(NAMES, 1.0))
            costs.append(steps.count - before)
        repository.close()
    assert max(costs) < 2000, "SQLite looked at more rows than the one"


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """Start a scan on few and on many rows, count, list, synchronize: nothing may be held per row."""

    def peak(rows: int) -> int:
        repository = LibraryRepository(large_library(tmp_path / f"{rows}.db", rows // 2, rows))
        tracemalloc.start()
        extractor = FingerprintExtractor(repository, analyze=FakeAnalyzer())
        Scan(repository, extractor, workers=2, limit=2).run(Recorder())
        assert library_status(repository.database).tracks == rows
        assert sum(1 for _ in stored_tracks(repository.database)) == rows // 2
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        repository.close()
        return size

    peak(2000)  # for what is imported and compiled meanwhile
    assert peak(LIBRARY_ROWS) < 1.25 * peak(6000)


@pytest.fixture
def full(library: LibraryRepository) -> Callable[[], None]:
    """Return a function after which the database cannot grow, as on a full disk."""
    limited: list[bool] = []

    def limit(connection: sqlite3.Connection, *_rest: object) -> None:
        if limited:
            connection.execute("PRAGMA max_page_count = 1")  # the present size, at least

    event.listen(library.database.engine, "checkout", limit)
    return lambda: limited.append(True)


def test_a_full_disk_stops_the_scan_and_loses_nothing(
    library: LibraryRepository, tmp_path: Path, full: Callable[[], None]
) -> None:
    files = make_files(tmp_path / "music", 300, seconds=0.1)
    add_tracks(library, files)
    full()
    extractor = FingerprintExtractor(library, analyze=FakeAnalyzer())
    with pytest.raises(LibraryError, match="no space is left for the database"):
        Scan(library, extractor, workers=4).run(Recorder())
    library.close()
    again = LibraryRepository(library.database.url, claim_timeout_s=0.1)
    counts = library_status(again.database)
    assert counts.by_status.get("error", 0) == 0
    assert counts.by_status.get("complete", 0) == counts.fingerprinted < 300
    report = Scan(again, FingerprintExtractor(again, analyze=FakeAnalyzer())).run(Recorder())
    assert report.clean
    assert library_status(again.database).by_status == {"complete": 300}


def test_a_database_locked_for_a_while_only_delays(library: LibraryRepository, tmp_path: Path) -> None:
    files = make_files(tmp_path / "music", 30, seconds=0.1)
    add_tracks(library, files)
    with closing(
        sqlite3.connect(library.database.name, isolation_level=None, check_same_thread=False)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        scan = subprocess.Popen(
            command("scan", "--db", library.database.name, "--no-sidecar"), stdout=subprocess.PIPE, text=True
        )
        time.sleep(2)
        assert scan.poll() is None
        other.execute("COMMIT")
        output = scan.communicate(timeout=60)[0]
    assert scan.returncode == 0
    assert "Done: 30 analysed" in output
