"""Opens a music database, new or existing, and provides short transactions on it."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import (
    URL,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Engine,
    Enum,
    Integer,
    MetaData,
    Numeric,
    StaticPool,
    String,
    Table,
    create_engine,
    event,
    func,
    inspect,
    make_url,
    type_coerce,
)
from sqlalchemy.exc import ArgumentError, SAWarning
from sqlalchemy.schema import CreateColumn

from auralis_fp.library.errors import LibraryError, in_plain_words, translated
from auralis_fp.library.store import tables
from auralis_fp.schema import NAMES

__all__ = ["Database", "utc_now"]

_BUSY_TIMEOUT_S: Final = 30.0
_PROCESS_LOCK: Final = 0x61757261  # key of a PostgreSQL advisory lock, "aura"
_CLAIM_COLUMNS: Final = ("fingerprint_status", "fingerprint_started_at")


def utc_now() -> datetime:
    """Return the time in UTC, without a time zone, as the DATETIME columns of both tables hold it."""
    return datetime.now(timezone.utc).replace(tzinfo=None)


class Database:
    """A music database: its engine, its two tables as they really are, and transactions.

    Parameters
    ----------
    target : str, os.PathLike or sqlalchemy.URL
        File of a SQLite database, or any SQLAlchemy URL. SQLite and PostgreSQL are tested.
    readonly : bool
        Open without changing anything; the database must exist.

    Raises
    ------
    LibraryError
        It cannot be opened, or it is some other database.

    Notes
    -----
    A new database gets both tables. An existing one is taken as it is; only what claims need and
    lack is added (``fingerprint_status``, ``fingerprint_started_at``, an index that starts with the
    status, and the table ``track_fingerprints``), in one transaction.
    """

    def __init__(self, target: str | os.PathLike[str] | URL, *, readonly: bool = False) -> None:
        self.url: Final = _url(target)
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
        with translated(self.name):
            self.engine: Final = _engine(self.url, in_memory=in_memory, readonly=readonly)
            try:
                self._prepare()
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

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection with a transaction for reading."""
        with translated(self.name), self._read_lock, self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection with a write transaction: committed at the end, rolled back on any exception."""
        with translated(self.name), self._write_lock, self.engine.connect() as connection:
            connection = connection.execution_options(auralis_fp_write=True)
            with connection.begin():
                yield connection

    def one_at_a_time(self, connection: Connection) -> None:
        """Keep other processes out of such a block until the transaction ends, as SQLite does anyway."""
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_PROCESS_LOCK})")

    def row(self, table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of ``values`` that ``table`` has a column for, in the form that the column takes."""
        return {
            name: self.timestamp(table.c[name], value) if isinstance(value, datetime) else value
            for name, value in values.items()
            if name in table.c
        }

    def new_row(self, table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return :meth:`row`, completed for an insert.

        Applications have required columns whose default only their own code knows. They get the
        neutral value of their type (0, "", now); a reference to another table cannot be made up.
        """
        row = self.row(table, values)
        for column in required_columns(table):
            if column.name not in row:
                row[column.name] = self._neutral(column)
        return row

    def _neutral(self, column: Column[Any]) -> Any:
        if not column.foreign_keys:
            if isinstance(column.type, DateTime):
                return utc_now()
            for kind, value in ((Boolean, False), (Numeric, 0), (Integer, 0), (String, "")):
                if isinstance(column.type, kind) and not isinstance(column.type, Enum):
                    return value
        raise LibraryError(
            f"{self.name}: cannot add to table {column.table.name!r}: "
            f"its column {column.name!r} is required and has no default"
        )

    def timestamp(self, column: Column[Any], when: datetime) -> datetime | str:
        """Return ``when`` in the form that ``column`` takes: some applications keep times in TEXT columns."""
        return when if isinstance(column.type, DateTime) else when.isoformat(sep=" ")

    def before(self, column: Column[Any], when: datetime) -> ColumnElement[bool]:
        """Return the SQL condition that ``column`` holds a time before ``when``."""
        if self.is_sqlite:  # compares text, and some applications write a "T" between date and time
            text = func.replace(type_coerce(column, String), "T", " ")
            return text < when.isoformat(sep=" ", timespec="microseconds")
        return column < self.timestamp(column, when)

    def _prepare(self) -> None:
        existing = set(inspect(self.engine).get_table_names())
        if self.readonly:
            if not existing.issuperset(("tracks", "track_fingerprints")):
                raise LibraryError(f"{self.name}: this database holds no music library")
            return
        if self.is_sqlite:
            if existing and "tracks" not in existing:
                raise LibraryError(f"{self.name}: this database belongs to something else: no table 'tracks'")
            self._use_wal()
        if self._needs_change(existing):
            self._add_what_is_missing()

    def _use_wal(self) -> None:
        # The switch does not go through SQLite's busy handler, hence the loop.
        deadline = time.monotonic() + float(str(self.url.query.get("timeout", _BUSY_TIMEOUT_S)))
        while True:
            try:
                with self.engine.connect() as connection:
                    driver = connection.connection.driver_connection
                    assert driver is not None
                    driver.execute("PRAGMA journal_mode=WAL").fetchone()
                return
            except Exception as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise LibraryError(f"{self.name}: {in_plain_words(error)}") from error
                time.sleep(0.05)

    def _needs_change(self, existing: set[str]) -> bool:
        if "tracks" not in existing or "track_fingerprints" not in existing:
            return True
        inspector = inspect(self.engine)
        columns = {column["name"] for column in inspector.get_columns("tracks")}
        indexes = inspector.get_indexes("tracks")
        return not columns.issuperset(_CLAIM_COLUMNS) or not any(
            index["column_names"][:1] == ["fingerprint_status"] for index in indexes
        )

    def _add_what_is_missing(self) -> None:
        with self.write() as connection:
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
                index["column_names"][:1] == ["fingerprint_status"]
                for index in inspector.get_indexes("tracks")
            ):
                tables.CLAIM_INDEX.create(connection, checkfirst=True)

    def _add_column(self, connection: Connection, table: str, column: Column[Any]) -> None:
        definition = CreateColumn(column).compile(dialect=connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {definition}")

    def _needed_columns(self) -> set[str]:
        return {"id", "title", "filepath", *(() if self.readonly else _CLAIM_COLUMNS)}

    def _reflected(self, name: str, needed: set[str]) -> Table:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # types that only the application knows
            table = Table(name, MetaData(), autoload_with=self.engine, resolve_fks=False)
        lacking = sorted(needed - set(table.c.keys()))
        if lacking:
            raise LibraryError(f"{self.name}: table {name!r} lacks {', '.join(lacking)}")
        return table


def required_columns(table: Table) -> list[Column[Any]]:
    """Return the columns that an insert must name."""
    return [
        c
        for c in table.columns
        if not (c.nullable or c.primary_key or c.server_default or c.identity or c.computed)
    ]


def _url(target: str | os.PathLike[str] | URL) -> URL:
    if isinstance(target, URL):
        return target
    text = os.fspath(target)
    if "://" not in text:
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
        url.get_dialect()
    except (ArgumentError, ImportError) as error:
        raise LibraryError(f"{text}: not a database URL: {error}") from error
    # The plain name would ask for psycopg2, which this package does not use.
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def _engine(url: URL, *, in_memory: bool, readonly: bool) -> Engine:
    if url.get_backend_name() != "sqlite":
        utc = {"options": "-c timezone=utc"} if url.get_backend_name() == "postgresql" else {}
        try:
            return create_engine(url, pool_size=4, max_overflow=16, pool_pre_ping=True, connect_args=utc)
        except ImportError as error:
            raise LibraryError(f"the driver of {url.drivername} is not installed: {error}") from error
    arguments: dict[str, Any] = {"check_same_thread": False}
    if "timeout" not in url.query:
        arguments["timeout"] = _BUSY_TIMEOUT_S
    if in_memory:
        engine = create_engine(url, poolclass=StaticPool, connect_args=arguments)
    else:
        file = Path(str(url.database))
        if readonly:
            if not file.exists():
                raise LibraryError(f"{file}: no such database")
            url = url.set(database=f"file:{quote(str(file))}").update_query_dict(
                {"mode": "ro", "uri": "true"}
            )
        elif not file.parent.is_dir():
            raise LibraryError(f"{file}: the folder {file.parent} does not exist")
        # Writers take turns, so few connections serve any number of threads (each may cache 2 MB).
        engine = create_engine(url, pool_size=2, max_overflow=30, pool_use_lifo=True, connect_args=arguments)

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where _begin says, nowhere else
        if not readonly:
            # With WAL, NORMAL cannot corrupt and loses nothing to a killed process; a power cut may
            # cost the last few results, which the next scan computes again.
            connection.execute("PRAGMA synchronous=NORMAL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("auralis_fp_write", False)
        # A deferred transaction that turns to writing fails at once where another one writes.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine
