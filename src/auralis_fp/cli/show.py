"""``auralis-fp show``: what the database holds about a track."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from auralis_fp._text import printable
from auralis_fp.cli.common import absolute, database_option, give_up
from auralis_fp.schema import FINGERPRINT_VERSION, NAMES

if TYPE_CHECKING:
    from auralis_fp.library.store.queries import StoredTrack

__all__ = ["show"]


@click.command()
@click.argument("track", metavar="TRACK")
@database_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def show(track: str, db: str, as_json: bool) -> None:
    """Show the stored fingerprint of a track.

    TRACK is the id of a track, or its file.
    """
    from auralis_fp.library.report.export import with_build
    from auralis_fp.library.store.database import Database
    from auralis_fp.library.store.filenames import to_column
    from auralis_fp.library.store.queries import find_track

    found = find_track(Database(db, readonly=True), track, to_column(absolute(track)))
    if found is None:
        give_up(f"no track {track!r} in this library")
    found = with_build(found)
    if as_json:
        print(json.dumps(_as_object(found), ensure_ascii=False))
    else:
        _print(found)


def _print(track: StoredTrack) -> None:
    from rich.console import Console

    from auralis_fp.cli.tables import print_numbers

    console = Console(highlight=False)
    console.print(f"{track.id}  {track.title}", style="bold", markup=False)
    console.print(printable(track.path), markup=False, soft_wrap=True)
    console.print(
        f"status: {track.status}" + (f": {track.error}" if track.error else ""), markup=False, soft_wrap=True
    )
    if track.fingerprint is None:
        print("no fingerprint")
        return
    version = track.fingerprint.fingerprint_version
    print(f"fingerprint version {version}" + (f", computed by {_build(track.build)}" if track.build else ""))
    # An older version used the same names for other measurements, in other units.
    numbers = {name: f"{track.fingerprint[name]:.6g}" for name in NAMES}
    print_numbers(numbers, explained=version == FINGERPRINT_VERSION)


def _build(text: str) -> str:
    """Return what identifies a build, in one line for people."""
    try:
        build = json.loads(text)
        ffmpeg = build.get("ffmpeg", {}).get("release")
        packages = build.get("packages", {})
        parts = [
            f"{build['engine']} {build['version']}",
            build.get("cpu_level"),
            ffmpeg and f"FFmpeg {ffmpeg}",
            build.get("soxr"),
            build.get("compiler"),
            *(f"{name} {version}" for name, version in packages.items()),
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return printable(text)
    return printable(", ".join(str(part) for part in parts if part))


def _as_object(track: StoredTrack) -> dict[str, Any]:
    return {
        "id": track.id,
        "path": printable(track.path),
        "title": track.title,
        "status": track.status,
        "error": track.error,
        "fingerprint": track.fingerprint and track.fingerprint.to_row(),
        "build": track.build,
    }
