"""Opens a music database, new or existing, and provides short transactions on it."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timezone
from typing import Any, Final, TypeVar

from sqlalchemy import (
    URL,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Engine,
    MetaData,
    Table,
    func,
    inspect,
    select,
)
from sqlalchemy.exc import NoSuchTableError, OperationalError, SAWarning
from sqlalchemy.schema import CreateColumn

from auralis_fp.library.errors import LibraryError, RefusedRow, in_plain_words, translated
from auralis_fp.library.store import tables
from auralis_fp.library.store.columns import as_number, neutral, reading, required, storable, untyped
from auralis_fp.library.store.engine import BUSY_TIMEOUT_S, FileWatch, LockWait, begin, make_engine, to_url
from auralis_fp.schema import NAMES

__all__ = ["Database", "utc_now"]

_T = TypeVar("_T")

_PROCESS_LOCK: Final = 0x61757261  # key of a PostgreSQL advisory lock, "aura"
_CLAIM_COLUMNS: Final = ("fingerprint_status", "fingerprint_started_at")
_VICTIM: Final = ("40001", "40P01")  # SQLSTATE of transactions that the database aborted to end a deadlock
_LOCK_TIMEOUT: Final = "55P03"
_ATTEMPTS: Final = 10
_LATER_SCHEMA: Final = 10


def utc_now() -> datetime:
    """Return the time in UTC, without a time zone, as the DATETIME columns of both tables hold it."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


