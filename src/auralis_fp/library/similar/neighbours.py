"""The tracks of a library that are most like others, found in a library that is loaded once."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from auralis_fp.analysis import analyze
from auralis_fp.library.errors import LibraryError
from auralis_fp.library.similar.lists import MANY, Lists, available
from auralis_fp.library.similar.sources import Source
from auralis_fp.library.similar.tracks import Track, folded, with_tags
from auralis_fp.library.similar.vectors import are_silent
from auralis_fp.schema import FINGERPRINT_VERSION, NAMES
from auralis_fp.similarity import Explanation, Space, as_rows, duplicates
from auralis_fp.similarity.comparison import distances
from auralis_fp.similarity.space import SMALL_LIBRARY
from auralis_fp.similarity.weights import Weights, resolve

__all__ = ["Neighbour", "Neighbours", "Range", "Seeds", "middle"]

_TEMPO: Final = NAMES.index("tempo_bpm")
_NOTHING_IN_COMMON: Final = 10.0
_LUFS: Final = NAMES.index("lufs")

Range: TypeAlias = "tuple[float, float]"
"""Smallest and largest value."""


@dataclass(frozen=True, slots=True)
class Seeds:
    """Tracks that others are compared with, together one taste.

    Attributes
    ----------
    tracks : list of Track
        Of the library or not; with artist and album, if the database or the tags have them.
    values : ndarray of float32, shape (n, 25)
        Their numbers, NaN where undefined.
    """

    tracks: list[Track]
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A track that is like the seeds.

    Attributes
    ----------
    track : Track
        With artist and album, if the database or the tags have them.
    distance : float
        Mean distance from the seeds, as of :meth:`auralis_fp.similarity.Space.distances`.
    score : float
        How many of 100 random pairs of tracks are farther apart; NaN in a library of one track.
    values : ndarray of float32, shape (25,)
        Its numbers.
    why : Explanation
        What it has in common with the first seed, and what not.
    """

    track: Track
    distance: float
    score: float
    values: NDArray[np.float32]
    why: Explanation


