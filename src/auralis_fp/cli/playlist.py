"""``auralis-fp playlist``: tracks around a taste, or on the way from one to another."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auralis_fp._text import printable
from auralis_fp.cli.common import count_option, give_up, output_option, readable_library_option
from auralis_fp.cli.taste import (
    seeds_of,
    track_object,
    weight_option,
    working_library,
)

if TYPE_CHECKING:
    from auralis_fp.library.similar.playlist import Playlist

__all__ = ["playlist"]

_NUMBER = r"[-+]?\d+(?:\.\d+)?"


def _range(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[float, float] | None:
    """Return two numbers with a hyphen, a colon or dots between them."""
    if text is None:
        return None
    found = re.fullmatch(rf"\s*({_NUMBER})\s*(?:-|:|\.\.)\s*({_NUMBER})\s*", text)
    if found is None or float(found[1]) > float(found[2]):
        raise click.BadParameter(f"{text!r} is no range from a smaller to a larger number, such as 118-126")
    return float(found[1]), float(found[2])


@click.command()
@readable_library_option
@click.option(
    "--like",
    metavar="TRACK",
    multiple=True,
    help="Track that all should be like. Repeatable: together one taste.",
)
@click.option("--from", "start", metavar="TRACK", help="The first track.")
@click.option("--to", "end", metavar="TRACK", help="The last track.")
@click.option("--through", metavar="TRACK", multiple=True, help="Track on the way. Repeatable, in order.")
@click.option(
    "--length",
    metavar="N",
    type=click.IntRange(1, 1000),
    show_default="25",
    help="Number of tracks, including those that are named.",
)
@click.option(
    "--minutes",
    metavar="MINUTES",
    type=click.FloatRange(0.1, 6000),
    help="Playing time, to within one track; instead of --length.",
)
@click.option("--tempo", metavar="BPM-BPM", callback=_range, help="Range of the tempo, such as 118-126.")
@click.option("--lufs", metavar="LUFS:LUFS", callback=_range, help="Range of the loudness, such as -16:-10.")
@count_option("--spacing", "How many others between two tracks of one artist.", default=4, most=100)
@click.option("--seed", metavar="N", type=click.IntRange(min=0), help="Another number makes another list.")
@weight_option
@output_option("Write an M3U8 playlist, with paths relative to its folder.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def playlist(
    db: str,
    like: tuple[str, ...],
    start: str | None,
    end: str | None,
    through: tuple[str, ...],
    length: int | None,
    minutes: float | None,
    tempo: tuple[float, float] | None,
    lufs: tuple[float, float] | None,
    spacing: int,
    seed: int | None,
    weights: dict[str, float],
    output: Path | None,
    as_json: bool,
) -> None:
    """Make a playlist around some tracks, or on the way from one to another.

    TRACK is the id of a track, its file, a part of its title or path that no other track has, or an audio
    file that is not in the library, which is measured. Neighbouring tracks are alike, no recording occurs
    twice, and tracks of the same artist are kept apart. If not all of this is possible, the command says so.

    Exit status: 0 on success, 2 if nothing could be done.
    """
    if length is not None and minutes is not None:
        give_up("--length and --minutes cannot be combined")
    if not (like or start or end or through):
        give_up("name a track to begin with: --like, --from, --to or --through")
    from auralis_fp.library.similar.playlist import Wish, make_playlist

    with working_library(db, weights) as library:
        given = [seeds_of(library, [name]).tracks[0] if name else None for name in (start, *through, end)]
        found = make_playlist(
            library,
            Wish(
                like=seeds_of(library, like) if like else None,
                start=given[0],
                end=given[-1],
                through=[one for one in given[1:-1] if one is not None],
                length=None if minutes else length or 25,
                seconds=60 * (minutes or 0),
                tempo=tempo,
                lufs=lufs,
                spacing=spacing,
                seed=seed,
            ),
        )
    notes = [*found.notes, *(_written(found, output) if output else ())]
    if as_json:
        print(json.dumps(_as_object(found, notes), ensure_ascii=False))
        return
    from auralis_fp.cli.tables import as_minutes, print_tracks

    print_tracks(
        found.tracks, list(found.values), ("no", [str(place) for place in range(1, len(found.tracks) + 1)])
    )
    print(
        f"{len(found.tracks)} tracks, {as_minutes(found.seconds)}"
        + (f", written to {output}" if output else "")
    )
    for note in notes:
        print(f"Note: {printable(note)}")


def _written(found: Playlist, output: Path) -> Sequence[str]:
    """Write the playlist; return what is to be said of it."""
    from auralis_fp.library.similar.m3u import write_m3u8

    try:
        left_out = write_m3u8(found.tracks, output)
    except OSError as error:
        give_up(f"{printable(output)}: {error.strerror or error}")
    return [f"left out of the file, which cannot name it: {printable(track.path)}" for track in left_out]


def _as_object(found: Playlist, notes: Sequence[str]) -> dict[str, Any]:
    tracks = [
        {**track_object(track, values), "step": round(float(step), 6)}
        for track, values, step in zip(found.tracks, found.values, found.steps, strict=True)
    ]
    return {"tracks": tracks, "seconds": round(found.seconds, 3), "notes": notes}
