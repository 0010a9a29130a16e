"""``auralis-fp import``: the rows of Parquet files into a library."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import click

from auralis_fp._text import printable
from auralis_fp.cli.common import FAILED, completing, database_option, default_database, give_up

__all__ = ["import_"]


def _mapping(_context: click.Context, _option: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    mapping = {}
    for text in given:
        beginning, sign, path = text.rpartition("=")
        if not sign or not beginning:
            raise click.BadParameter(f"{text!r} is not of the form s3://bucket/music=/mnt/music")
        mapping[beginning] = path
    return mapping


@click.command("import")
@click.argument("sources", metavar="PARQUET...", nargs=-1, required=True, shell_complete=completing("file"))
@database_option
@click.option(
    "--map",
    "mapping",
    metavar="URI=PATH",
    multiple=True,
    callback=_mapping,
    help="Put PATH in the place of URI where the name of a file begins with it. Repeatable.",
)
def import_(sources: tuple[str, ...], db: str, mapping: dict[str, str]) -> None:
    """Put the rows of Parquet files into a library.

    PARQUET is a file or a folder of auralis-fp cluster or auralis-fp export, or the URI of a folder of
    auralis-fp cluster in an object store. Tracks are found by the paths of their files; those that are
    missing are added. A fingerprint that is as new or newer is kept, so that the same rows may be imported
    again. Rows without a fingerprint are left out.

    Exit status: 0 on success, 1 if the database has refused a row, 2 if nothing could be done.
    """
    from auralis_fp.library.store.database import Database
    from auralis_fp.library.work.importing import import_rows

    rows = [_rows(source) for source in sources]  # which fails before there is a database
    if db == str(default_database()):
        Path(db).parent.mkdir(parents=True, exist_ok=True)
    database = Database(db)
    try:
        done = import_rows(database, chain.from_iterable(rows), mapping=mapping)
    finally:
        database.close()
    print(
        f"{done.rows} rows: {done.stored} fingerprints stored, {done.added} tracks added, "
        f"{done.kept} kept as they were, {done.without} without a fingerprint"
    )
    for path, reason in done.refused:
        print(f"Refused: {printable(path)}: {printable(reason)}")
    if done.refused:
        sys.exit(FAILED)


def _rows(source: str) -> Iterator[dict[str, Any]]:
    if "://" in source:
        from auralis_fp.cluster import Results, StorageError

        try:
            results = Results(source)
            shards = results.finished()
        except StorageError as error:
            give_up(str(error))
        if not shards:
            give_up(f"{printable(source)}: no results in this folder")
        tables: Iterator[Any] = map(results.read, shards)
    else:
        from auralis_fp.library.store.parquet import parquet_files, tables_of

        parquet_files(Path(source))
        tables = tables_of(Path(source))
    return chain.from_iterable(table.to_pylist() for table in tables)
