"""``auralis-fp report``: what is to be said of the recordings of a library."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from auralis_fp import Metadata
from auralis_fp.cli.common import DatabaseOption, ending_well, give_up
from auralis_fp.library.report.findings import Findings, library_recordings, write_findings
from auralis_fp.library.store.database import Database

__all__ = ["print_findings", "report"]


@ending_well
def report(
    db: DatabaseOption,
    examples: Annotated[int, typer.Option(metavar="N", min=0, help="How many to list of each kind.")] = 10,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="File for the whole list: JSON if its name ends in .json, else CSV."
        ),
    ] = None,
) -> None:
    """Tell which recordings are truncated, damaged, clipped, silent, mono in stereo or off centre.

    Looks at the .25d files beside the tracks that have a fingerprint, and analyses nothing.
    """
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
