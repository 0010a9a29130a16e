"""Libraries of made-up fingerprints without files: databases as this package and an application keep them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from auralis_fp import DIMENSIONS, FINGERPRINT_VERSION, NAMES
from auralis_fp.library.store.database import Database

_LOW = np.array([dimension.minimum for dimension in DIMENSIONS])
_HIGH = np.array([dimension.maximum for dimension in DIMENSIONS])


def made_up(count: int, seed: int = 0) -> NDArray[np.float64]:
    """Return fingerprints, all numbers of which are within their ranges and defined."""
    values: NDArray[np.float64] = _LOW + (_HIGH - _LOW) * np.random.default_rng(seed).uniform(
        0.05, 0.95, (count, len(NAMES))
    )
    return values


def store_fingerprints(
    path: Path,
    values: NDArray[np.float64],
    *,
    paths: Sequence[str | Path] | None = None,
    titles: Sequence[str] | None = None,
    durations: Iterable[float | None] | None = None,
    version: int = FINGERPRINT_VERSION,
) -> Path:
    """Add tracks with these fingerprints to a database, new or existing; ids go on from its last."""
    Database(path).close()
    count = len(values)
    names = ", ".join(NAMES)
    with sqlite3.connect(path) as connection:
        first = connection.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM tracks").fetchone()[0]
        ids = range(first, first + count)
        rows = zip(
            ids,
            titles or [f"Song {one}" for one in ids],
            map(str, paths or [f"/music/{one:06d}.flac" for one in ids]),
            durations or [180.0 + one % 60 for one in ids],
            strict=False,
        )
        connection.executemany(
            "INSERT INTO tracks (id, title, filepath, duration, fingerprint_status)"
            " VALUES (?, ?, ?, ?, 'complete')",
            rows,
        )
        connection.executemany(
            f"INSERT INTO track_fingerprints (track_id, {names}, fingerprint_version)"
            f" VALUES (?, {', '.join('?' * len(NAMES))}, {version})",
            [(one, *map(float, row)) for one, row in zip(ids, values, strict=True)],
        )
    connection.close()
    return path


def add_artists(path: Path, artists: Sequence[str]) -> None:
    """Give tracks 1, 2, ... artists and albums, in tables as the application has them."""
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE artists (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL);"
            "CREATE TABLE albums (id INTEGER PRIMARY KEY, title VARCHAR NOT NULL, artist_id INTEGER);"
            "CREATE TABLE track_artist (track_id INTEGER, artist_id INTEGER);"
        )
        names = sorted(set(artists))
        connection.executemany("INSERT INTO artists VALUES (?, ?)", enumerate(names, start=1))
        connection.executemany(
            "INSERT INTO albums VALUES (?, ?, ?)",
            [(n, f"Best of {a}", n) for n, a in enumerate(names, start=1)],
        )
        for track_id, artist in enumerate(artists, start=1):
            number = names.index(artist) + 1
            connection.execute("INSERT INTO track_artist VALUES (?, ?)", (track_id, number))
            connection.execute("UPDATE tracks SET album_id = ? WHERE id = ?", (number, track_id))
    connection.close()
