"""``auralis-fp clear-failed``: mark failed tracks for another try."""

from __future__ import annotations

import click

from auralis_fp.cli.common import database_option, give_up, is_new

__all__ = ["clear_failed"]


@click.command()
@click.argument("tracks", metavar="[ID...]", nargs=-1, type=int)
@database_option
def clear_failed(tracks: tuple[int, ...], db: str) -> None:
    """Mark failed tracks for another try.

    The next scan analyses the tracks with these ids again; without any, all that failed.
    """
    if is_new(db):
        give_up(f"{db}: no such database")
    from auralis_fp.library.store.repository import LibraryRepository

    count = LibraryRepository(db).retry_failed(tracks or None)
    print(f"{count} failed tracks marked for another try")
