"""Conversion of values to and from columns, whatever types these declare.

SQLite stores any value in any column, and applications declare different types. So no value is converted when
it is read: a value of the wrong type counts as absent. When it is written, a value gets the form that the
column takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, time, timezone
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Enum,
    Float,
    Integer,
    Numeric,
    String,
    Table,
    Text,
    bindparam,
    case,
    cast,
    false,
    func,
    null,
    true,
)
from sqlalchemy.types import NULLTYPE, Date, LargeBinary, Time, TypeEngine

from auralis_fp.library.store.filenames import from_column

__all__ = [
    "as_count", "as_epoch", "as_number", "as_path", "as_text", "between", "declared", "fitting", "neutral",
    "optional", "reading", "required", "storable", "untyped",
]  # fmt: skip

_MAX_INTEGER: Final = 2**63 - 1
_TIMES: Final = (datetime, date, time)


def untyped(table: Table) -> Table:
    """Return a table of SQLite with the types removed, so that its columns return what they hold."""
    for column in table.columns:
        if column.primary_key and isinstance(column.type, Integer):
            continue  # SQLAlchemy has to know that the database numbers the rows
        column.info["declared"] = column.type
        column.type = NULLTYPE
    return table


def declared(column: Column[Any]) -> TypeEngine[Any]:
    """Return the type that a column declares."""
    return column.info.get("declared", column.type)  # type: ignore[no-any-return]


def reading(column: Column[Any]) -> ColumnElement[Any]:
    """Return the expression that selects a column, such that no value of it fails to be read."""
    if isinstance(column.type, Integer | Numeric | Float) or column.type is NULLTYPE:
        return column
    return cast(column, Text).label(column.name)  # PostgreSQL: times beyond the calendar, enumerations


def optional(table: Table, name: str) -> ColumnElement[Any]:
    """Return the expression that selects a column, or NULL in its place where the table lacks it."""
    return reading(table.c[name]) if name in table.c else null().label(name)


def required(table: Table) -> list[Column[Any]]:
    """Return the columns that an insert must name."""
    return [
        c
        for c in table.columns
        if not (c.nullable or c.primary_key or c.server_default or c.identity or c.computed)
    ]


def neutral(column: Column[Any], now: datetime) -> Any:
    """Return the neutral value of a required column that only its application knows, or None if it has none.

    That is 0, "", or the present time, by its type. A reference to another table cannot be made up, nor
    can one of the values of an enumeration.
    """
    kind = declared(column)
    if column.foreign_keys or isinstance(kind, Enum):
        return None
    # Float is no Numeric from SQLAlchemy 2.1 on.
    values: tuple[tuple[tuple[type[Any], ...], Any], ...] = (
        ((Boolean,), False),
        ((Integer, Numeric, Float), 0),
        ((String,), ""),
        ((LargeBinary,), b""),
        ((DateTime,), now),
        ((Date,), now.date()),
        ((Time,), now.time()),
    )
    value = next((value for types, value in values if isinstance(kind, types)), None)
    if value is None and column.type is NULLTYPE:  # SQLite takes any word for a type, and any value
        return 0
    return storable(column, value)


def storable(column: Column[Any], value: Any) -> Any:
    """Return a value in the form that a column takes."""
    if isinstance(value, _TIMES):
        # As SQLAlchemy writes them, on SQLite and for applications that keep times in TEXT columns.
        if column.type is NULLTYPE or isinstance(declared(column), String):
            full = {"timespec": "microseconds"} if isinstance(value, datetime | time) else {}
            separator = {"sep": " "} if isinstance(value, datetime) else {}
            return value.isoformat(**separator, **full)
        return value
    return fitting(column, value) if isinstance(value, str) else value


def fitting(column: Column[Any], text: str) -> str:
    """Return a text, cut to the length that a column declares."""
    return text[: getattr(declared(column), "length", None)]


def between(
    column: Column[Any], since: Callable[[], datetime], until: Callable[[], datetime]
) -> ColumnElement[bool]:
    """Return the SQL condition that a column holds a time in a range; false for what is not a time.

    ``since`` and ``until`` are called whenever a statement with this condition is executed.
    """

    def asked(when: Callable[[], datetime]) -> ColumnElement[Any]:
        if column.type is NULLTYPE:
            return func.julianday(bindparam(None, callable_=lambda: _text(when()), type_=String()))
        return bindparam(None, callable_=lambda: storable(column, when()), type_=column.type)

    # julianday() is NULL for what is not a time, and understands "T", "Z" and offsets.
    time_of = func.julianday(column) if column.type is NULLTYPE else column
    return case((time_of.between(asked(since), asked(until)), true()), else_=false()) == true()


def _text(when: datetime) -> str:
    return when.isoformat(sep=" ", timespec="microseconds")


def as_text(value: object) -> str | None:
    """Return a text unchanged, and None for anything else."""
    return value if isinstance(value, str) else None


def as_path(value: object) -> str:
    """Return the path, in Python's form, that a column holds; empty if it holds none."""
    return from_column(value) if isinstance(value, str) else ""


def as_number(value: object) -> float | None:
    """Return a finite number as a float, and None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):  # a signaling NaN
        return None
    return number if math.isfinite(number) else None


def as_count(value: object) -> int | None:
    """Return a whole number that is not negative, and None for anything else."""
    number = as_number(value)
    if number is None or number < 0 or number != int(number):
        return None
    count = int(value)  # type: ignore[call-overload]
    return count if count <= _MAX_INTEGER else None


def as_epoch(value: object) -> float | None:
    """Return a time in UTC, in whatever form a program wrote it, as seconds since the epoch, or None."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip().removesuffix("Z"))
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return as_number(value)
    try:
        return (value if value.tzinfo else value.replace(tzinfo=timezone.utc)).timestamp()
    except (OverflowError, ValueError):
        return None
