"""The numbers of a library as one array: what counts, what is undefined, and when they have changed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from support.collections import made_up, store_fingerprints

from auralis_fp import NAMES, Fingerprint, analyze_samples
from auralis_fp.library import Database, LibraryError
from auralis_fp.library.report.export import export_parquet
from auralis_fp.library.similar.sources import DatabaseSource, Source, open_source
from auralis_fp.library.similar.vectors import read_vectors, undefined_as_nan
from auralis_fp.library.store.queries import stored_tracks


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Give a database of 20 tracks."""
    return store_fingerprints(tmp_path / "library.db", made_up(20))


def change(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


def test_every_fingerprint_is_read_as_it_is_stored(database: Path) -> None:
    found = read_vectors(Database(database, readonly=True))
    assert found.ids.tolist() == list(range(1, 21))
    np.testing.assert_array_equal(found.values, made_up(20).astype(np.float32))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE track_fingerprints SET fingerprint_version = 8 WHERE track_id = 3",
        "UPDATE track_fingerprints SET lufs = 'loud' WHERE track_id = 3",
        "UPDATE track_fingerprints SET lufs = 9e999 WHERE track_id = 3",
        "DELETE FROM tracks WHERE id = 3",
    ],
)
def test_what_is_no_fingerprint_of_this_version_is_left_out(database: Path, statement: str) -> None:
    change(database, statement)
    found = read_vectors(Database(database, readonly=True))
    assert found.ids.tolist() == [1, 2, *range(4, 21)]


def test_ids_ascend_in_whatever_order_rows_are(database: Path) -> None:
    change(database, "UPDATE track_fingerprints SET id = 1000 - id")
    found = read_vectors(Database(database, readonly=True))
    assert found.ids.tolist() == list(range(1, 21))
    np.testing.assert_array_equal(found.values, made_up(20).astype(np.float32))


RATE = 22050
RNG = np.random.default_rng(0)
NOISE = RNG.normal(0, 0.1, 8 * RATE).astype(np.float32)
SIGNALS = {
    "silence": np.zeros(5 * RATE, np.float32),
    "two seconds": NOISE[: 2 * RATE],
    "noise": NOISE,
    "left only": np.stack([NOISE, 0 * NOISE], axis=1),
    "antiphase": np.stack([NOISE, -NOISE], axis=1),
    "a tenth of a second": NOISE[: RATE // 10],
}


@pytest.mark.parametrize("name", SIGNALS)
def test_what_could_not_be_measured_is_known_from_the_stored_numbers(name: str) -> None:
    measured: Fingerprint = analyze_samples(SIGNALS[name], RATE)
    read = undefined_as_nan(measured.vector[None].copy())[0]
    assert {n for n, value in zip(NAMES, read, strict=True) if np.isnan(value)} == measured.undefined


def test_a_source_notices_changed_fingerprints_and_nothing_else(database: Path) -> None:
    source = DatabaseSource(Database(database, readonly=True))
    source.vectors()
    assert not source.changed()
    change(database, "UPDATE tracks SET title = 'new' WHERE id = 2")
    source.changed()  # may be, at first: what the numbers were was not summed up when they were read
    change(database, "UPDATE tracks SET title = 'newer' WHERE id = 2")
    assert not source.changed()
    for statement in (
        "UPDATE track_fingerprints SET lufs = lufs + 1 WHERE track_id = 2",
        "DELETE FROM track_fingerprints WHERE track_id = 7",
        "UPDATE track_fingerprints SET track_id = 100 - track_id",
    ):
        change(database, statement)
        assert source.changed()
        assert not source.changed()
    source.close()


def parquet(database: Path, output: Path) -> Path:
    with output.open("wb") as file:
        export_parquet(stored_tracks(Database(database, readonly=True), None), file)
    return output


def same(one: Source, other: Source) -> None:
    a, b = one.vectors(), other.vectors()
    np.testing.assert_array_equal(a.ids, b.ids)
    np.testing.assert_array_equal(a.values, b.values)
    ids = [7, 3, 99, 20]
    assert [(t.id, t.path, t.title) for t in one.tracks(ids)] == [
        (t.id, t.path, t.title) for t in other.tracks(ids)
    ]
    assert list(one.names()) == list(other.names())
    assert one.at_path("/music/000007.flac") == other.at_path("/music/000007.flac") == 7
    assert one.at_path("/none") is other.at_path("/none") is None


def test_a_parquet_file_is_the_library_it_was_exported_from(database: Path, tmp_path: Path) -> None:
    store_fingerprints(database, made_up(1, seed=5), version=8)  # which is not compared
    same(open_source(database), open_source(parquet(database, tmp_path / "all.parquet")))


def test_a_folder_of_parquet_files_is_one_library_and_read_again_when_it_grows(tmp_path: Path) -> None:
    values = made_up(12)
    folder = tmp_path / "shards"
    folder.mkdir()
    for shard in range(3):
        names = [f"/music/{shard}-{one}.flac" for one in range(4)]
        part = store_fingerprints(tmp_path / f"{shard}.db", values[4 * shard : 4 * shard + 4], paths=names)
        if shard < 2:
            parquet(part, folder / f"{shard}.parquet")
    source = open_source(folder)
    assert len(source.vectors()) == 8
    assert source.at_path("/music/1-2.flac") == 7  # ids occur twice: tracks are numbered
    assert not source.changed()
    parquet(tmp_path / "2.db", folder / "2.parquet")
    assert source.changed()
    np.testing.assert_array_equal(source.vectors().values, values.astype(np.float32))
    assert [track.path for track in source.tracks([12])] == ["/music/2-3.flac"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.parquet", None, "no such file"),
        ("empty", None, "no .parquet file in this folder"),
        ("text.parquet", b"text", "text.parquet: "),
    ],
)
def test_what_is_no_parquet_file_says_so(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    (tmp_path / "empty").mkdir()
    if content:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(LibraryError, match=message):
        open_source(tmp_path / name).vectors()
