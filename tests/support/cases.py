"""Recordings on which the compiled core and the reference analyzer are compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from support import synth
from support.encode import decode
from support.synth import Samples


@dataclass(frozen=True)
class Case:
    """A named recording; equal names mean equal samples. Picklable, so that a worker process can make it."""

    name: str
    rate: int
    make: Callable[..., Samples | NDArray[np.int16]]
    arguments: tuple[object, ...] = ()
    keywords: dict[str, object] = field(default_factory=dict, hash=False, compare=False)

    def samples(self) -> Samples | NDArray[np.int16]:
        return self.make(*self.arguments, **self.keywords)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Excerpt:
    """A part of a file (the whole of it by default), decoded by the ffmpeg command line."""

    path: Path
    start_s: float = 0
    seconds: float | None = None

    @property
    def name(self) -> str:
        return str(self)

    @property
    def rate(self) -> int:
        return decode(self.path, seconds=0.1)[1]

    def samples(self) -> Samples:
        return decode(self.path, start_s=self.start_s, seconds=self.seconds)[0]

    def __str__(self) -> str:
        part = "whole" if self.seconds is None else f"{self.start_s:g}+{self.seconds:g}s"
        return f"{self.path.name}-{part}"


def song_int16(*arguments: object, **keywords: object) -> NDArray[np.int16]:
    return synth.to_int16(synth.song(*arguments, **keywords))  # type: ignore[arg-type]


def song_mono(style: str, seconds: float, rate: int = 44100) -> Samples:
    return np.ascontiguousarray(synth.song(style, seconds, rate)[:, 0])


def song_of_length(n: int, rate: int = 44100) -> Samples:
    """The loudest part of a song, ``n`` samples of it."""
    return np.ascontiguousarray(synth.song("rock", 2 + n / rate, rate)[rate : rate + n])


def song_scaled(gain: float) -> Samples:
    return np.asarray(np.clip(synth.song("house", 8) * np.float32(gain), -1, 1), np.float32)


def song_with_gaps() -> Samples:
    """Digital silence before, within and after, and a very quiet stretch."""
    samples = synth.song("rock", 12, seed=3)
    samples[:22050] = 0
    samples[4 * 44100 : 6 * 44100] = 0
    samples[8 * 44100 : 9 * 44100] *= np.float32(0.003)
    samples[11 * 44100 :] = 0
    return samples


def song_antiphase() -> Samples:
    left = synth.song("rock", 6)[:, 0]
    return np.stack([left, -left], axis=1)


def song_one_sided() -> Samples:
    samples = synth.song("rock", 6)
    samples[:, 1] = 0
    return samples


def song_with_offset() -> Samples:
    return np.asarray(0.5 * synth.song("ballad", 6) + 0.2, np.float32)


def noise_stereo(seconds: float) -> Samples:
    return np.stack([synth.pink_noise(seconds, seed=1), synth.pink_noise(seconds, seed=2)], axis=1)


_SECONDS: Final = 12.0

GENERATED: Final = [
    *[Case(f"{style}", 44100, synth.song, (style, _SECONDS, 44100)) for style in synth.STYLES],
    *[
        Case(f"house-{rate}Hz", rate, synth.song, ("house", 6.0, rate), {"bpm": 126, "seed": 5})
        for rate in (
            2000,
            8000,
            11025,
            12000,
            16000,
            22050,
            24000,
            32000,
            37800,
            48000,
            88200,
            96000,
            176400,
            192000,
        )
    ],
    *[Case(f"rock-{n}ch", 48000, synth.surround, ("rock", 5.0, n)) for n in range(3, 9)],
    Case("rock-mono", 44100, song_mono, ("rock", 8.0)),
    Case("rock-int16", 44100, song_int16, ("rock", 8.0)),
    Case("waltz-int16-96kHz", 96000, song_int16, ("waltz", 5.0, 96000)),
    Case("clicks", 44100, synth.clicks, (100.0, 12.0)),
    Case("white-noise", 44100, synth.noise, (6.0,)),
    Case("pink-noise-stereo", 44100, noise_stereo, (6.0,)),
    Case("chords", 44100, synth.chord, ((48, 60, 64, 67), 6.0)),
    Case("very-quiet", 44100, song_scaled, (0.001,)),
    Case("clipped", 44100, song_scaled, (8.0,)),
    Case("gaps", 44100, song_with_gaps),
    Case("antiphase", 44100, song_antiphase),
    Case("one-sided", 44100, song_one_sided),
    Case("offset", 44100, song_with_offset),
    *[Case(f"{n}-samples", 44100, song_of_length, (n,)) for n in (1, 2, 100, 1023, 1024, 2047, 2048, 5000)],
    *[Case(f"{n}-samples-192kHz", 192000, song_of_length, (n, 192000)) for n in (1, 5000)],
    *[
        Case(f"{s}s", 44100, song_of_length, (round(s * 44100),))
        for s in (0.39, 0.41, 0.49, 0.51, 3.9, 4.1, 15.9, 16.1)
    ],
]
