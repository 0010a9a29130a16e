"""Commands on a library that do not analyse it whole: status, show, export, verify, clear-failed."""

from __future__ import annotations

import json
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from auralis_fp import DIMENSIONS, FINGERPRINT_VERSION
from auralis_fp._text import printable
from auralis_fp.cli.common import FAILED, DatabaseOption, absolute, ending_well, give_up, is_new
from auralis_fp.library.report.export import export_csv, export_json, export_parquet, with_build
from auralis_fp.library.report.verification import verify_track
from auralis_fp.library.store.database import Database
from auralis_fp.library.store.filenames import to_column
from auralis_fp.library.store.queries import (
    StoredTrack,
    find_track,
    library_status,
    sample_tracks,
    stored_tracks,
)
from auralis_fp.library.store.repository import LibraryRepository
from auralis_fp.library.work.analyzers import choose_analyzer

__all__ = ["Format", "clear_failed", "export", "show", "status", "verify"]


class Format(str, Enum):
    """File formats of ``export``."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


_WRITERS = {Format.CSV: export_csv, Format.JSON: export_json, Format.PARQUET: export_parquet}


@ending_well
def status(
    db: DatabaseOption,
    errors: Annotated[int, typer.Option(min=0, help="How many of the last failures to list.")] = 10,
) -> None:
    """Tell how many tracks have a fingerprint, of which version, and what failed last."""
    counts = library_status(Database(db, readonly=True), failures=errors)
    share = 100 * counts.fingerprinted / counts.tracks if counts.tracks else 100.0
    print(f"Tracks: {counts.tracks}, with a fingerprint: {counts.fingerprinted} ({share:.1f}%)")
    for name, count in sorted(counts.by_status.items()):
        print(f"  {name}: {count}")
    for version, count in counts.by_version.items():
        note = (
            "" if version == FINGERPRINT_VERSION else " (not comparable; scan --outdated computes them anew)"
        )
        print(f"Fingerprints of version {version}: {count}{note}")
    if counts.placeholders:
        print(f"Placeholder rows without a fingerprint: {counts.placeholders}")
    if counts.failures:
        print("Last failures:")
    for track_id, path, reason in counts.failures:
        print(f"  {track_id}  {printable(path)}: {printable(reason)}")


@ending_well
def show(
    track: Annotated[str, typer.Argument(metavar="TRACK", help="Id or file.")],
    db: DatabaseOption,
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON object.")] = False,
) -> None:
    """Show a track's fingerprint as it is stored."""
    found = find_track(Database(db, readonly=True), track, to_column(absolute(track)))
    if found is None:
        give_up(f"no track {track!r} in this library")
    found = with_build(found)
    if as_json:
        print(json.dumps(_as_object(found), ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.print(f"{found.id}  {found.title}", style="bold", markup=False)
    console.print(printable(found.path), markup=False, soft_wrap=True)
    console.print(f"status: {found.status}" + (f": {found.error}" if found.error else ""), markup=False)
    if found.fingerprint is None:
        print("no fingerprint")
        return
    version = found.fingerprint.fingerprint_version
    print(f"fingerprint version {version}" + (f", computed by {found.build}" if found.build else ""))
    table = Table(box=None, padding=(0, 1), show_header=False)
    for dimension in DIMENSIONS:
        # An older version used the same names for other measurements, in other units.
        ours = version == FINGERPRINT_VERSION
        unit, meaning = (dimension.unit, dimension.meaning) if ours else ("", "")
        table.add_row(dimension.name, f"{found.fingerprint[dimension.name]:.6g}", unit, meaning)
    console.print(table)


@ending_well
def export(
    db: DatabaseOption,
    file_format: Annotated[Format, typer.Option("--format", help="File format.")] = Format.CSV,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; standard output without.")
    ] = None,
    all_versions: Annotated[
        bool,
        typer.Option("--all-versions", help="Also fingerprints of other versions, which are not comparable."),
    ] = False,
    no_sidecar: Annotated[
        bool, typer.Option("--no-sidecar", help="Do not look into .25d files for what computed a row.")
    ] = False,
) -> None:
    """Write all fingerprints as CSV, JSON or Parquet.

    The last column tells what computed them, as far as the database or else the sidecar knows.
    """
    database = Database(db, readonly=True)
    tracks = stored_tracks(database, None if all_versions else FINGERPRINT_VERSION)
    if not no_sidecar:
        tracks = map(with_build, tracks)
    if output is None:
        if file_format is Format.PARQUET and sys.stdout.isatty():
            give_up("Parquet is binary: name a file with --output")
        _WRITERS[file_format](tracks, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    try:
        with output.open("wb") as file:
            count = _WRITERS[file_format](tracks, file)
    except OSError as error:
        give_up(f"{output}: {error.strerror or error}")
    print(f"{count} fingerprints written to {output}", file=sys.stderr)


@ending_well
def verify(
    db: DatabaseOption,
    sample: Annotated[int, typer.Option(min=1, help="How many tracks, drawn at random.")] = 20,
) -> None:
    """Analyse a sample of the tracks again and compare with what is stored.

    Exit status: 0, 1 if a track differs or cannot be read, 2 if nothing could be done.
    """
    tracks = sample_tracks(Database(db, readonly=True), sample)
    analyze = choose_analyzer(use_native=True)
    wrong = 0
    worst = 0.0
    for track in tracks:
        verdict = verify_track(track, analyze)
        worst = max(worst, verdict.worst)
        if verdict.agrees:
            continue
        wrong += 1
        print(f"{track.id}  {printable(track.path)}: {printable(verdict.error) or 'differs'}")
        for name, (stored, new) in verdict.differences.items():
            print(f"    {name}: stored {stored:.6g}, now {new:.6g}")
    print(
        f"{len(tracks) - wrong} of {len(tracks)} tracks agree; "
        f"largest difference {worst:.3g} of its tolerance"
    )
    if wrong:
        raise typer.Exit(FAILED)


@ending_well
def clear_failed(
    db: DatabaseOption,
    tracks: Annotated[
        list[int] | None, typer.Argument(metavar="[ID...]", help="Only these tracks; all without.")
    ] = None,
) -> None:
    """Forget that tracks failed: the next scan tries them again."""
    if is_new(db):
        give_up(f"{db}: no such database")
    repository = LibraryRepository(db)
    print(f"{repository.retry_failed(tracks or None)} tracks wait to be tried again")


def _as_object(track: StoredTrack) -> dict[str, object]:
    return {
        "id": track.id,
        "path": printable(track.path),
        "title": track.title,
        "status": track.status,
        "error": track.error,
        "fingerprint": track.fingerprint and track.fingerprint.to_row(),
        "build": track.build,
    }
