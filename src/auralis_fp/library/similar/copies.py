"""Copies of one recording in a library, which of them is the best, and why. Nothing is deleted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from auralis_fp.library.errors import LibraryError
from auralis_fp.library.files import sidecar
from auralis_fp.library.similar.sources import Source
from auralis_fp.library.similar.tracks import Track, measured_duration
from auralis_fp.library.similar.vectors import are_silent
from auralis_fp.metadata import Metadata
from auralis_fp.similarity import duplicates

__all__ = ["Copies", "Copy", "find_copies"]

_LOSSLESS_CODECS: Final = tuple("flac alac ape wavpack tta tak pcm_ mlp truehd dsd_ dst".split())  # noqa: SIM905
_LOSSLESS_FILES: Final = frozenset(".aif .aiff .ape .dsf .flac .tak .tta .w64 .wav .wave .wv".split())  # noqa: SIM905
# How many bits of MP3 one bit is worth, roughly, at the rates that music is sold at.
_WORTH: Final = {"opus": 1.6, "aac": 1.3, "vorbis": 1.3, "ogg": 1.3, "m4a": 1.3, "wma": 1.1}
_CLEARLY: Final = 1.05


@dataclass(frozen=True, slots=True)
class Copy:
    """A file of a recording.

    Attributes
    ----------
    track : Track
        The track.
    codec : str
        FFmpeg's name of the codec, or else the extension of the file.
    lossless : bool
        Whether it holds what was encoded, by its codec; what was done to the sound before nobody knows.
    faults : tuple of str
        Of :attr:`auralis_fp.Metadata.findings`, those that make a copy worse: truncated, damaged packets.
    channels : int
        0 where nobody says.
    kbps : float or None
        Kilobits per second.
    """

    track: Track
    codec: str
    lossless: bool
    faults: tuple[str, ...]
    channels: int
    kbps: float | None

    @property
    def worth(self) -> float:
        """Bit rate in the measure of MP3."""
        factor = next((factor for name, factor in _WORTH.items() if self.codec.startswith(name)), 1.0)
        return factor * (self.kbps or 0.0)


@dataclass(frozen=True, slots=True)
class Copies:
    """The copies of a recording.

    Attributes
    ----------
    copies : list of Copy
        The best first.
    reason : str
        Why that is the best.
    """

    copies: list[Copy]
    reason: str


def find_copies(source: Source, *, other_gain: bool = False, mono: bool = False) -> tuple[list[Copies], int]:
    """Return recordings of which a library has copies, in other encodings or the same.

    Parameters
    ----------
    source : Source
        The library.
    other_gain, mono : bool
        As of :func:`auralis_fp.similarity.duplicate_pairs`.

    Returns
    -------
    list of Copies
        In order of the least id in each.
    int
        How many tracks could not be compared, as nobody knows how long they are.

    Raises
    ------
    LibraryError
        There are no fingerprints.
    """
    vectors = source.vectors()
    if not len(vectors):
        raise LibraryError(source.without_vectors())
    durations = source.durations(vectors.ids)
    unknown = np.flatnonzero(np.isnan(durations))
    for row, track in zip(unknown, source.tracks(vectors.ids[unknown]), strict=True):
        durations[row] = measured_duration(track.path) or np.nan
    silent = are_silent(vectors.values)  # and so all alike
    groups = duplicates(vectors.values, np.where(silent, np.nan, durations), other_gain=other_gain, mono=mono)
    found = []
    for group in groups:
        copies = [_copy(track) for track in source.tracks(vectors.ids[group])]
        ordered = sorted(copies, key=lambda copy: ([-by.rank(copy) for by in _CRITERIA], copy.track.id or 0))
        found.append(Copies(ordered, _reason(ordered)))
    return found, int(np.isnan(durations).sum())


def _copy(track: Track) -> Copy:
    content = sidecar.load(track.path)
    metadata = content.metadata if content is not None else None
    if metadata is not None:
        track = replace(track, duration=metadata.duration, sample_rate=metadata.sample_rate)
    suffix = Path(track.path).suffix.lower()
    codec = metadata.codec if metadata else suffix.removeprefix(".")
    size = track.size or _size(track.path)
    return Copy(
        track,
        codec,
        codec.startswith(_LOSSLESS_CODECS) if metadata else suffix in _LOSSLESS_FILES,
        _faults(metadata),
        metadata.channels if metadata else 0,
        8e-3 * size / track.duration if size and track.duration else None,
    )


def _faults(metadata: Metadata | None) -> tuple[str, ...]:
    findings = metadata.findings if metadata else ()
    return tuple(name for name in ("truncated", "damaged_packets") if name in findings)


def _size(path: str) -> int | None:
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class _Criterion:
    """What makes a copy better than another, the first that differs deciding."""

    rank: Callable[[Copy], float]
    words: Callable[[Copy, Copy], str]


def _step(number: float) -> float:
    """Return a number in steps so large that a step is a difference."""
    return math.floor(math.log(number) / math.log(_CLEARLY)) if number > 0 else -math.inf


_CRITERIA: Final = (
    _Criterion(
        lambda one: -len(one.faults), lambda _best, other: f"whole; others are {' and '.join(other.faults)}"
    ),
    _Criterion(lambda one: one.lossless, lambda best, _other: f"lossless ({best.codec})"),
    _Criterion(
        lambda one: one.channels >= 2 or not one.channels, lambda _best, _other: "stereo, and not mono"
    ),
    _Criterion(
        lambda one: one.lossless * (one.track.bit_depth or 0),
        lambda best, other: (
            f"{best.track.bit_depth} bits a sample against {other.track.bit_depth or 'unknown'}"
        ),
    ),
    _Criterion(
        lambda one: one.lossless * (one.track.sample_rate or 0),
        lambda best, other: f"{_khz(best)} against {_khz(other)}",
    ),
    _Criterion(
        lambda one: 0.0 if one.lossless else _step(one.worth),
        lambda best, other: f"{_rate(best)} against {_rate(other)}",
    ),
)


def _reason(ordered: Sequence[Copy]) -> str:
    """Return what sets the first of some copies apart from those that it is better than."""
    best, *others = ordered
    for criterion in _CRITERIA:
        worse = [one for one in others if criterion.rank(one) < criterion.rank(best)]
        if worse:
            equal = sum(all(by.rank(one) == by.rank(best) for by in _CRITERIA) for one in others)
            also = f"; {equal} more as good" if equal else ""
            return criterion.words(best, worse[0]).replace("_", " ") + also
    return "all are equally good; this is the first in the library"


def _khz(copy: Copy) -> str:
    rate: Any = copy.track.sample_rate
    return f"{rate / 1000:g} kHz" if rate else "unknown"


def _rate(copy: Copy) -> str:
    return f"{copy.codec} {copy.kbps:.0f} kbit/s" if copy.kbps else f"{copy.codec} of unknown rate"