class Database:
    """A music database: its engine, its two tables as they really are, and transactions.

    Only :meth:`read` and :meth:`write` have transactions on SQLite; connections of the engine have none.

    Parameters
    ----------
    target : str, os.PathLike or sqlalchemy.URL
        File of a SQLite database, or any SQLAlchemy URL. SQLite and PostgreSQL are tested. ``?timeout=`` in
        the URL of a SQLite database sets the seconds to wait for a lock, 30 by default.
    readonly : bool
        Open without changing anything; the database must exist.
    create : bool
        False raises an error unless there is a music library already.

    Raises
    ------
    LibraryError
        The database cannot be opened, is not a music library, or belongs to a later version of the
        application, which takes rows of this package for its own: see ``docs/migration.md``.

    Notes
    -----
    A new database gets both tables. An existing one is used as it is; only what claims need is added if it
    is missing (``fingerprint_status``, ``fingerprint_started_at``, an index that starts with the
    status, and the table ``track_fingerprints``), in one transaction.
    """

    def __init__(
        self, target: str | os.PathLike[str] | URL, *, readonly: bool = False, create: bool = True
    ) -> None:
        self.url: Final = to_url(target)
        self.readonly: Final = readonly
        self.is_sqlite: Final = self.url.get_backend_name() == "sqlite"
        self.name: Final = (
            self.url.database or "(in memory)"
            if self.is_sqlite
            else self.url.render_as_string(hide_password=True)
        )
        in_memory = self.is_sqlite and self.url.database in (None, "", ":memory:")
        # SQLite has one writer at a time anyway. Queueing for it here, instead of in SQLite's busy
        # handler, is fair and spares the sleeps.
        self._write_lock: AbstractContextManager[Any] = threading.RLock() if self.is_sqlite else nullcontext()
        self._read_lock: AbstractContextManager[Any] = self._write_lock if in_memory else nullcontext()
        self._waits: Final = {writes: LockWait(_busy_timeout_s(self.url)) for writes in (False, True)}
        self._watch: Final = FileWatch()
        self._running: Final[dict[object, float]] = {}
        self._others: Final[dict[str, Table | None]] = {}
        # A plain dict is quicker to ask.
        self._columns: Final[dict[Table, dict[str, Column[Any]]]] = {}
        self._required: Final[dict[Table, list[Column[Any]]]] = {}
        must_exist = self.is_sqlite and not create and not in_memory
        with translated(self.name):
            self.engine: Final[Engine] = make_engine(
                self.url, self._watch, lock_timeout_s=self._waits[True].limit_s, readonly=readonly
            )
            try:
                if must_exist and not os.path.exists(str(self.url.database)):  # noqa: PTH110
                    raise LibraryError(f"{self.name}: no such database")
                self._prepare(create=create)
                self.tracks: Final = self._reflected("tracks", self._needed_columns())
                self.fingerprints: Final = self._reflected(
                    "track_fingerprints", {"id", "track_id", "fingerprint_version", *NAMES}
                )
            except BaseException:
                self.engine.dispose()
                raise

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def other_table(self, name: str) -> Table | None:
        """Return a table of the application, to be read only; None if there is none of this name."""
        if name not in self._others:
            try:
                with translated(self.name):
                    self._others[name] = self._reflected(name, set())
            except LibraryError as error:
                if not isinstance(error.__cause__, NoSuchTableError):
                    raise
                self._others[name] = None
        return self._others[name]

    @property
    def waiting_s(self) -> float:
        """Seconds for which the oldest operation has been running: more than a moment means a lock."""
        oldest = min(list(self._running.values()), default=None)
        return 0.0 if oldest is None else time.monotonic() - oldest

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection with a transaction for reading."""
        with self._timed(), translated(self.name), self._read_lock:
            self._check_presence()
            with self.engine.connect() as connection:
                if self.is_sqlite:
                    begin(connection, self._waits[False], writes=False)
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection with a write transaction: committed at the end, rolled back on any exception."""
        with self._timed(), translated(self.name), self._write_lock:
            self._check_presence()
            try:
                with self.engine.begin() as connection:
                    if self.is_sqlite:
                        begin(connection, self._waits[True], writes=True)
                    elif self._waits[True].exhausted and self.engine.dialect.name == "postgresql":
                        connection.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
                    yield connection
            except OperationalError as error:
                if _sqlstate(error) == _LOCK_TIMEOUT:
                    self._waits[True].blocked(self._waits[True].limit_s)
                raise
            # Only now it is certain that what was stored can be found again.
            self._check_presence()

    def run(self, work: Callable[[Connection], _T]) -> _T:
        """Return the result of ``work`` in a write transaction; begin anew if a deadlock has aborted it."""
        for _attempt in range(_ATTEMPTS - 1):
            try:
                with self.write() as connection:
                    return work(connection)
            except LibraryError as error:
                if _sqlstate(error.__cause__) not in _VICTIM:
                    raise
        with self.write() as connection:
            return work(connection)

    def run_each(
        self, change: Callable[[Connection, _T], None], items: Sequence[_T]
    ) -> list[tuple[_T, RefusedRow]]:
        """Apply a change to every item, in one transaction if possible; return those refused."""

        def all_of_them(connection: Connection) -> None:
            for item in items:
                change(connection, item)

        try:
            self.run(all_of_them)
        except RefusedRow as refusal:
            if len(items) == 1:
                return [(items[0], refusal)]
            return [pair for item in items for pair in self.run_each(change, [item])]
        return []

    def one_at_a_time(self, connection: Connection) -> None:
        """Keep other processes out of such a block until the transaction ends, as SQLite does anyway."""
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_PROCESS_LOCK})")

    def row(self, table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the ``values`` for which ``table`` has a column, in the form that the column takes."""
        columns = self._columns.get(table)
        if columns is None:
            columns = self._columns[table] = dict(table.c.items())
        return {
            name: value if isinstance(value, float) else storable(columns[name], value)
            for name, value in values.items()
            if name in columns
        }

    def new_row(self, table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return :meth:`row`, completed for an insert.

        Applications have required columns whose defaults only their own code knows. These get the neutral
        value of their type (0, "", now); a reference to another table cannot be made up.
        """
        row = self.row(table, values)
        if table not in self._required:
            self._required[table] = required(table)
        for column in self._required[table]:
            if column.name not in row:
                row[column.name] = value = neutral(column, utc_now())
                if value is None:
                    raise LibraryError(
                        f"{self.name}: cannot add to table {table.name!r}: "
                        f"its column {column.name!r} is required and has no default"
                    )
        return row

    def epoch(self, column: Column[Any]) -> ColumnElement[Any]:
        """Return the expression to select of a column of times, for :func:`.columns.as_epoch`."""
        if self.engine.dialect.name == "postgresql" and isinstance(column.type, DateTime):
            return func.extract("epoch", column).label(column.name)
        return reading(column)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        operation = object()
        self._running[operation] = time.monotonic()
        try:
            yield
        finally:
            del self._running[operation]

    def _check_presence(self) -> None:
        reason = self._watch.reason()
        if reason is None:
            return
        # Move the log into the file that it belongs to, wherever that is now; otherwise it would be applied
        # to the file that has taken its place.
        with contextlib.suppress(Exception), self._write_lock, self.engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        raise LibraryError(reason)

    def _prepare(self, *, create: bool) -> None:
        with self.read() as connection:
            existing = set(inspect(connection).get_table_names())
        if self.readonly or not create:
            if not existing.issuperset(("tracks", "track_fingerprints") if self.readonly else ("tracks",)):
                raise LibraryError(f"{self.name}: this database holds no music library")
            if self.readonly:
                return
        if existing and "tracks" not in existing and self.is_sqlite:
            raise LibraryError(f"{self.name}: this database belongs to something else: no table 'tracks'")
        self._refuse_later_application(existing)
        if self.is_sqlite:
            self._use_wal()
        if self._needs_change(existing):
            self.run(self._add_what_is_missing)

    def _refuse_later_application(self, existing: set[str]) -> None:
        """Refuse a database whose application takes every version from 8 on for its own."""
        if "tracks" not in existing:
            return
        with self.read() as connection:
            columns = {column["name"] for column in inspect(connection).get_columns("tracks")}
        signs = ["tracks.filepath_key"] if "filepath_key" in columns else []
        if "schema_version" in existing:
            table = self._reflected("schema_version", set())
            if "version" in table.c:
                with self.read() as connection:
                    query = select(reading(table.c.version))
                    versions = [as_number(value) or 0 for value in connection.execute(query).scalars()]
                newest = max(versions, default=0)
                if newest >= _LATER_SCHEMA:
                    signs.append(f"schema version {newest:g}")
        if signs:
            raise LibraryError(
                f"{self.name}: this database belongs to a later version of its application "
                f"({', '.join(signs)}), which takes fingerprints of this package for its own; "
                "keep them in a database of their own (docs/migration.md)"
            )

    def _use_wal(self) -> None:
        # The switch does not go through SQLite's busy handler, hence the loop.
        while True:
            try:
                with self.engine.connect() as connection:
                    driver = connection.connection.driver_connection
                    assert driver is not None
                    driver.execute("PRAGMA journal_mode=WAL").fetchone()
                self._waits[True].succeeded()
                return
            except LibraryError:
                raise
            except Exception as error:
                if "locked" not in str(error) or self._waits[True].blocked():
                    raise LibraryError(f"{self.name}: {in_plain_words(error)}") from error
                time.sleep(0.05)

    def _needs_change(self, existing: set[str]) -> bool:
        if "tracks" not in existing or "track_fingerprints" not in existing:
            return True
        with self.read() as connection:
            inspector = inspect(connection)
            columns = {column["name"] for column in inspector.get_columns("tracks")}
            indexes = inspector.get_indexes("tracks")
        return not columns.issuperset(_CLAIM_COLUMNS) or not any(
            index["column_names"][:1] == ["fingerprint_status"] for index in indexes
        )

    def _add_what_is_missing(self, connection: Connection) -> None:
        self.one_at_a_time(connection)
        inspector = inspect(connection)  # again, inside: another process may just have done it
        if "tracks" not in inspector.get_table_names():
            tables.metadata.create_all(connection)
            self._add_column(connection, tables.fingerprints.name, tables.BUILD)
            return
        tables.fingerprints.create(connection, checkfirst=True)
        present = {column["name"] for column in inspector.get_columns("tracks")}
        for name in _CLAIM_COLUMNS:
            if name not in present:
                self._add_column(connection, "tracks", tables.tracks.c[name])
        if not any(
            index["column_names"][:1] == ["fingerprint_status"] for index in inspector.get_indexes("tracks")
        ):
            tables.CLAIM_INDEX.create(connection, checkfirst=True)

    def _add_column(self, connection: Connection, table: str, column: Column[Any]) -> None:
        definition = CreateColumn(column).compile(dialect=connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {definition}")

    def _needed_columns(self) -> set[str]:
        return {"id", "title", "filepath", *(() if self.readonly else _CLAIM_COLUMNS)}

    def _reflected(self, name: str, needed: set[str]) -> Table:
        with warnings.catch_warnings(), self.read() as connection:
            warnings.simplefilter("ignore", SAWarning)  # types that only the application knows
            table = Table(name, MetaData(), autoload_with=connection, resolve_fks=False)
        lacking = sorted(needed - set(table.c.keys()))
        if lacking:
            raise LibraryError(f"{self.name}: table {name!r} lacks {', '.join(lacking)}")
        return untyped(table) if self.is_sqlite else table


def _busy_timeout_s(url: URL) -> float:
    try:
        return float(str(url.query["timeout"])) if url.get_backend_name() == "sqlite" else BUSY_TIMEOUT_S
    except (KeyError, ValueError):
        return BUSY_TIMEOUT_S


def _sqlstate(error: BaseException | None) -> str | None:
    return getattr(getattr(error, "orig", None), "sqlstate", None)
