"""The one error of the library layer: a database or a folder that cannot be worked with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

__all__ = ["LibraryError", "in_plain_words", "translated"]

_PLAIN_WORDS = (
    ("database is locked", "the database is locked by another program; try again when it is done"),
    ("disk is full", "no space is left for the database; nothing stored so far is lost"),
    ("no space left", "no space is left for the database; nothing stored so far is lost"),
    ("readonly database", "the database is read-only"),
    ("unable to open database file", "the database cannot be opened: check the folder and its permissions"),
    ("file is not a database", "the file is not a SQLite database"),
    ("malformed", "the database file is damaged; restore it from a backup"),
)


class LibraryError(Exception):
    """The database cannot be used as asked; the message is meant for the user."""


def in_plain_words(error: Exception) -> str:
    """Return what a database driver or SQLAlchemy complains about, in words for the user."""
    text = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
    for fragment, words in _PLAIN_WORDS:
        if fragment in text.lower():
            return words
    return text.splitlines()[0]


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn every SQLAlchemy error inside into a :class:`LibraryError` that names the database."""
    try:
        yield
    except SQLAlchemyError as error:
        raise LibraryError(f"{name}: {in_plain_words(error)}") from error
