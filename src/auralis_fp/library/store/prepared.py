"""Statements that are executed for every track, compiled once.

SQLAlchemy takes several times as long to execute a statement as SQLite itself; elsewhere the network does.
"""

from __future__ import annotations

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, CursorResult, Insert, Select, Update

__all__ = ["Prepared"]

_Statement: TypeAlias = "Select[Any] | Insert | Update"

_NO_PARAMETERS: Final[Mapping[str, Any]] = {}


class Prepared:
    """A statement for one database, executed on any of its connections.

    Parameters
    ----------
    statement : Select, Insert or Update
        The statement. On SQLite its columns have no types (see :func:`.columns.untyped`), so that values pass
        as they are. Beside a list, as of IN, SQLAlchemy compiles parameters only if they have a default.
    """

    def __init__(self, statement: _Statement) -> None:
        self._statement: Final = statement
        # By the names of the parameters, of which an insert or update takes its columns.
        self._compiled: Final[dict[tuple[str, ...], _Compiled]] = {}
        if isinstance(statement, Select):
            names = [column.name for column in statement.selected_columns]
            row: Any = namedtuple("Row", names)  # type: ignore[misc]
            self._row: Callable[[Any], Any] = row._make

    def rows(self, connection: Connection, parameters: Mapping[str, Any] = _NO_PARAMETERS) -> list[Any]:
        """Return the rows that a SELECT finds."""
        return list(map(self._row, self._executed(connection, parameters)))

    def first(self, connection: Connection, parameters: Mapping[str, Any] = _NO_PARAMETERS) -> Any:
        """Return the first row that a SELECT finds; None if there is none."""
        return next(iter(self.rows(connection, parameters)), None)

    def execute(self, connection: Connection, parameters: Mapping[str, Any]) -> int:
        """Execute any other statement; return how many rows it has added or changed."""
        return self._executed(connection, parameters).rowcount

    def _executed(
        self, connection: Connection, parameters: Mapping[str, Any]
    ) -> sqlite3.Cursor | CursorResult[Any]:
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, parameters)
        names = tuple(parameters)
        compiled = self._compiled.get(names)
        if compiled is None:
            compiled = self._compiled[names] = _Compiled(self._statement, connection, names)
        driver: Any = connection.connection.driver_connection
        cursor: sqlite3.Cursor = driver.execute(compiled.text, compiled.arranged(parameters))
        return cursor


class _Compiled:
    """A statement for certain parameters, as SQLite's driver takes it."""

    def __init__(self, statement: _Statement, connection: Connection, names: tuple[str, ...]) -> None:
        options = {"render_postcompile": True}  # lists of IN
        compiled: Any = statement.compile(
            dialect=connection.dialect, column_keys=list(names), compile_kwargs=options
        )
        self.text: Final = str(compiled)
        self._places: Final[list[str]] = compiled.positiontup
        # Values of the statement's own, and those that it asks for whenever it is executed.
        self._own: Final[dict[str, Any]] = {n: v for n, v in compiled.params.items() if n not in names}
        self._asked: Final = {name: bind.callable for name, bind in compiled.binds.items() if bind.callable}

    def arranged(self, parameters: Mapping[str, Any]) -> list[Any]:
        """Return the values in the order of the statement."""
        values = {**self._own, **parameters}
        for name, ask in self._asked.items():
            values[name] = ask()
        return [values[name] for name in self._places]
