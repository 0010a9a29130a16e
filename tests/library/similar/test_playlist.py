"""Playlists from a library: what is kept, what is avoided, and what is said where it cannot be."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from support.collections import add_artists, made_up, store_fingerprints

from auralis_fp import NAMES
from auralis_fp.library import LibraryError
from auralis_fp.library.similar.naming import find_track
from auralis_fp.library.similar.neighbours import Neighbours
from auralis_fp.library.similar.playlist import Playlist, Wish, make_playlist
from auralis_fp.library.similar.sources import open_source
from auralis_fp.library.similar.tracks import Track

COUNT = 400
TEMPO = NAMES.index("tempo_bpm")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Give a library by 40 artists in which every track from 201 on is a copy of one of the first 200."""
    values = made_up(COUNT)
    values[200:] = values[:200] * 1.0005
    durations = [100.0 + one % 200 for one in range(COUNT)]
    path = store_fingerprints(tmp_path / "library.db", values, durations=durations)
    add_artists(path, [f"Artist {one % 40}" for one in range(COUNT)])
    return path


@pytest.fixture
def library(database: Path) -> Neighbours:
    return Neighbours(open_source(database))


def track(library: Neighbours, name: int) -> Track:
    return find_track(library.source, str(name))


def ids(found: Playlist) -> list[int]:
    return [one.id or 0 for one in found.tracks]


def recordings(found: Playlist) -> set[int]:
    return {(one - 1) % 200 for one in ids(found)}


def test_from_one_to_another_through_a_third(library: Neighbours) -> None:
    found = make_playlist(
        library,
        Wish(start=track(library, 1), through=[track(library, 60)], end=track(library, 150), length=20),
    )
    assert (ids(found)[0], ids(found)[-1], len(ids(found))) == (1, 150, 20)
    assert 60 in ids(found)
    assert len(recordings(found)) == 20
    artists = [one.artist for one in found.tracks]
    assert all(artist not in artists[max(0, n - 4) : n] for n, artist in enumerate(artists))
    assert found.notes == []
    apart = library.among(found.values)
    assert found.steps[1:].mean() < apart[np.triu_indices(20, 1)].mean()


def test_around_a_taste(library: Neighbours) -> None:
    seeds = library.seeds([track(library, 3), track(library, 7)])
    found = make_playlist(library, Wish(like=seeds, length=15))
    assert ids(found)[0] == 3
    assert len(recordings(found)) == 15
    everything = library.source.vectors().values
    assert library.distances(seeds.values, found.values).mean() < np.quantile(
        library.distances(seeds.values, everything), 0.2
    )


@pytest.mark.parametrize("minutes", [3, 20, 61.5])
def test_the_time_is_right_to_within_one_track(library: Neighbours, minutes: float) -> None:
    for wish in (
        {"like": library.seeds([track(library, 3)])},
        {"start": track(library, 5), "end": track(library, 9)},
    ):
        found = make_playlist(library, Wish(**wish, length=None, seconds=60 * minutes))
        longest = max(one.duration or 0 for one in found.tracks)
        assert abs(found.seconds - 60 * minutes) <= longest or "take longer" in found.notes[-1]


def test_ranges_hold_for_all_but_the_tracks_that_were_named(library: Neighbours, database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE track_fingerprints SET tempo_bpm = 60 WHERE track_id = 5")
    connection.close()
    library.refresh()
    found = make_playlist(library, Wish(start=track(library, 5), length=10, tempo=(90, 130)))
    assert ids(found)[0] == 5
    assert ((found.values[1:, TEMPO] >= 90) & (found.values[1:, TEMPO] <= 130)).all()
    assert found.notes == ["'Song 5' is kept with 60 BPM, outside the range"]


def test_a_seed_gives_the_same_list_and_another_one_another(library: Neighbours) -> None:
    seeds = library.seeds([track(library, 3)])
    lists = [
        ids(make_playlist(library, Wish(like=seeds, length=12, seed=seed))) for seed in (1, 1, 2, None, None)
    ]
    assert lists[0] == lists[1]
    assert lists[3] == lists[4]
    assert lists[0] != lists[2]


def test_what_cannot_be_is_said(library: Neighbours, database: Path) -> None:
    start = track(library, 1)
    found = make_playlist(library, Wish(start=start, length=500))
    assert len(recordings(found)) == len(ids(found)) <= 200
    assert any(f"shorter by {500 - len(ids(found))} than asked for" in note for note in found.notes)
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE track_artist SET artist_id = 1")
    connection.close()
    found = make_playlist(library, Wish(start=start, length=5))
    assert len(ids(found)) == 5
    assert found.notes == [
        "an artist comes again after fewer than 4 others, 4 times: too few artists are near enough"
    ]


def test_wishes_that_contradict_themselves(library: Neighbours) -> None:
    one, copy = track(library, 1), track(library, 201)
    with pytest.raises(LibraryError, match="asked for twice, or a copy"):
        make_playlist(library, Wish(start=one, end=copy))
    with pytest.raises(LibraryError, match="2 given tracks has at least that length"):
        make_playlist(library, Wish(start=one, end=track(library, 3), length=1))
    with pytest.raises(LibraryError, match="needs a track to begin with"):
        make_playlist(library, Wish())


def test_one_track_is_a_short_list(tmp_path: Path) -> None:
    library = Neighbours(open_source(store_fingerprints(tmp_path / "one.db", made_up(1))))
    found = make_playlist(library, Wish(start=track(library, 1)))
    assert ids(found) == [1]
    assert found.notes[0].startswith("shorter by 24")
