"""File names in a TEXT column.

File names on POSIX are bytes; databases hold Unicode. A name that is valid UTF-8 is stored as it is, as
existing applications do. Any other name is stored as the ``file:`` URI of its bytes, which is plain
ASCII, standard, and cannot be mistaken for an absolute path.
"""

from __future__ import annotations

import os
from urllib.parse import quote, unquote_to_bytes

__all__ = ["from_column", "to_column"]

_SCHEME = "file://"


def to_column(path: str) -> str:
    """Return the text to store for a path in Python's form (undecodable bytes as lone surrogates)."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return _SCHEME + quote(os.fsencode(path))
    return path


def from_column(text: str) -> str:
    """Return the path, in Python's form, that a stored text stands for."""
    return os.fsdecode(unquote_to_bytes(text[len(_SCHEME) :])) if text.startswith(_SCHEME + "/") else text
