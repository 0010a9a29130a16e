"""Playlists: tracks around a taste, or on the way from one track to another, in an order that flows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis_fp.library.errors import LibraryError
from auralis_fp.library.similar.arranging import Arrangement, Pool, arrange, arrange_for
from auralis_fp.library.similar.neighbours import Neighbours, Range, Seeds
from auralis_fp.library.similar.tracks import Track, folded, with_tags
from auralis_fp.schema import NAMES

__all__ = ["SPACING", "Playlist", "Wish", "make_playlist"]

SPACING: Final = 4
"""How many others come between two tracks of an artist, unless asked otherwise."""

_WAYPOINTS: Final = 7  # between two tracks, around which others are looked for
_USUAL_S: Final = 240.0
_LEAST_POOL: Final = 200
_VARIATION: Final = 0.25


@dataclass(frozen=True, slots=True)
class Wish:
    """What a playlist should be.

    Attributes
    ----------
    like : Seeds or None
        Together one taste, that all tracks should be near to. Without ``start`` and ``end``, the first of
        them opens the list.
    start, end : Track or None
        The first and the last track.
    through : sequence of Track
        Tracks on the way, in this order.
    length : int or None
        How many tracks, all included; None for a list by time.
    seconds : float
        How long, to within one track.
    tempo, lufs : (float, float) or None
        Ranges, in BPM and LUFS, for every track that is not named here.
    spacing : int
        How many others come between two tracks of one artist.
    seed : int or None
        Another number for another list; the same list for the same number.
    """

    like: Seeds | None = None
    start: Track | None = None
    end: Track | None = None
    through: Sequence[Track] = ()
    length: int | None = 25
    seconds: float = 0.0
    tempo: Range | None = None
    lufs: Range | None = None
    spacing: int = SPACING
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Playlist:
    """Tracks in their order.

    Attributes
    ----------
    tracks : list of Track
        With artist and length where the database or the tags have them.
    values : ndarray of float32, shape (n, 25)
        Their numbers.
    steps : ndarray, shape (n,)
        Distances from the track before; 0 for the first.
    notes : list of str
        What could not be as it was wished, in sentences.
    """

    tracks: list[Track]
    values: NDArray[np.float32]
    steps: NDArray[np.float64]
    notes: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long it is, as far as lengths are known."""
        return sum(track.duration or 0.0 for track in self.tracks)


def make_playlist(neighbours: Neighbours, wish: Wish) -> Playlist:
    """Return a playlist; the same one every time.

    Raises
    ------
    LibraryError
        The wish contradicts itself, or a track in it has no fingerprint.
    AnalysisError
        A file that is in no library cannot be measured.
    """
    fixed = neighbours.seeds([one for one in (wish.start, *wish.through, wish.end) if one is not None])
    starts, ends = wish.start is not None, wish.end is not None
    if not fixed.tracks and wish.like is None:
        raise LibraryError("a playlist needs a track to begin with: --like, --from, --to or --through")
    if wish.like is not None and not (starts or ends):
        fixed = Seeds(
            [wish.like.tracks[0], *fixed.tracks], np.concatenate([wish.like.values[:1], fixed.values])
        )
        starts = True
    if wish.length is not None and wish.length < len(fixed.tracks):
        raise LibraryError(f"a playlist with {len(fixed.tracks)} given tracks has at least that length")

    rows = _candidates(neighbours, wish, fixed)
    values = np.concatenate([fixed.values, neighbours.values(rows)])
    tracks = [*fixed.tracks, *_completed(neighbours.source.tracks(neighbours.ids[rows]))]
    recordings = _recordings(neighbours, tracks, values)
    count = len(fixed.tracks)
    for one in range(1, count):
        if recordings[one] in recordings[:one]:
            raise LibraryError(
                f"{tracks[one].title!r} is asked for twice, or a copy of another track that is"
            )
    durations, unknown = _durations(tracks)
    pool = Pool(
        neighbours.among(values),
        _taste(neighbours, wish, values),
        _numbers([track.artist for track in tracks]),
        recordings,
        durations,
        range(count),
        starts,
        ends,
    )
    if wish.length is None:
        found = arrange_for(pool, wish.seconds, spacing=wish.spacing)
    else:
        found = arrange(pool, wish.length, spacing=wish.spacing)
    order = found.order
    steps = np.array([0.0, *(pool.distances[a, b] for a, b in itertools.pairwise(order))])
    notes = list(_notes(wish, found, pool, tracks, values, unknown))
    return Playlist([tracks[one] for one in order], values[order], steps, notes)


