"""Text that any terminal, log or JSON file takes."""

from __future__ import annotations

import os

__all__ = ["printable"]


def printable(path: str | os.PathLike[str]) -> str:
    """Return a path with everything that cannot be printed escaped."""
    text = os.fspath(path).encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
