"""``auralis-fp page``: a library as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from auralis_fp._text import printable
from auralis_fp.cli.common import count_option, give_up, readable_library_option

__all__ = ["page"]

_MOST_TRACKS: Final = 60_000


@click.command()
@readable_library_option
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default=Path("library.html"),
    show_default="library.html",
    help="File to write. It links to the music relative to its folder.",
)
@count_option(
    "--tracks",
    "How many tracks to show at most; of a larger library, the page shows a sample and says so.",
    default=_MOST_TRACKS,
    least=1,
    most=1_000_000,
)
@click.option(
    "--no-sidecar", is_flag=True, help="Do not look in .25d files for what is wrong with the recordings."
)
def page(db: str, output: Path, tracks: int, no_sidecar: bool) -> None:
    """Write a library as one HTML page: a map of all tracks, what is like what, and what is broken.

    The page works without a network: open it in a browser. It needs the extra page, and shows the tracks that
    have a fingerprint of this version.
    """
    from auralis_fp.library.page import write_page
    from auralis_fp.library.similar.parquet import ParquetSource
    from auralis_fp.library.store.database import Database
    from auralis_fp.library.store.parquet import is_parquet

    library = ParquetSource(Path(db)) if is_parquet(db) else Database(db, readonly=True)
    try:
        written = write_page(library, output, most=tracks, use_sidecar_files=not no_sidecar)
    except OSError as error:
        give_up(f"{printable(output)}: {error.strerror or error}")
    sample = f", a sample of {written.comparable}" if written.tracks < written.comparable else ""
    print(f"{written.tracks} tracks{sample} written to {printable(output)}")
    if written.unknown and not no_sidecar:
        print(f"Findings of {written.unknown} tracks are not known: without a valid .25d file beside them")
