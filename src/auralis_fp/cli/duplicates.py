"""``auralis-fp duplicates``: copies of one recording in a library."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from auralis_fp._text import printable
from auralis_fp.cli.common import count_option, readable_library_option

if TYPE_CHECKING:
    from auralis_fp.library.similar.copies import Copy

__all__ = ["duplicates"]


@click.command()
@readable_library_option
@click.option("--other-gain", is_flag=True, help="Also find copies that are louder or quieter.")
@click.option("--mono", is_flag=True, help="Also find mono copies, and copies that are louder or quieter.")
@count_option("--count", "How many recordings to list; --json lists all.", default=100)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def duplicates(db: str, other_gain: bool, mono: bool, count: int, as_json: bool) -> None:
    """List recordings of which there are several copies.

    The copies may be in different encodings. The best one comes first, marked by a star, with the reason:
    its codec, its bit rate, and the damage that the .25d files record. Nothing is deleted.

    Another version of a piece is another recording. --other-gain and --mono compare fewer numbers, and so
    more different recordings are taken for the same.

    Exit status: 0 on success, 2 if nothing could be done.
    """
    from auralis_fp.library.similar.copies import find_copies
    from auralis_fp.library.similar.sources import open_source

    groups, unknown = find_copies(open_source(db), other_gain=other_gain, mono=mono)
    if as_json:
        listed = [
            {"reason": group.reason, "copies": [_as_object(copy) for copy in group.copies]}
            for group in groups
        ]
        print(json.dumps({"recordings": listed, "without_length": unknown}, ensure_ascii=False))
        return
    more = sum(len(group.copies) - 1 for group in groups)
    print(f"Recordings with copies: {len(groups)}, {more} files more than needed")
    from auralis_fp.cli.tables import print_copies

    for group in groups[:count]:
        print_copies(group.copies, group.reason)
    if len(groups) > count:
        print(f"and {len(groups) - count} more recordings")
    if unknown:
        print(f"Not compared, since nobody knows how long they are: {unknown} tracks")


def _as_object(copy: Copy) -> dict[str, Any]:
    track = copy.track
    return {
        "id": track.id,
        "path": printable(track.path),
        "title": track.title,
        "artist": track.artist,
        "duration": track.duration,
        "codec": copy.codec,
        "lossless": copy.lossless,
        "kbps": copy.kbps and round(copy.kbps, 1),
        "sample_rate": track.sample_rate,
        "bit_depth": track.bit_depth,
        "faults": copy.faults,
    }
