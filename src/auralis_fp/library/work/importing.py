"""Puts fingerprints that were computed elsewhere into a library, thousands of rows in a statement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from auralis_fp._text import printable
from auralis_fp.library.errors import RefusedRow
from auralis_fp.library.store.database import Database, utc_now
from auralis_fp.library.store.filenames import to_column
from auralis_fp.library.store.parquet import path_of, values_of
from auralis_fp.library.store.tables import COMPLETE, holds_fingerprint
from auralis_fp.schema import NAMES

__all__ = ["Imported", "import_rows"]

_PAGE: Final = 5000
_KNOWN: Final = {"duration": Float, "sample_rate": Integer, "channels": Integer, "filesize": BigInteger}
"""Columns of ``tracks`` that rows may know."""

_staged = Table(
    "auralis_fp_imported",
    MetaData(),
    Column("filepath", Text, primary_key=True),
    Column("track_id", BigInteger, index=True),
    Column("title", Text),
    Column("computed_at", DateTime),
    Column("fingerprint_vector", Text),
    *(Column(name, kind) for name, kind in _KNOWN.items()),
    *(Column(name, Float(53)) for name in NAMES),
    Column("fingerprint_version", Integer),
    Column("fingerprint_build", Text),
    prefixes=["TEMPORARY"],
)


@dataclass
class Imported:
    """What has become of rows.

    Attributes
    ----------
    rows : int
        All of them.
    added : int
        Tracks that are new in the library.
    stored : int
        Fingerprints that are in it now, and were not before.
    kept : int
        Rows whose track had a fingerprint that is as new, or newer.
    without : int
        Rows that hold no fingerprint.
    refused : list of (str, str)
        Files whose rows the database has refused, and why.
    """

    rows: int = 0
    added: int = 0
    stored: int = 0
    kept: int = 0
    without: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def import_rows(
    database: Database, rows: Iterable[Mapping[str, Any]], *, mapping: Mapping[str, str] = {}
) -> Imported:
    """Store fingerprints, and add the tracks that a library does not have yet.

    A fingerprint of a later version is never replaced, nor one of the same version that was computed at the
    same time, later, or nobody knows when. So rows may be imported again at any time.

    Parameters
    ----------
    database : Database
        The library.
    rows : iterable of mappings
        Those of Parquet files; see :func:`auralis_fp.library.store.parquet.tables_of`.
    mapping : mapping
        Beginnings of URIs, and the paths that take their place; of several that fit, the longest counts.
    """
    done, prefixes = Imported(), sorted(mapping, key=len, reverse=True)

    def path(row: Mapping[str, Any]) -> str:
        named = path_of(row)
        prefix = next((one for one in prefixes if named.startswith(one)), None)
        return named if prefix is None else mapping[prefix] + named[len(prefix) :]

    rest = iter(rows)
    while page := list(islice(rest, _PAGE)):
        staged: dict[str, dict[str, Any]] = {}
        for row in page:
            done.rows += 1
            known, file = values_of(row), path(row)
            if known is None or not file:
                done.without += 1
                continue
            new = _staged_row(row, file, *known)
            before = staged.setdefault(new["filepath"], new)
            if before is not new:
                done.kept += 1
                staged[new["filepath"]] = max(before, new, key=_newness)
        _store(database, list(staged.values()), done)
    return done


def _newness(row: Mapping[str, Any]) -> tuple[int, datetime]:
    return row["fingerprint_version"], row["computed_at"] or datetime.min


def _staged_row(row: Mapping[str, Any], path: str, version: int, values: list[float]) -> dict[str, Any]:
    computed_at = row.get("computed_at")
    if isinstance(computed_at, datetime) and computed_at.tzinfo:
        computed_at = computed_at.astimezone(timezone.utc).replace(tzinfo=None)
    return {
        "filepath": to_column(path),
        "track_id": None,
        "title": row.get("title") or printable(Path(path).stem),
        "computed_at": computed_at,
        "fingerprint_vector": json.dumps(values),
        **{name: row.get(name) for name in _KNOWN},
        "filesize": row.get("filesize", row.get("size")),
        **dict(zip(NAMES, values, strict=True)),
        "fingerprint_version": version,
        "fingerprint_build": row.get("fingerprint_build"),
    }


def _store(database: Database, rows: Sequence[dict[str, Any]], done: Imported) -> None:
    """Store rows in one transaction; if one of them is refused, all but that one."""
    if not rows:
        return
    try:
        added, stored = database.run(lambda connection: _stored(database, connection, rows))
    except RefusedRow as refusal:
        if len(rows) == 1:
            done.refused.append((rows[0]["filepath"], str(refusal)))
            return
        middle = len(rows) // 2
        _store(database, rows[:middle], done)
        _store(database, rows[middle:], done)
        return
    done.added += added
    done.stored += stored
    done.kept += len(rows) - stored


def _stored(database: Database, connection: Connection, rows: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Return how many tracks were added, and how many fingerprints stored."""
    t, f, s = database.tracks, database.fingerprints, _staged.c
    database.one_at_a_time(connection)
    _staged.drop(connection, checkfirst=True)
    _staged.create(connection)
    _load(connection, rows)
    known_id = select(func.min(t.c.id)).where(t.c.filepath == s.filepath).scalar_subquery()
    connection.execute(update(_staged).values(track_id=known_id))

    now = utc_now()
    new = {name: s[name] for name in ("filepath", "title", *_KNOWN)}
    state = {"fingerprint_status": COMPLETE, "created_at": now, "updated_at": now}
    unknown = select(func.count()).where(s.track_id.is_(None))
    added: int = connection.execute(unknown).scalar_one()
    _insert(database, connection, t, {**new, **state}, s.track_id.is_(None))
    connection.execute(update(_staged).where(s.track_id.is_(None)).values(track_id=known_id))

    connection.execute(delete(_staged).where(_is_newer(database)))
    stored: int = connection.execute(select(func.count()).select_from(_staged)).scalar_one()
    values = {name: s[name] for name in (*NAMES, "fingerprint_version", "fingerprint_build")}
    has_row = exists().where(f.c.track_id == s.track_id)
    _update(database, connection, f, {**values, "updated_at": now}, f.c.track_id == s.track_id)
    new_values = {"track_id": s.track_id, **values, "created_at": now, "updated_at": now}
    _insert(database, connection, f, new_values, ~has_row)
    complete = {
        "fingerprint_status": COMPLETE,
        "fingerprint_computed_at": func.coalesce(s.computed_at, literal(now, DateTime)),
        "fingerprint_error_message": None,
        "fingerprint_vector": s.fingerprint_vector,
    }
    _update(database, connection, t, complete, t.c.id == s.track_id)
    _staged.drop(connection)
    return added, stored


