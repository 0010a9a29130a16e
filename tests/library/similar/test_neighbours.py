"""Similar tracks of a library: which are found, which are left out, and what cannot be answered."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from support.collections import add_artists, made_up, store_fingerprints
from support.encode import ffmpeg
from support.library import write_noise

from auralis_fp import DIMENSIONS, NAMES, analyze
from auralis_fp.library import LibraryError
from auralis_fp.library.similar import neighbours
from auralis_fp.library.similar.lists import Lists
from auralis_fp.library.similar.naming import find_track
from auralis_fp.library.similar.neighbours import Neighbours
from auralis_fp.library.similar.sources import open_source
from auralis_fp.library.similar.tracks import Track
from auralis_fp.similarity import Space

COUNT = 300


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Give a library by 30 artists, in which 300 is a copy of 1 and 299 one of 2, in other encodings."""
    values = made_up(COUNT)
    values[-2:] = values[[1, 0]] * 1.001
    durations = [100.0 + 0.7 * one for one in range(COUNT)]
    durations[-2:] = [durations[1], durations[0]]
    path = store_fingerprints(tmp_path / "library.db", values, durations=durations)
    add_artists(path, [f"Artist {one % 30}" for one in range(COUNT)])
    return path


def opened(path: Path, **weights: float) -> Neighbours:
    return Neighbours(open_source(path), weights=weights)


def nearest(library: Neighbours, *names: str, count: int = 10, **options: bool) -> list[int | None]:
    seeds = library.seeds([find_track(library.source, name) for name in names])
    return [one.track.id for one in library.nearest(seeds, count, **options)]


def test_the_nearest_are_those_of_the_space_without_the_seed_and_its_copies(database: Path) -> None:
    values = made_up(COUNT).astype(np.float32)
    values[-2:] = values[[1, 0]] * 1.001
    space = Space.fit(values)
    expected, _distances = space.index(values).nearest(values[0], 90, exclude=[0])
    found = nearest(opened(database), "1")
    assert found == [one + 1 for one in expected.tolist() if one != 299][:10]


def test_no_recording_comes_twice(database: Path) -> None:
    found = nearest(opened(database), "5", count=COUNT)
    assert len(found) == COUNT - 3
    assert len({1, 300} & set(found)) == len({2, 299} & set(found)) == 1


def test_several_seeds_are_one_taste(database: Path) -> None:
    library = opened(database)
    values = made_up(COUNT)[[10, 20, 30]].astype(np.float32)
    found = nearest(library, "11", "21", "31", count=5)
    assert not set(found) & {11, 21, 31}
    everything = library.distances(values, library.source.vectors().values)
    best = [int(one) + 1 for one in np.argsort(everything) if one not in (10, 20, 30)]
    assert found[0] in best[:3]
    assert set(found) <= set(best[:20])


def test_one_per_artist_and_no_other_of_the_album(database: Path) -> None:
    found = nearest(opened(database), "1", count=29, one_per_artist=True)
    assert sorted((one or 0) % 30 for one in found) == [0, *range(2, 30)]
    without = nearest(opened(database), "1", count=COUNT, same_album=False)
    assert {(one or 0) % 30 for one in without} == {0, *range(2, 30)}
    assert len(without) > 250


def test_weights_change_what_is_near(database: Path) -> None:
    assert nearest(opened(database), "1") != nearest(opened(database, stereo=5), "1")
    with pytest.raises(ValueError, match="loudness"):
        opened(database, loudness=1)


def test_a_file_outside_the_library_is_measured(database: Path, tmp_path: Path) -> None:
    file = write_noise(tmp_path / "outside.wav", seconds=5)
    library = opened(database)
    seeds = library.seeds([find_track(library.source, file)])
    np.testing.assert_allclose(
        seeds.values[0], np.where(np.isnan(seeds.values[0]), np.nan, analyze(file).vector)
    )
    assert len(library.nearest(seeds, 7)) == 7


def test_a_library_is_read_again_when_it_has_changed(database: Path) -> None:
    library = opened(database)
    assert not library.refresh()
    store_fingerprints(database, made_up(1) * 1.001)
    assert library.refresh()
    assert len(library.ids) == COUNT + 1
    assert not library.refresh()


def test_the_same_question_has_the_same_answer(database: Path) -> None:
    assert nearest(opened(database), "7", "9") == nearest(opened(database), "7", "9")


