"""``auralis-fp export``: the fingerprints of a library for other programs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from auralis_fp.cli.common import give_up, output_option, readable_library_option
from auralis_fp.schema import FINGERPRINT_VERSION

__all__ = ["export"]


@click.command()
@readable_library_option
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "json", "parquet"]),
    show_default="by the ending of the output file's name, otherwise csv",
    help="File format.",
)
@output_option("Write to a file instead of standard output.")
@click.option(
    "--all-versions", is_flag=True, help="Include fingerprints of other versions, which must not be compared."
)
@click.option(
    "--no-sidecar", is_flag=True, help="Do not look in .25d files for the build that computed a fingerprint."
)
def export(
    db: str, file_format: str | None, output: Path | None, all_versions: bool, no_sidecar: bool
) -> None:
    """Write all fingerprints as CSV, JSON or Parquet.

    The last column names the build that computed each fingerprint, where that is known.
    """
    if file_format is None:
        ending = output.suffix.lower() if output else ""
        file_format = {".json": "json", ".parquet": "parquet"}.get(ending, "csv")

    from auralis_fp.library.report import export as writers
    from auralis_fp.library.store.database import Database
    from auralis_fp.library.store.parquet import is_parquet, stored_rows
    from auralis_fp.library.store.queries import stored_tracks

    write = {
        "csv": writers.export_csv, "json": writers.export_json, "parquet": writers.export_parquet
    }[file_format]  # fmt: skip
    version = None if all_versions else FINGERPRINT_VERSION
    if is_parquet(db):
        tracks = stored_rows(Path(db), version)
    else:
        tracks = stored_tracks(Database(db, readonly=True), version)
        if not no_sidecar:
            tracks = map(writers.with_build, tracks)
    if output is None:
        if file_format == "parquet" and sys.stdout.isatty():
            give_up("Parquet is binary: name a file with --output")
        write(tracks, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    try:
        with output.open("wb") as file:
            count = write(tracks, file)
    except OSError as error:
        give_up(f"{output}: {error.strerror or error}")
    print(f"{count} fingerprints written to {output}", file=sys.stderr)
