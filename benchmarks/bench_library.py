"""The cost of the library besides the analysis: claims, stores, start-up, on 54 756 rows.

scripts/python benchmarks/bench_library.py [DATABASE_URL_OF_AN_EMPTY_POSTGRESQL_DATABASE]
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import URL, delete

from auralis_fp import FINGERPRINT_VERSION, NAMES
from auralis_fp.library import LibraryRepository
from auralis_fp.library.store.database import Database

ROWS = 54_756
ROUNDS = 300
VALUES = dict.fromkeys(NAMES, 0.5)


def fill(database: Database, done: int) -> None:
    """Insert ``ROWS`` tracks, the first ``done`` of them with a fingerprint."""
    tracks, fingerprints = database.tracks, database.fingerprints
    with database.write() as connection:
        connection.execute(delete(fingerprints))
        connection.execute(delete(tracks))
        connection.execute(
            tracks.insert(),
            [
                {
                    "id": number,
                    "title": f"Track {number}",
                    "filepath": f"/music/artist {number % 997}/{number}.flac",
                    "filesize": 30_000_000,
                    "duration": 240.0,
                    "fingerprint_status": "complete" if number <= done else "pending",
                }
                for number in range(1, ROWS + 1)
            ],
        )
        if done:
            rows = [
                {"track_id": number, "fingerprint_version": FINGERPRINT_VERSION, **VALUES}
                for number in range(1, done + 1)
            ]
            connection.execute(fingerprints.insert(), rows)


def measure(url: str | URL, share: float) -> None:
    setup = LibraryRepository(url)
    fill(setup.database, int(share * ROWS))
    setup.close()
    started = time.perf_counter()
    repository = LibraryRepository(url)
    repository.reconcile()
    left = repository.work_left()
    opened = time.perf_counter() - started
    claims, stores = [], []
    for _ in range(ROUNDS):
        before = time.perf_counter()
        track = repository.claim_next_unfingerprinted_track()
        claimed = time.perf_counter()
        assert track is not None
        repository.upsert(track.id, VALUES)
        claims.append(claimed - before)
        stores.append(time.perf_counter() - claimed)
    first, *rest = claims
    print(
        f"{share:4.0%} done: open, reconcile and count {left.tracks} tracks {opened * 1e3:5.0f} ms | "
        f"claim: first {first * 1e3:.2f} ms, median {statistics.median(rest) * 1e3:.2f} ms | "
        f"store: median {statistics.median(stores) * 1e3:.2f} ms"
    )
    repository.close()


def start_up(path: Path) -> None:
    """Time ``auralis-fp scan`` on a library in which only one track is left, whose file is missing."""
    command = [sys.executable, "-m", "auralis_fp.cli", "scan", "--db", str(path), "--limit", "1"]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        print(f"scan of {ROWS} rows: first progress line after {time.perf_counter() - started:.2f} s")
        process.communicate()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "library.db"
        for share in (0.0, 0.5, 0.99):
            measure(sys.argv[1] if len(sys.argv) > 1 else URL.create("sqlite", database=str(path)), share)
        if len(sys.argv) == 1:
            start_up(path)


if __name__ == "__main__":
    main()
