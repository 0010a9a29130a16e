"""Which track a name means, who it is by, and how a playlist names it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from support.collections import add_artists, made_up, store_fingerprints
from support.library import write_noise

from auralis_fp.library import Database, LibraryError
from auralis_fp.library.similar.m3u import write_m3u8
from auralis_fp.library.similar.naming import find_track
from auralis_fp.library.similar.sources import open_source
from auralis_fp.library.similar.tracks import Track, read_tracks

TITLES = ["Blue", "Blue Moon", "Été", "1", "Moon River", "Same", "Same"]
PATHS = [f"/music/{folder}/{number}.flac" for number, folder in enumerate("aabbccd", start=1)]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return store_fingerprints(tmp_path / "library.db", made_up(7), titles=TITLES, paths=PATHS)


@pytest.mark.parametrize(
    ("text", "track_id"),
    [
        ("1", 1),  # an id before a title
        ("7", 7),
        ("/music/b/3.flac", 3),
        ("/music/x/../b/3.flac", 3),
        ("blue", 1),  # a whole title before a part of others
        ("blue m", 2),
        ("E\u0301TE\u0301", 3),
        ("river", 5),
        ("d/7", 7),
        ("5.flac", 5),
    ],
)
def test_a_track_is_found_by_id_path_or_part_of_its_name(database: Path, text: str, track_id: int) -> None:
    assert find_track(open_source(database), text).id == track_id


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("moon", r"'moon' is part of 2 names: 2 \(Blue Moon\), 5 \(Moon River\); give the id of one"),
        ("same", r"2 names: 6 \(Same\), 7 \(Same\)"),
        ("music", "part of 7 names: .* and 4 more"),
        ("nothing like it", "no track 'nothing like it' in this library, and no such file"),
        ("99", "no track '99'"),
        ("", "no track ''"),
        (" ", "no track ' '"),
        ("100%", "no track"),
    ],
)
def test_a_name_of_none_or_several_is_one_line(database: Path, text: str, message: str) -> None:
    with pytest.raises(LibraryError, match=message) as raised:
        find_track(open_source(database), text)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_in_no_library_is_a_track_without_an_id(database: Path, tmp_path: Path) -> None:
    file = write_noise(tmp_path / "blue.wav")
    assert find_track(open_source(database), file) == Track(None, file, "blue")


def artists_of(database: Path) -> list[tuple[str | None, str | None]]:
    return [(t.artist, t.album) for t in read_tracks(Database(database, readonly=True), range(1, 4))]


def test_artists_and_albums_are_those_of_the_applications_tables(database: Path) -> None:
    assert artists_of(database) == [(None, None)] * 3
    add_artists(database, ["Ann", "Bob", "Ann"])
    assert artists_of(database) == [("Ann", "Best of Ann"), ("Bob", "Best of Bob"), ("Ann", "Best of Ann")]


@pytest.mark.parametrize(
    "statements",
    [
        "DROP TABLE track_artist",  # by the album's
        "DROP TABLE albums; ALTER TABLE tracks ADD artist TEXT; ALTER TABLE tracks ADD album TEXT; DROP TABLE"
        " artists; UPDATE tracks SET artist = 'Ann', album = 'Best of Ann'",
        "DROP TABLE albums; DROP TABLE track_artist; ALTER TABLE tracks ADD artist_id INT; UPDATE tracks SET"
        " artist_id = 1; CREATE VIEW albums AS SELECT 1 AS id, 'Best of Ann' AS name",
        "UPDATE artists SET name = x'ff' WHERE id = 1; ALTER TABLE tracks ADD artist TEXT; UPDATE tracks SET"
        " artist = 'Ann'; DELETE FROM track_artist; UPDATE albums SET artist_id = NULL",
    ],
)
def test_artists_and_albums_are_found_in_other_forms_too(database: Path, statements: str) -> None:
    add_artists(database, ["Ann"])
    with sqlite3.connect(database) as connection:
        connection.executescript(statements)
    assert artists_of(database)[0] == ("Ann", "Best of Ann")


def test_a_playlist_names_files_relative_to_itself(tmp_path: Path) -> None:
    music = tmp_path / "my music"
    (music / "lists").mkdir(parents=True)
    (tmp_path / "link").symlink_to(music / "lists")
    names = ["é 1.flac", "#2.flac", " 3.flac", "100%25.flac"]
    tracks = [
        Track(n, str(music / name), f"Title\n{n}", "Ann", duration=59.6) for n, name in enumerate(names)
    ]
    tracks += [Track(8, str(music / "a\nb.flac"), "x"), Track(9, str(music / os.fsdecode(b"\xff.flac")), "y")]
    output = tmp_path / "link" / "list.m3u8"
    assert [track.id for track in write_m3u8(tracks, output)] == [8, 9]
    text = (music / "lists" / "list.m3u8").read_bytes().decode("utf-8")
    assert text.splitlines() == [
        "#EXTM3U",
        *(line for n, name in enumerate(names) for line in (f"#EXTINF:60,Ann - Title {n}", f"../{name}")),
    ]
    assert write_m3u8([Track(1, str(music / "lists" / "#2.flac"), "x")], output) == []
    assert output.read_text() == "#EXTM3U\n#EXTINF:-1,x\n./#2.flac\n"
    assert [path.name for path in (music / "lists").iterdir()] == ["list.m3u8"]
