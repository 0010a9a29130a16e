"""Connections to a database: how they begin, how long they wait for a lock, and a watch over the file."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from auralis_fp.library.errors import LibraryError

__all__ = ["BUSY_TIMEOUT_S", "FileWatch", "LockWait", "begin", "make_engine", "to_url"]

BUSY_TIMEOUT_S: Final = 30.0
"""Seconds in all that a process waits for a database that another program has locked."""

_ATTEMPT_S: Final = 0.1
_FORGOTTEN_S: Final = 5.0


class LockWait:
    """The common wait of all threads of a process for a lock that another program holds.

    On their own, the threads would wait for the full time one after the other, minutes in all.
    """

    def __init__(self, limit_s: float) -> None:
        self.limit_s: Final = limit_s
        self._lock: Final = threading.Lock()
        self._since: float | None = None
        self._last = 0.0

    def blocked(self, already_s: float = 0.0) -> bool:
        """Record an attempt that failed after ``already_s``; return whether it was the last one."""
        now = time.monotonic()
        with self._lock:
            if self._since is None or now - self._last > _FORGOTTEN_S:
                self._since = now - already_s
            self._last = now
            return now - self._since >= self.limit_s

    def succeeded(self) -> None:
        """Record that the lock was free."""
        self._since = None

    @property
    def exhausted(self) -> bool:
        """True if the wait has just ended without success."""
        since, last = self._since, self._last
        return since is not None and last - since >= self.limit_s and time.monotonic() - last < _FORGOTTEN_S


class FileWatch:
    """Notices when the file of a SQLite database is removed or replaced.

    A program that has it open would go on writing into the old file, and might apply its log to the new one.
    """

    def __init__(self) -> None:
        self._path = ""
        self._identity: tuple[int, int] | None = None

    def admit(self, connection: sqlite3.Connection) -> None:
        """Check a connection that has just been made, before it has read anything."""
        if self._identity is None:
            self._path = connection.execute("PRAGMA database_list").fetchone()[2]
            with contextlib.suppress(OSError):  # in memory, say
                info = os.stat(self._path)  # noqa: PTH116
                self._identity = info.st_dev, info.st_ino
        elif (reason := self.reason()) is not None:
            connection.close()
            raise LibraryError(reason)

    def reason(self) -> str | None:
        """Return why the database can no longer be used; None if it can."""
        if self._identity is None:
            return None
        try:
            info = os.stat(self._path)  # noqa: PTH116
        except (FileNotFoundError, NotADirectoryError):
            what = "was removed"
        except OSError as error:
            return f"{self._path}: the database cannot be reached any more: {error.strerror}"
        else:
            if (info.st_dev, info.st_ino) == self._identity:
                return None
            what = "was replaced by another file"
        return f"{self._path}: the database {what} while it was in use; what was stored last is not in it"


def to_url(target: str | os.PathLike[str] | URL) -> URL:
    """Return the URL of a database that is given as a file or a URL."""
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


def make_engine(url: URL, watch: FileWatch, *, lock_timeout_s: float, readonly: bool) -> Engine:
    """Make the engine of a database.

    Parameters
    ----------
    url : URL
        The database.
    watch : FileWatch
        Watches over the file of a SQLite database.
    lock_timeout_s : float
        How long a statement of PostgreSQL waits for a lock.
    readonly : bool
        Open it without the means to change it.
    """
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, watch, readonly=readonly)
    arguments = {}
    if url.get_backend_name() == "postgresql":
        arguments = {"options": f"-c timezone=utc -c lock_timeout={round(1000 * lock_timeout_s)}"}
    try:
        return create_engine(url, pool_size=4, max_overflow=16, pool_pre_ping=True, connect_args=arguments)
    except ImportError as error:
        raise LibraryError(f"the driver of {url.drivername} is not installed: {error}") from error


def _sqlite(url: URL, watch: FileWatch, *, readonly: bool) -> Engine:
    # SQLite itself waits for a moment only: see begin.
    arguments: dict[str, Any] = {"check_same_thread": False, "timeout": _ATTEMPT_S}
    url = url.difference_update_query(["timeout"])
    if url.database in (None, "", ":memory:"):
        engine = create_engine(url, poolclass=StaticPool, connect_args=arguments)
    else:
        file = Path(str(url.database))
        if readonly:
            if not file.exists():
                raise LibraryError(f"{file}: no such database")
            url = url.set(database=f"file:{quote(str(file))}")
            url = url.update_query_dict({"mode": "ro", "uri": "true"})
        elif not file.parent.is_dir():
            raise LibraryError(f"{file}: the folder {file.parent} does not exist")
        # Writers take turns, so few connections serve any number of threads (each may cache 2 MB).
        engine = create_engine(url, pool_size=2, max_overflow=30, pool_use_lifo=True, connect_args=arguments)

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: Any) -> None:
        watch.admit(connection)
        connection.isolation_level = None  # transactions begin in begin(), nowhere else
        connection.text_factory = _text  # text that is not UTF-8 is a fault of its row, not of the statement
        if not readonly:
            # With WAL, NORMAL cannot corrupt and loses nothing to a killed process; a power cut may
            # cost the last few results, which the next scan computes again.
            connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def begin(connection: Connection, wait: LockWait, *, writes: bool) -> None:
    """Begin a transaction of SQLite: for writing, or with all that it will read as it is now.

    Called by whoever connects: as a listener to SQLAlchemy's event it would make every statement slower.
    """
    driver: Any = connection.connection.driver_connection
    while True:
        try:
            # A deferred transaction fails at once if it begins to write while another one writes.
            driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            if not writes:  # from here on it cannot be locked out
                driver.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
            break
        except sqlite3.OperationalError as error:
            with contextlib.suppress(sqlite3.Error):
                driver.execute("ROLLBACK")
            if "locked" not in str(error) or wait.blocked(_ATTEMPT_S):
                raise
    wait.succeeded()
