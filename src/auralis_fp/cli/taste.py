"""What the commands about similarity share: the library to compare in, and the tracks that are named."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from auralis_fp._text import printable
from auralis_fp.cli.common import give_up
from auralis_fp.errors import AnalysisError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from auralis_fp.library.similar.neighbours import Neighbours, Seeds
    from auralis_fp.library.similar.tracks import Track

__all__ = [
    "finite",
    "seeds_of",
    "track_object",
    "weight_option",
    "working_library",
]


def _weights(_context: click.Context, _option: click.Parameter, given: Sequence[str]) -> dict[str, float]:
    weights = {}
    for text in given:
        name, _sign, factor = text.partition("=")
        try:
            weights[name.strip()] = float(factor)
        except ValueError:
            raise click.BadParameter(f"{text!r} is not of the form rhythm=2") from None
    return weights


weight_option: Final = click.option(
    "--weight",
    "weights",
    metavar="NAME=FACTOR",
    multiple=True,
    callback=_weights,
    help="How much a group or a number counts: rhythm=2, stereo=0, tempo_bpm=1. Repeatable.",
)


@contextmanager
def working_library(db: str, weights: dict[str, float]) -> Iterator[Neighbours]:
    """Yield a library that is read; end the command with a line if it or what is asked of it cannot be."""
    from auralis_fp.library.similar.neighbours import Neighbours
    from auralis_fp.library.similar.sources import open_source

    try:
        yield Neighbours(open_source(db), weights=weights, once=True)
    except (AnalysisError, ValueError) as error:
        give_up(printable(str(error)))


def seeds_of(library: Neighbours, named: Sequence[str]) -> Seeds:
    """Return the tracks that texts name, each once."""
    from auralis_fp.library.similar.naming import find_track

    return library.seeds(list(dict.fromkeys(find_track(library.source, text) for text in named)))


def track_object(track: Track, values: NDArray[np.float32]) -> dict[str, Any]:
    """Return a track and the two numbers that listeners know, for JSON."""
    from auralis_fp.schema import NAMES

    return {
        "id": track.id,
        "path": printable(track.path),
        "title": track.title,
        "artist": track.artist,
        "album": track.album,
        "duration": track.duration,
        "tempo_bpm": finite(float(values[NAMES.index("tempo_bpm")])),
        "lufs": finite(float(values[NAMES.index("lufs")])),
    }


def finite(number: float) -> float | None:
    """Return a number, rounded for reading; None if it is none."""
    return round(number, 3) if math.isfinite(number) else None
