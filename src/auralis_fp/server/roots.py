"""Opens files inside some folders, and nowhere else."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from auralis_fp.errors import FileNotFound, Unreadable

__all__ = ["Outside", "Roots", "descriptor_path"]


class Outside(Exception):
    """A path does not lead to a place inside the roots, whether there is a file or not."""


class Roots:
    """The folders whose files may be analysed.

    Parameters
    ----------
    folders : sequence of path-like
        Existing folders; links among them are resolved once, here.

    Raises
    ------
    ValueError
        If there is no folder.
    NotADirectoryError
        If one of them is not a folder.
    """

    def __init__(self, folders: Sequence[str | os.PathLike[str]]) -> None:
        if not folders:
            raise ValueError("at least one root folder is needed")
        self._roots: Final = tuple(os.path.realpath(folder) for folder in folders)
        for root, folder in zip(self._roots, folders, strict=True):
            if not os.path.isdir(root):  # noqa: PTH112
                raise NotADirectoryError(errno.ENOTDIR, "no such folder", os.fspath(folder))

    @contextmanager
    def open(self, path: str) -> Iterator[int]:
        """Yield a descriptor of the regular file at ``path``, links resolved.

        A link may be exchanged after the path was checked and before the file is opened. So the location of
        the opened file itself is checked last.

        Raises
        ------
        Outside
            The path is relative or impossible, or leads out of the roots.
        FileNotFound, Unreadable
            As :func:`auralis_fp.analyze` does.
        """
        try:
            real = os.path.realpath(path) if os.path.isabs(path) else ""  # noqa: PTH117
        except (OSError, ValueError):  # a loop of links, a NUL byte, a name no file can have
            real = ""
        if not self._holds(real):
            raise Outside
        try:
            # O_NONBLOCK: opening a pipe must not wait for its other end.
            descriptor = os.open(
                real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
            )
        except (FileNotFoundError, NotADirectoryError):
            raise FileNotFound("no such file", stage="open", path=path) from None
        except (OSError, ValueError) as error:
            cause = getattr(error, "strerror", None) or str(error)
            raise Unreadable(cause, stage="open", path=path) from error
        try:
            if not self._holds(_place_of(descriptor)):
                raise Outside
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Unreadable("not a regular file", stage="open", path=path)
            yield descriptor
        finally:
            os.close(descriptor)

    def _holds(self, real: str) -> bool:
        return any(real.startswith(root.rstrip("/") + "/") for root in self._roots)


def descriptor_path(descriptor: int) -> str:
    """Return a path that opens the file behind a descriptor, even if its own path leads elsewhere by now."""
    return f"/proc/self/fd/{descriptor}" if sys.platform == "linux" else f"/dev/fd/{descriptor}"


def _place_of(descriptor: int) -> str:
    """Return the location of an open file."""
    if sys.platform == "linux":
        return os.readlink(descriptor_path(descriptor))  # noqa: PTH115
    import fcntl

    get_path = getattr(fcntl, "F_GETPATH", None)
    if get_path is None:
        raise Outside  # no means to tell on this system
    return os.fsdecode(fcntl.fcntl(descriptor, get_path, bytes(1024)).rstrip(b"\0"))
