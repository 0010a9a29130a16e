"""Tools of the library's tests: short files, a predictable analyzer, an application's database."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
import wave
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.dialects import sqlite

from auralis_fp import NAMES, Cancelled, CancelToken, Fingerprint, Metadata, Timeout, Unsupported
from auralis_fp.library import ClaimedTrack, LibraryRepository
from auralis_fp.library.store import tables
from auralis_fp.library.store.database import Database
from auralis_fp.library.work.progress import Snapshot

LIBRARY_ROWS = 54_756

Music = Callable[[int], list[str]]
"""Makes a folder with a given number of short files, and returns their paths: the fixture ``music``."""


def write_noise(path: str | Path, seed: int = 0, seconds: float = 0.2, rate: int = 8000) -> str:
    """Write noise that depends on ``seed``."""
    noise = np.random.default_rng(seed).integers(-8000, 8000, int(seconds * rate), dtype=np.int16)
    with wave.open(os.fspath(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(noise.tobytes())
    return os.fspath(path)


def values_of(path: str | Path) -> dict[str, float]:
    """What :class:`FakeAnalyzer` measures in a file."""
    seed = zlib.crc32(Path(path).read_bytes())
    return {name: (seed >> index) % 1009 / 10 for index, name in enumerate(NAMES)}


class FakeAnalyzer:
    """An analyzer whose numbers depend on the file's bytes alone, at once; counts its calls."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.calls: list[str] = []
        self.timeouts: list[float | None] = []

    def __call__(
        self, path: str, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> Fingerprint:
        self.calls.append(path)
        self.timeouts.append(timeout)
        if not Path(path).read_bytes().startswith(b"RIFF"):
            raise Unsupported("not an audio file", stage="probe", path=path)
        end = time.monotonic() + self.seconds
        stop = time.monotonic() + timeout if timeout is not None else None
        while time.monotonic() < end:
            if cancel is not None and cancel.cancelled:
                raise Cancelled("cancelled", path=path)
            if stop is not None and time.monotonic() > stop:
                raise Timeout("took too long", path=path)
            time.sleep(0.002)
        metadata = Metadata(1.0, 8000, 1, "pcm_s16le", "wav", 8000, 0)
        return Fingerprint(list(values_of(path).values()), metadata)


class ApplicationRepository:
    """A repository with the five methods of the contract and nothing else."""

    def __init__(self, stored: object = None) -> None:
        self.rows: dict[int, dict[str, float]] = {}
        self.missing: list[ClaimedTrack] = []
        self.returned = stored

    def exists(self, track_id: int) -> bool:
        return track_id in self.rows

    def upsert(self, track_id: int, fingerprint_data: Mapping[str, float]) -> Any:
        if self.returned is not False:
            self.rows[track_id] = dict(fingerprint_data)
        return self.returned

    def get_by_track_id(self, track_id: int) -> dict[str, float] | None:
        return self.rows.get(track_id)

    def get_missing_fingerprints(self, limit: int | None = None) -> list[ClaimedTrack]:
        return self.missing[:limit]

    def claim_next_unfingerprinted_track(self) -> ClaimedTrack | None:
        return self.missing.pop(0) if self.missing else None


class Recorder:
    """A display that keeps what it is shown."""

    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def show(self, snapshot: Snapshot, *, last: bool = False) -> None:
        self.snapshots.append(snapshot)


def add_tracks(repository: LibraryRepository, paths: Sequence[str | Path]) -> list[int]:
    """Insert tracks, as an application would; their ids."""
    database = repository.database
    with database.write() as connection:
        rows = [{"title": Path(path).stem, "filepath": str(path)} for path in paths]
        if rows:
            connection.execute(database.tracks.insert(), rows)
    columns = database.tracks.c
    with database.read() as connection:
        ids = {row.filepath: row.id for row in connection.execute(select(columns.id, columns.filepath))}
    return [ids[str(path)] for path in paths]


def set_track(database: Database, track_id: int, **values: object) -> None:
    with database.write() as connection:
        connection.execute(database.tracks.update().where(database.tracks.c.id == track_id).values(**values))


def track_row(database: Database, track_id: int) -> dict[str, object]:
    with database.read() as connection:
        query = database.tracks.select().where(database.tracks.c.id == track_id)
        return dict(connection.execute(query).mappings().one())


def add_fingerprint(database: Database, track_id: int, version: int, value: float = 1.0) -> None:
    """Insert a fingerprint row of another program; -100 makes it a placeholder's loudness."""
    values = dict.fromkeys(NAMES, 0.0 if value == -100 else value) | {"lufs": value}
    with database.write() as connection:
        connection.execute(
            database.fingerprints.insert().values(track_id=track_id, fingerprint_version=version, **values)
        )


APPLICATION_SCHEMA = f"""
CREATE TABLE albums (id INTEGER PRIMARY KEY, title TEXT NOT NULL);
CREATE TABLE playlists (id INTEGER PRIMARY KEY, name TEXT NOT NULL, track_ids TEXT);
CREATE TABLE tracks (
    id INTEGER PRIMARY KEY, title VARCHAR NOT NULL, filepath VARCHAR NOT NULL UNIQUE, duration REAL,
    sample_rate INTEGER, bit_depth INTEGER, channels INTEGER, format VARCHAR, filesize INTEGER,
    peak_level REAL, rms_level REAL, dr_rating REAL, lufs_level REAL,
    fingerprint_status VARCHAR DEFAULT 'pending', {{claim_column}}
    fingerprint_computed_at DATETIME, fingerprint_error_message TEXT, fingerprint_vector TEXT,
    album_id INTEGER REFERENCES albums (id), play_count INTEGER NOT NULL, favourite BOOLEAN NOT NULL,
    mood VARCHAR NOT NULL, created_at DATETIME NOT NULL, updated_at DATETIME
);
CREATE TABLE track_fingerprints (
    id INTEGER PRIMARY KEY,
    track_id INTEGER NOT NULL UNIQUE REFERENCES tracks (id) ON DELETE CASCADE,
    {", ".join(f"{name} FLOAT NOT NULL" for name in NAMES)},
    fingerprint_version INTEGER NOT NULL DEFAULT 1, created_at DATETIME, updated_at DATETIME
);
CREATE TRIGGER no_deletion BEFORE DELETE ON tracks BEGIN SELECT RAISE(ABORT, 'a track was deleted'); END;
"""


def loose_schema(*, typed: bool = True) -> str:
    """Return the statement that makes ``tracks`` without a single constraint, or even without types."""
    kinds = [column.type.compile(sqlite.dialect()) if typed else "" for column in tables.tracks.columns]
    columns = [f"{column.name} {kind}" for column, kind in zip(tables.tracks.columns, kinds, strict=True)]
    columns[0] = "id INTEGER PRIMARY KEY"
    return f"CREATE TABLE tracks ({', '.join(columns)})"


OURS = frozenset(
    ["fingerprint_status", "fingerprint_started_at", "fingerprint_computed_at", "fingerprint_error_message",
     "fingerprint_vector"]
)  # fmt: skip


def application_database(path: Path, files: Sequence[str | Path], *, claim_column: bool = False) -> Path:
    """Make a database as the existing application keeps it, with more tables and columns than ours."""
    connection = sqlite3.connect(path)
    column = "fingerprint_started_at DATETIME," if claim_column else ""
    connection.executescript(APPLICATION_SCHEMA.format(claim_column=column))
    connection.execute("INSERT INTO albums VALUES (1, 'An album')")
    connection.execute("INSERT INTO playlists VALUES (1, 'Mine', '[1, 2, 3]')")
    connection.executemany(
        "INSERT INTO tracks (title, filepath, filesize, lufs_level, album_id, play_count, favourite, mood,"
        " created_at, updated_at)"
        " VALUES (?, ?, ?, -9.5, 1, 7, 1, 'calm', '2024-01-01 00:00:00', '2024-01-02')",
        [(Path(file).stem, str(file), Path(file).stat().st_size) for file in files],
    )
    connection.commit()
    connection.close()
    return path


def rest_of(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Everything in an application's database that is not this package's to change."""
    with sqlite3.connect(path) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(tracks)") if row[1] not in OURS]
        content = {
            "tracks": connection.execute(f"SELECT {', '.join(columns)} FROM tracks ORDER BY id").fetchall(),
            "albums": connection.execute("SELECT * FROM albums").fetchall(),
            "playlists": connection.execute("SELECT * FROM playlists").fetchall(),
        }
    connection.close()
    return content


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "auralis_fp.cli", *map(str, arguments)]


def run_command(*arguments: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=timeout)