def test_a_library_of_one_track_has_no_neighbours(tmp_path: Path) -> None:
    database = store_fingerprints(tmp_path / "one.db", made_up(1))
    assert nearest(opened(database), "1") == []


def silence() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([[d.undefined for d in DIMENSIONS]])


def broken(tmp_path: Path, name: str) -> Path:
    path = tmp_path / "library.db"
    match name:
        case "empty":
            store_fingerprints(path, made_up(0))
        case "no fingerprint":
            store_fingerprints(path, made_up(1))
            change(path, "DELETE FROM track_fingerprints")
        case "versions":
            store_fingerprints(path, made_up(3), version=7)
        case "silent":
            store_fingerprints(path, silence().repeat(3, axis=0))
        case "NaN":
            store_fingerprints(path, made_up(2))
            change(path, "UPDATE track_fingerprints SET lufs = 9e999")
    return path


def change(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("empty", "no track has a fingerprint yet; run auralis-fp scan"),
        ("no fingerprint", "no track has a fingerprint yet"),
        ("versions", "all 3 fingerprints are of other versions"),
        ("silent", "all tracks are silent"),
        ("NaN", "no track has a fingerprint"),
    ],
)
def test_a_library_with_nothing_to_compare_says_so(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(LibraryError, match=message):
        opened(broken(tmp_path, name))


def test_seeds_without_numbers_are_named(database: Path) -> None:
    change(database, "UPDATE track_fingerprints SET fingerprint_version = 8 WHERE track_id = 3")
    undefined = ", ".join(f"{name} = {d.undefined}" for name, d in zip(NAMES, DIMENSIONS, strict=True))
    change(database, f"UPDATE track_fingerprints SET {undefined} WHERE track_id = 4")
    library = opened(database)
    with pytest.raises(LibraryError, match=r"3 \(Song 3\) has no fingerprint of version"):
        nearest(library, "3")
    with pytest.raises(LibraryError, match="Song 4: nothing of it could be measured"):
        nearest(library, "4")
    assert 4 not in nearest(library, "1", count=COUNT)  # nor is it like anything


def test_tags_say_who_a_track_is_by_where_the_database_does_not(tmp_path: Path) -> None:
    files = []
    for one, artist in enumerate(["Ann", "Bob", "Ann"]):
        noise = write_noise(tmp_path / f"{one}.wav")
        files.append(str(tmp_path / f"{one}.flac"))
        ffmpeg("-i", noise, "-metadata", f"artist={artist}", "-metadata", "album=Best", files[-1])
    database = store_fingerprints(tmp_path / "library.db", made_up(3), paths=files)
    library = opened(database)
    seeds = library.seeds([Track(1, files[0], "x")])
    assert {(one.track.artist, one.track.album) for one in library.nearest(seeds, 5)} == {
        ("Ann", "Best"),
        ("Bob", "Best"),
    }
    assert [one.track.artist for one in library.nearest(seeds, 5, one_per_artist=True)] == ["Bob"]


def test_lists_find_nearly_all_of_what_going_through_all_finds() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(40, 25))
    values = (centres[rng.integers(0, 40, 12_000)] + 0.5 * rng.normal(size=(12_000, 25))).astype(np.float32)
    values[::100, 3] = np.nan
    index = Space.fit(values).index(values)
    queries = rng.integers(0, len(values), 30)
    exact = [index.nearest(values[one], 20, exclude=[one])[0] for one in queries]
    lists = Lists(index)
    index.use(lists.near)
    found = [index.nearest(values[one], 20, exclude=[one])[0] for one in queries]
    assert lists.recall > 0.98
    assert np.mean([np.isin(a, b).mean() for a, b in zip(exact, found, strict=True)]) > 0.97
    excluded = np.ones(len(values), bool)
    excluded[:50] = False  # too few for any list
    near, _distances = index.nearest(values[7], 20, exclude=excluded)
    assert len(near) == 20
    assert near.max() < 50


@pytest.mark.parametrize("once", [True, False])
def test_a_large_library_is_searched_by_lists_unless_asked_once(
    database: Path, monkeypatch: pytest.MonkeyPatch, once: bool
) -> None:
    monkeypatch.setattr(neighbours, "MANY", COUNT)
    library = Neighbours(open_source(database), once=once)
    assert (library.recall == 1.0) or not once
    monkeypatch.undo()
    assert set(nearest(library, "1")) == set(nearest(opened(database), "1"))
