"""``auralis-fp report``: the findings about the recordings of a library."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auralis_fp.cli.common import database_option, give_up
from auralis_fp.metadata import Metadata

if TYPE_CHECKING:
    from auralis_fp.library.store.database import Database

__all__ = ["print_findings", "report"]


@click.command()
@database_option
@click.option(
    "--examples",
    metavar="N",
    type=click.IntRange(min=0),
    default=10,
    help="How many recordings to list for each kind of finding.",
)
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="File for the whole list: JSON if its name ends in .json, else CSV.",
)
def report(db: str, examples: int, output: Path | None) -> None:
    """List truncated, damaged, clipped and silent recordings, mono in stereo, and DC offsets.

    Reads the .25d files beside the tracks that have a fingerprint; analyses nothing.
    """
    from auralis_fp.library.store.database import Database

    print_findings(Database(db, readonly=True), examples=examples, output=output)


def print_findings(
    database: Database,
    known: Mapping[int, Metadata] | None = None,
    *,
    use_sidecar_files: bool = True,
    examples: int = 10,
    output: Path | None = None,
) -> None:
    """Print the findings of a library, and write them to a file if one is named."""
    from auralis_fp.library.report.findings import Findings, library_recordings, write_findings

    findings = Findings(examples)
    recordings = library_recordings(database, known, use_sidecar_files=use_sidecar_files)
    try:
        if output is None:
            findings.add_all(recordings)
        else:
            with output.open("wb") as file:
                findings.add_all(write_findings(recordings, file, as_json=output.suffix == ".json"))
    except OSError as error:
        give_up(f"{output}: {error.strerror or error}")
    for line in findings.lines():
        print(line)
    if output is not None:
        print(f"{findings.found} recordings with findings written to {output}")
