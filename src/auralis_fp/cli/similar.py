"""``auralis-fp similar``: the tracks of a library that are most like others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from auralis_fp._text import printable
from auralis_fp.cli.common import count_option, readable_library_option
from auralis_fp.cli.taste import (
    finite,
    seeds_of,
    track_object,
    weight_option,
    working_library,
)

if TYPE_CHECKING:
    from auralis_fp.library.similar.neighbours import Neighbour

__all__ = ["similar"]


@click.command()
@click.argument("tracks", metavar="TRACK...", nargs=-1, required=True)
@readable_library_option
@count_option("--count", "How many tracks to list.", default=20, least=1, most=1000)
@click.option(
    "--why",
    is_flag=True,
    help="Print what each track has in common with the first TRACK, and how it differs.",
)
@weight_option
@click.option(
    "--one-per-artist", is_flag=True, help="List one track of each artist, and none by the artists of TRACK."
)
@click.option(
    "--same-album/--no-same-album",
    default=True,
    help="Whether to list tracks of the albums that TRACK is on.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def similar(
    tracks: tuple[str, ...],
    db: str,
    count: int,
    why: bool,
    weights: dict[str, float],
    one_per_artist: bool,
    same_album: bool,
    as_json: bool,
) -> None:
    """List the tracks that are most like the given ones.

    TRACK is the id of a track, its file, a part of its title or path that no other track has, or an audio
    file that is not in the library, which is measured. With several, tracks are listed that are like all of
    them. Each recording is listed once, however many copies of it there are.

    Exit status: 0 on success, 2 if nothing could be done.
    """
    with working_library(db, weights) as library:
        seeds = seeds_of(library, tracks)
        found = library.nearest(seeds, count, one_per_artist=one_per_artist, same_album=same_album)
    if as_json:
        named = [
            track_object(track, values) for track, values in zip(seeds.tracks, seeds.values, strict=True)
        ]
        listed = [_as_object(one, why=why) for one in found]
        print(json.dumps({"like": named, "tracks": listed}, ensure_ascii=False))
        return
    print("Like " + ", ".join(printable(track.name) for track in seeds.tracks))
    if not found:
        print("No other track can be compared.")
        return
    from auralis_fp.cli.tables import print_tracks

    print_tracks(
        [one.track for one in found],
        [one.values for one in found],
        ("alike", [f"{one.score:.1f}" if one.score == one.score else "" for one in found]),
        [one.why.sentence for one in found] if why else (),
    )


def _as_object(one: Neighbour, *, why: bool) -> dict[str, Any]:
    reasons = {"why": one.why.sentence, "contributions": one.why.contributions} if why else {}
    return {
        **track_object(one.track, one.values),
        "distance": round(one.distance, 6),
        "score": finite(one.score),
        **reasons,
    }
