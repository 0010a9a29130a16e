"""Fingerprints as tables on a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from auralis_fp._text import printable
from auralis_fp.fingerprint import Fingerprint
from auralis_fp.schema import DIMENSIONS, NAMES

if TYPE_CHECKING:
    from auralis_fp.library.similar.copies import Copy
    from auralis_fp.library.similar.tracks import Track

__all__ = [
    "as_minutes",
    "print_copies",
    "print_fingerprint",
    "print_numbers",
    "print_side_by_side",
    "print_tracks",
]

_COLUMN_WIDTH: Final = 14  # of a file; longer names are cut
_WIDTH_OF_MEANINGS: Final = 60
_LEAST_WIDTH: Final = 50  # narrower terminals wrap the lines, but no number is cut


def print_fingerprint(name: str, fingerprint: Fingerprint) -> None:
    """Print the numbers of a file, below its name and format."""
    m = fingerprint.metadata
    damage = f", {m.damaged_packets} damaged packets" if m.damaged_packets else ""
    console = _console()
    console.print(name, style="bold", markup=False, soft_wrap=True)
    console.print(
        f"{m.codec} in {m.container}, {m.duration:.1f} s, {m.sample_rate} Hz, {m.channels} channels{damage}",
        markup=False,
    )
    print_numbers({dimension.name: fingerprint.format_value(dimension.name) for dimension in DIMENSIONS})


def print_numbers(numbers: Mapping[str, str], *, explained: bool = True) -> None:
    """Print one number per line, with its unit and meaning if ``explained``."""
    table = Table(box=None, padding=(0, 1), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(style="dim")
    console = _console()
    for d in DIMENSIONS:
        meaning = (d.meaning,) if console.width >= _WIDTH_OF_MEANINGS else ()
        table.add_row(d.name, numbers[d.name], *((d.unit, *meaning) if explained else ()))
    console.print(table)


def print_side_by_side(measured: Mapping[str, Fingerprint]) -> None:
    """Print a column of numbers for each file, in as many tables as the width of the terminal asks for."""
    console = _console()
    captions = [max(len(text) for text in column) + 2 for column in (NAMES, [d.unit for d in DIMENSIONS])]
    columns = max(1, (console.width - sum(captions)) // (_COLUMN_WIDTH + 2))
    names = list(measured)
    for first in range(0, len(names), columns):
        table = Table(box=None, padding=(0, 1))
        table.add_column("", no_wrap=True)
        shown = names[first : first + columns]
        for name in shown:
            table.add_column(Path(name).name, justify="right", no_wrap=True, max_width=_COLUMN_WIDTH)
        table.add_column("unit", style="dim", no_wrap=True)
        for d in DIMENSIONS:
            table.add_row(d.name, *(measured[name].format_value(d.name) for name in shown), d.unit)
        console.print(table)


def print_tracks(
    tracks: Sequence[Track],
    values: Sequence[NDArray[np.float32]],
    figure: tuple[str, Sequence[str]],
    notes: Sequence[str] = (),
) -> None:
    """Print one track per line, within the width of the terminal.

    Parameters
    ----------
    tracks : sequence of Track
        In their order.
    values : sequence of ndarray
        Their 25 numbers.
    figure : (str, sequence of str)
        Name and values of the column that the command is about.
    notes : sequence of str
        A sentence for every track, to be printed below it.
    """
    console = _console()
    table = Table(box=None, padding=(0, 1), expand=any(track.artist for track in tracks), pad_edge=False)
    table.add_column(figure[0], justify="right", no_wrap=True)
    table.add_column("id", justify="right", no_wrap=True)
    table.add_column("title", ratio=3, no_wrap=True, overflow="ellipsis")
    if named := any(track.artist for track in tracks):
        table.add_column("artist", ratio=2, no_wrap=True, overflow="ellipsis")
    for name in ("length", "BPM", "LUFS"):
        table.add_column(name, justify="right", no_wrap=True)
    for text, track, row in zip(figure[1], tracks, values, strict=True):
        numbers = (_rounded(row[NAMES.index(name)]) for name in ("tempo_bpm", "lufs"))
        table.add_row(
            text,
            "" if track.id is None else str(track.id),
            Text(track.title),
            *([Text(track.artist or "")] if named else []),
            as_minutes(track.duration) if track.duration else "",
            *numbers,
        )
    with console.capture() as captured:
        console.print(table)
    head, *lines = captured.get().splitlines()
    print(head)
    for line, note in zip_longest(lines, notes):
        print(line)
        if note:
            for part in textwrap.wrap(note, max(console.width, 40) - 10):
                console.print(Text(f"{8 * ' '}{part}", style="dim"))


def print_copies(copies: Sequence[Copy], reason: str) -> None:
    """Print copies of one recording, the best first, and why it is."""
    table = Table(box=None, padding=(0, 1), show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for place, copy in enumerate(copies):
        mark = "*" if place == 0 else " "
        rate = f"{copy.kbps:.0f} kbit/s" if copy.kbps else ""
        table.add_row(mark, str(copy.track.id), copy.codec, rate, Text(printable(copy.track.path)))
    console = _console()
    console.print()
    console.print(Text(f"{copies[0].track.name}: {reason}", style="bold"))
    console.print(table)


def as_minutes(seconds: float) -> str:
    """Return a length as minutes and seconds."""
    return f"{int(seconds + 0.5) // 60}:{int(seconds + 0.5) % 60:02d}"


def _rounded(number: float) -> str:
    return f"{number:.0f}" if number == number else ""


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.width >= _LEAST_WIDTH else Console(highlight=False, width=_LEAST_WIDTH)