class Neighbours:
    """A library, ready for questions; it is read once, and again when it has changed.

    Parameters
    ----------
    source : Source
        See :func:`auralis_fp.library.similar.sources.open_source`.
    weights : mapping of str to float, optional
        As of :meth:`auralis_fp.similarity.Space.distances`.
    once : bool
        Whether there will be a few questions only, which the search by lists would not pay for.

    Attributes
    ----------
    ids : ndarray of int64
        Ids of the tracks that can be compared, ascending.
    space : Space
        Learnt from the library, or built in for one of fewer than 200 tracks.
    recall : float
        Share of the nearest tracks that are found: 1 if all are gone through, as is done where there are
        fewer than 800 000, where faiss is not installed, or with ``once``. Else they are in lists, which are
        made in less than a minute for a million, and of which a question needs a few.

    Raises
    ------
    LibraryError
        There is nothing to compare.
    ValueError
        The weights name no dimension or group.
    """

    def __init__(self, source: Source, *, weights: Weights | None = None, once: bool = False) -> None:
        self.source: Final = source
        self.once: Final = once
        self.weights: Final = dict(weights or {})
        self._load()

    def refresh(self) -> bool:
        """Read the library again if it has changed; return whether it had."""
        if not self.source.changed():
            return False
        self._load()
        return True

    def seeds(self, tracks: Sequence[Track]) -> Seeds:
        """Return tracks as seeds; files that are in no library are measured.

        Raises
        ------
        LibraryError
            A track has no fingerprint, or nothing of it could be measured.
        AnalysisError
            A file cannot be measured.
        """
        values = np.empty((len(tracks), len(NAMES)), np.float32)
        for row, track in zip(values, tracks, strict=True):
            row[:] = self._measured(track.path) if track.id is None else self._stored(track)
        for silent in np.flatnonzero(are_silent(values)):
            raise LibraryError(f"{tracks[int(silent)].title}: nothing of it could be measured: it is silent")
        return Seeds([with_tags(track) for track in tracks], values)

    def nearest(
        self,
        seeds: Seeds,
        count: int,
        *,
        one_per_artist: bool = False,
        same_album: bool = True,
    ) -> list[Neighbour]:
        """Return the tracks that are most like the seeds, the most similar first; no recording comes twice.

        Parameters
        ----------
        seeds : Seeds
            They are not among the results, nor are other copies of them.
        count : int
            How many.
        one_per_artist : bool
            Only the nearest track of each artist, and none by an artist of the seeds.
        same_album : bool
            Whether tracks of the seeds' albums are wanted.
        """
        asked = 4 * count + 50
        while True:
            rows, apart = self.rows_near(seeds.values, asked, self.are(seeds.tracks))
            found = list(self._chosen(seeds, rows, apart, one_per_artist, same_album, count))
            if len(found) >= count or len(rows) < asked:
                return found
            asked *= 4

    def rows_near(
        self, values: NDArray[np.float32], count: int, exclude: NDArray[np.bool_]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Return rows of the tracks nearest to a taste, and their mean distances from what it consists of."""
        if len(values) == 1:
            return self._index.nearest(values[0], count, exclude=exclude)
        # A track that all seeds like need not be among the nearest of any; it is near the middle of them.
        asked = np.concatenate([values, middle(values)[np.newaxis]])
        near, _distances = self._index.nearest(asked, count, exclude=exclude)
        rows = np.unique(near[near >= 0])
        apart = self.distances(values, self.values(rows))
        order = np.lexsort((rows, apart))[:count]
        return rows[order], apart[order]

    def are(self, tracks: Sequence[Track]) -> NDArray[np.bool_]:
        """Return which rows are these tracks."""
        return np.isin(self.ids, [track.id for track in tracks if track.id is not None])

    def distances(self, taste: NDArray[np.float32], values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the mean distances of tracks from what a taste consists of."""
        each = [self.space.distances(one, values, weights=self.weights) for one in taste]
        return np.asarray(np.mean(each, axis=0), np.float32)

    def among(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the distances of some tracks from each other; large where they have nothing in common."""
        compared = self.space.compared(values, resolve(self.weights))
        return np.nan_to_num(distances(compared, compared).astype(np.float64), posinf=_NOTHING_IN_COMMON)

    def values(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the numbers of some tracks."""
        return self.source.values(self.ids[rows])

    def within(self, *, tempo: Range | None = None, lufs: Range | None = None) -> NDArray[np.bool_]:
        """Return which tracks have a tempo and a loudness in these ranges."""
        inside = np.ones(len(self.ids), bool)
        for wanted, numbers in ((tempo, self._tempo), (lufs, self._lufs)):
            if wanted is not None:
                inside &= (numbers >= wanted[0]) & (numbers <= wanted[1])
        return inside

    def _load(self) -> None:
        vectors = self.source.vectors()
        if not len(vectors):
            raise LibraryError(self.source.without_vectors())
        silent = are_silent(vectors.values)
        vectors.values[silent] = np.nan  # and so it is like nothing
        if silent.all():
            raise LibraryError(f"{self.source.name}: all tracks are silent; there is nothing to compare")
        self.ids = vectors.ids
        self._tempo, self._lufs = vectors.values[:, _TEMPO].copy(), vectors.values[:, _LUFS].copy()
        self.space = Space.fit(vectors.values) if len(vectors) >= SMALL_LIBRARY else Space.builtin()
        self._index = self.space.index(vectors.values, weights=self.weights)
        del vectors
        self.recall = 1.0
        if len(self.ids) >= MANY and available() and not self.once:
            lists = Lists(self._index)
            self._index.use(lists.near)
            self.recall = lists.recall

    def _stored(self, track: Track) -> NDArray[np.float32]:
        assert track.id is not None
        found = self.source.values([track.id])
        if not len(found):
            raise LibraryError(
                f"{track.id} ({track.title}) has no fingerprint of version {FINGERPRINT_VERSION}; "
                "run auralis-fp scan"
            )
        return np.asarray(found[0])

    @staticmethod
    def _measured(path: str) -> NDArray[np.float32]:
        return np.asarray(as_rows(analyze(path))[0])

    def _chosen(
        self,
        seeds: Seeds,
        rows: NDArray[np.intp],
        apart: NDArray[np.float32],
        one_per_artist: bool,
        same_album: bool,
        count: int,
    ) -> Iterator[Neighbour]:
        ids = self.ids[rows]
        tracks = {one.id: one for one in self.source.tracks(ids)}
        tagged = {one.id: with_tags(one) for one in tracks.values() if not one.duration}
        tracks |= tagged
        values = self.source.values(ids)
        known = seeds.tracks
        copies = self.recordings(
            [*known, *(tracks[one] for one in ids.tolist())], np.concatenate([seeds.values, values])
        )
        heard = set(copies[: len(known)])
        artists = {folded(track.artist) for track in known if track.artist}
        for place, recording in enumerate(copies[len(known) :]):
            if recording in heard:
                continue
            track_id = int(ids[place])
            track = tracks[track_id] if track_id in tagged else with_tags(tracks[track_id])
            artist = folded(track.artist) if track.artist else None
            if one_per_artist and artist in artists:
                continue
            if not same_album and any(_one_album(track, seed) for seed in known):
                continue
            heard.add(recording)
            artists |= {artist} if artist else set()
            score = float(self.space.score(apart[place]))
            why = self.space.explain(
                seeds.values[0], values[place], names=(known[0].title, "it"), weights=self.weights
            )
            yield Neighbour(track, float(apart[place]), score, values[place], why)
            count -= 1
            if not count:
                return

    def recordings(self, tracks: Sequence[Track], values: NDArray[np.float32]) -> list[int]:
        """Return a number for each track, equal for copies of one recording."""
        durations = [np.nan if track.duration is None else track.duration for track in tracks]
        numbers = list(range(len(tracks)))
        for first, *others in duplicates(values, durations, space=self.space):
            for other in others:
                numbers[other] = first
        return numbers


def middle(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median of every dimension; NaN where no row has a number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmedian(values, axis=0), np.float32)


def _one_album(one: Track, other: Track) -> bool:
    if not (one.album and other.album and folded(one.album) == folded(other.album)):
        return False
    if one.artist and other.artist and folded(one.artist) == folded(other.artist):
        return True
    return one.path.rpartition("/")[0] == other.path.rpartition("/")[0]
