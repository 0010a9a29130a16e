"""What is known about tracks beside their numbers: title, artist, album, length, and how they are encoded."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, func, null, select

from auralis_fp._text import printable
from auralis_fp.library.files import sidecar
from auralis_fp.library.files.tags import read_tags
from auralis_fp.library.store.columns import as_count, as_number, as_path, as_text, optional, reading
from auralis_fp.library.store.database import Database

__all__ = [
    "Track",
    "TrackNames",
    "folded",
    "measured_duration",
    "pages_of",
    "read_durations",
    "read_names",
    "read_tracks",
    "with_tags",
]

_MOST_IDS: Final = 500  # in one statement


@dataclass(frozen=True, slots=True)
class Track:
    """A track of a library, or an audio file that is in none.

    Attributes
    ----------
    id : int or None
        None for a file that is in no library.
    path : str
        In Python's form of file names; of a Parquet file, whatever it holds.
    title : str
        The title, or else the file's name without its extension.
    artist, album : str or None
        None where nobody says.
    duration : float or None
        Seconds.
    sample_rate, bit_depth, size : int or None
        Of the file, in Hz, bits and bytes.
    """

    id: int | None
    path: str
    title: str
    artist: str | None = None
    album: str | None = None
    duration: float | None = None
    sample_rate: int | None = None
    bit_depth: int | None = None
    size: int | None = None

    @property
    def name(self) -> str:
        """Artist and title, to be printed."""
        return f"{self.artist} - {self.title}" if self.artist else self.title

    @classmethod
    def at(cls, path: str) -> Track:
        """Return the track that a file is, by its name alone."""
        return cls(None, path, printable(Path(path).stem))


def with_tags(track: Track) -> Track:
    """Return a track with artist, album and length from its file and its sidecar, where it lacks them."""
    if track.duration is None:
        track = replace(track, duration=measured_duration(track.path))
    if track.artist and track.album and track.duration:
        return track
    tags = read_tags(track.path)
    return replace(
        track,
        title=tags.title if track.id is None else track.title,
        artist=track.artist or tags.artist,
        album=track.album or tags.album,
        duration=track.duration or tags.duration,
        sample_rate=track.sample_rate or tags.sample_rate,
        bit_depth=track.bit_depth or tags.bit_depth,
    )


def measured_duration(path: str) -> float | None:
    """Return the length in seconds that the sidecar of a file knows; not all formats have a tag for it."""
    content = sidecar.load(path)
    return None if content is None or content.metadata is None else content.metadata.duration or None


def folded(text: str) -> str:
    """Return a text as it is compared: without case, and with accents in one form."""
    return unicodedata.normalize("NFKC", text).casefold()


@dataclass(frozen=True, slots=True)
class TrackNames:
    """What names a track: its title and its file."""

    id: int
    title: str
    path: str


def read_names(database: Database) -> Iterator[TrackNames]:
    """Yield title and file of every track, in order of id."""
    t = database.tracks.c
    query = select(t.id, reading(t.title), reading(t.filepath)).order_by(t.id)
    with database.read() as connection:
        for page in connection.execute(query).partitions(4096):
            for track_id, title, path in page:
                yield TrackNames(track_id, as_text(title) or "", as_path(path))


def read_durations(database: Database) -> dict[int, float]:
    """Return the length in seconds of every track whose length is known."""
    t = database.tracks
    query = select(t.c.id, optional(t, "duration"))
    with database.read() as connection:
        return {track_id: known for track_id, one in connection.execute(query) if (known := as_number(one))}


def read_tracks(database: Database, ids: Iterable[int]) -> list[Track]:
    """Return tracks in the order of their ids; what the database does not know, tags may (:func:`with_tags`).

    Artist and album come from columns of ``tracks`` with these names, or from the tables ``albums``,
    ``artists`` and ``track_artist`` that applications have.
    """
    wanted = [int(one) for one in ids]  # those of NumPy would be bytes to SQLite
    t = database.tracks
    query = select(
        t.c.id,
        reading(t.c.filepath),
        reading(t.c.title),
        *_people(database),
        *(optional(t, name) for name in ("duration", "sample_rate", "bit_depth", "filesize")),
    )
    found: dict[int, Track] = {}
    with database.read() as connection:
        for page in pages_of(wanted):
            for row in connection.execute(query.where(t.c.id.in_(page))):
                track_id, path, title, artist, album, duration, rate, depth, size = row
                path = as_path(path)
                found[track_id] = Track(
                    track_id,
                    path,
                    _text(title) or printable(Path(path).stem),
                    _text(artist),
                    _text(album),
                    as_number(duration) or None,
                    as_count(rate) or None,
                    as_count(depth) or None,
                    as_count(size) or None,
                )
    return [found[track_id] for track_id in wanted if track_id in found]


def _people(database: Database) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return what selects a track's artist, and what selects its album."""
    t = database.tracks
    albums, artists = database.other_table("albums"), database.other_table("artists")
    names: list[ColumnElement[Any]] = []
    titles: list[ColumnElement[Any]] = []
    for name in ("track_artist", "track_artists"):
        link = database.other_table(name)
        if artists is not None and link is not None and _has(link, "track_id", "artist_id"):
            artist = _of(artists, link.c.artist_id, "name")
            names += [
                select(one)
                .where(link.c.track_id == t.c.id)
                .order_by(link.c.artist_id)
                .limit(1)
                .scalar_subquery()
                for one in artist
            ]
    names += [] if artists is None or "artist_id" not in t.c else _of(artists, t.c.artist_id, "name")
    names += [reading(t.c[name]) for name in ("artist", "artist_name") if name in t.c]
    if albums is not None and "album_id" in t.c and "id" in albums.c:
        titles += _of(albums, t.c.album_id, "title", "name")
        album_artist = (
            select(albums.c.artist_id).where(albums.c.id == t.c.album_id).scalar_subquery()
            if ("artist_id" in albums.c)
            else None
        )
        if artists is not None and album_artist is not None:
            names += _of(artists, album_artist, "name")
        names += _of(albums, t.c.album_id, "artist", "artist_name")
    titles += [reading(t.c[name]) for name in ("album", "album_name") if name in t.c]
    return func.coalesce(*names, null(), null()), func.coalesce(*titles, null(), null())


def _of(table: Table, key: ColumnElement[Any], *columns: str) -> list[ColumnElement[Any]]:
    """Return what selects columns, as far as it has them, of the row of a table with this id."""
    if "id" not in table.c:
        return []
    return [
        select(func.nullif(reading(table.c[name]), "")).where(table.c.id == key).limit(1).scalar_subquery()
        for name in columns
        if name in table.c
    ]


def _has(table: Table, *columns: str) -> bool:
    return all(name in table.c for name in columns)


def _text(value: object) -> str | None:
    text = as_text(value)
    return printable(text).strip() or None if text else None


def pages_of(ids: Sequence[int]) -> Iterator[list[int]]:
    """Yield ids in lists short enough for one statement."""
    rest = iter(ids)
    while page := list(islice(rest, _MOST_IDS)):
        yield page
