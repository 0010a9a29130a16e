"""The errors of the library layer: a database that cannot be used, and a row that it refuses."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, IntegrityError, NotSupportedError, SQLAlchemyError, StatementError

__all__ = ["LibraryError", "RefusedRow", "in_plain_words", "translated"]

_LOCKED = "the database is locked by another program; try again when it is done"
_FULL = "no space is left for the database; nothing stored so far is lost"
_PLAIN_WORDS = (
    ("database is locked", _LOCKED),
    ("lock timeout", _LOCKED),
    ("disk is full", _FULL),
    ("no space left", _FULL),
    ("readonly database", "the database is read-only"),
    ("unable to open database file", "the database cannot be opened: check the folder and its permissions"),
    ("file is not a database", "the file is not a SQLite database"),
    ("malformed", "the database file is damaged; restore it from a backup"),
    ("disk i/o error", "the disk of the database reports an error"),
)

# Classes of SQLSTATE that are about the values of a statement, and not about the database: data
# exceptions, constraints, limits of an index entry, errors that triggers raise, views with a check.
_ABOUT_VALUES = ("22", "23", "44", "54", "P0")
_VALUE_ERRORS = (
    *(DataError, IntegrityError, NotSupportedError),
    *(sqlite3.DataError, sqlite3.IntegrityError, sqlite3.NotSupportedError),
)


class LibraryError(Exception):
    """The database cannot be used as asked; the message is meant for the user."""


class RefusedRow(LibraryError):
    """The database refuses a row because of a value, a constraint or a trigger; others may be fine."""


def in_plain_words(error: BaseException) -> str:
    """Return the complaint of a database driver or of SQLAlchemy in words for the user."""
    text = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
    for fragment, words in _PLAIN_WORDS:
        if fragment in text.lower():
            return words
    return text.splitlines()[0]


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn every error of a driver or of SQLAlchemy into a :class:`LibraryError` that names the database."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        kind = RefusedRow if _is_about_values(error) else LibraryError
        raise kind(f"{name}: {in_plain_words(error)}") from error
    except (OverflowError, UnicodeError) as error:  # of drivers, for what no column can hold
        raise RefusedRow(f"{name}: {error}") from error


def _is_about_values(error: Exception) -> bool:
    sqlstate = getattr(getattr(error, "orig", None), "sqlstate", None)
    if sqlstate:
        return str(sqlstate).startswith(_ABOUT_VALUES)
    # A bare StatementError comes from values that SQLAlchemy could not even pass to the driver.
    return isinstance(error, _VALUE_ERRORS) or type(error) is StatementError