def _candidates(neighbours: Neighbours, wish: Wish, fixed: Seeds) -> NDArray[np.intp]:
    """Return the rows of tracks that may come between the fixed ones."""
    exclude = ~neighbours.within(tempo=wish.tempo, lufs=wish.lufs) | neighbours.are(fixed.tracks)
    expected = wish.length if wish.length is not None else round(wish.seconds / _USUAL_S)
    wanted = max(_LEAST_POOL, 5 * expected)
    around = [] if wish.like is None else [wish.like.values]
    legs = list(zip(fixed.values, fixed.values[1:], strict=False))
    around += [point[np.newaxis] for a, b in legs for point in _way(a, b)]
    if not around:
        around = [one[np.newaxis] for one in fixed.values]
    each = max(60, wanted // len(around)) if legs else wanted
    rows = [neighbours.rows_near(one, each, exclude)[0] for one in around]
    return np.unique(np.concatenate(rows))


def _way(a: NDArray[np.float32], b: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return places between two tracks, both included; what one lacks is the other's."""
    a, b = np.where(np.isnan(a), b, a), np.where(np.isnan(b), a, b)
    return [np.asarray(a + (b - a) * step, np.float32) for step in np.linspace(0, 1, _WAYPOINTS + 2)]


def _completed(tracks: Sequence[Track]) -> list[Track]:
    """Return tracks with what their tags say, where the library does not."""
    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(lambda one: one if one.artist and one.duration else with_tags(one), tracks))


def _recordings(
    neighbours: Neighbours, tracks: Sequence[Track], values: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Return equal numbers for copies of a recording, and for tracks of one title by one artist."""
    numbers = neighbours.recordings(tracks, values)
    first: dict[tuple[str, str], int] = {}
    for place, track in enumerate(tracks):
        if not track.artist:
            continue
        known = first.setdefault((folded(track.artist), folded(track.title)), place)
        before, now = numbers[place], numbers[known]
        if before != now:
            numbers = [now if one == before else one for one in numbers]
    return np.array(numbers, np.int64)


def _durations(tracks: Sequence[Track]) -> tuple[NDArray[np.float64], float]:
    """Return the length of every track, and what was taken for those whose length nobody knows."""
    known = [track.duration for track in tracks if track.duration]
    usual = float(np.median(known)) if known else _USUAL_S
    return np.array([track.duration or usual for track in tracks]), usual


def _taste(neighbours: Neighbours, wish: Wish, values: NDArray[np.float32]) -> NDArray[np.float64]:
    taste = np.zeros(len(values))
    if wish.like is not None:
        taste += np.nan_to_num(neighbours.distances(wish.like.values, values), posinf=10.0)
    if wish.seed is not None:
        taste += np.random.default_rng(wish.seed).exponential(_VARIATION, len(values))
    return taste


def _numbers(names: Sequence[str | None]) -> NDArray[np.int64]:
    """Return equal numbers for equal names, and -1 for none."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(folded(one), len(numbers)) if one else -1 for one in names], np.int64)


def _notes(
    wish: Wish,
    found: Arrangement,
    pool: Pool,
    tracks: Sequence[Track],
    values: NDArray[np.float32],
    usual: float,
) -> list[str]:
    order, notes = found.order, []
    if found.short_of:
        notes.append(f"shorter by {found.short_of} than asked for: no other recordings fit")
    if found.crowded:
        notes.append(
            f"an artist comes again after fewer than {wish.spacing} others, {found.crowded} times: "
            "too few artists are near enough"
        )
    nameless = sum(tracks[one].artist is None for one in order)
    if nameless and wish.spacing:
        notes.append(f"artist not known, and so not spaced: {nameless} of the tracks")
    if wish.length is None:
        lengthless = sum(tracks[one].duration is None for one in order)
        if lengthless:
            notes.append(f"length not known, taken for {usual:.0f} s: {lengthless} of the tracks")
        longest = float(pool.durations[order].max())
        if float(pool.durations[order].sum()) - wish.seconds > longest:
            notes.append("the given tracks alone take longer than asked for")
    for name, unit, wanted in (("tempo_bpm", "BPM", wish.tempo), ("lufs", "LUFS", wish.lufs)):
        for one in pool.fixed if wanted else ():
            value = values[one, NAMES.index(name)]
            if wanted and not wanted[0] <= value <= wanted[1]:
                notes.append(f"{tracks[one].title!r} is kept with {value:.0f} {unit}, outside the range")
    return notes