def _load(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if connection.dialect.name != "postgresql":
        connection.execute(insert(_staged), rows)
        return
    names = [column.name for column in _staged.columns]
    driver: Any = connection.connection.driver_connection
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {_staged.name} ({', '.join(names)}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row([row[name] for name in names])


def _is_newer(database: Database) -> ColumnElement[bool]:
    """Return the condition that the library has a fingerprint that a staged row must not replace."""
    t, f, s = database.tracks, database.fingerprints, _staged.c
    same = f.c.fingerprint_version == s.fingerprint_version
    if "fingerprint_computed_at" in t.c:
        there, here = t.c.fingerprint_computed_at, s.computed_at
        later = func.julianday(there) >= func.julianday(here) if database.is_sqlite else there >= here
        same = and_(same, func.coalesce(later, literal(True)))
    newer = or_(f.c.fingerprint_version > s.fingerprint_version, same)
    return exists().where(f.c.track_id == s.track_id, t.c.id == s.track_id, holds_fingerprint(f), newer)


def _insert(
    database: Database,
    connection: Connection,
    table: Table,
    values: Mapping[str, Any],
    where: ColumnElement[bool],
) -> None:
    """Insert staged rows, completed by what the columns of an application require."""
    known = _fitting(database, table, values)
    # What a row of the same columns is completed with is the same for all of them.
    filled = database.new_row(table, dict.fromkeys(known))
    row = {**filled, **known}
    chosen = [one if isinstance(one, ColumnElement) else literal(one) for one in row.values()]
    connection.execute(
        insert(table).from_select(list(row), select(*chosen).select_from(_staged).where(where))
    )


def _update(
    database: Database,
    connection: Connection,
    table: Table,
    values: Mapping[str, Any],
    where: ColumnElement[bool],
) -> None:
    connection.execute(update(table).where(where).values(_fitting(database, table, values)))


def _fitting(database: Database, table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values for which a table has a column, in the form that it takes."""
    plain = database.row(table, {n: v for n, v in values.items() if not isinstance(v, ColumnElement)})
    staged = {n: v for n, v in values.items() if isinstance(v, ColumnElement) and n in table.c}
    return {**staged, **plain}
