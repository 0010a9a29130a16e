"""``auralis-fp report``: the findings about the recordings of a library."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auralis_fp.cli.common import count_option, database_option, give_up, output_option
from auralis_fp.metadata import Metadata

if TYPE_CHECKING:
    from auralis_fp.library.store.database import Database

__all__ = ["print_findings", "report"]


@click.command()
@database_option
@count_option("--examples", "How many recordings to list for each kind of finding.", default=10)
@output_option("Write the whole list to a file: JSON if its name ends in .json, otherwise CSV.")
def report(db: str, examples: int, output: Path | None) -> None:
    """List recordings that are truncated, damaged, clipped or silent, and the like.

    "The like" are recordings with identical channels (mono stored as stereo) and with a DC offset. The
    command reads the .25d files beside the tracks that have a fingerprint, and analyses nothing.
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
    """Print the findings of a library, and write all of them to ``output`` if it is given."""
    from auralis_fp.library.report.findings import Findings, library_recordings, write_findings

    findings = Findings(examples)
    recordings = library_recordings(database, known, use_sidecar_files=use_sidecar_files)
    try:
        if output is None:
            findings.add_all(recordings)
        else:
            with output.open("wb") as file:
                findings.add_all(write_findings(recordings, file, as_json=output.suffix.lower() == ".json"))
    except OSError as error:
        give_up(f"{output}: {error.strerror or error}")
    for line in findings.lines():
        print(line)
    if output is not None:
        print(f"{findings.found} recordings with findings written to {output}")
