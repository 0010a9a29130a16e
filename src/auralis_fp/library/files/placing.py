"""Places a file in a folder in one step, and only in the folder that was meant.

Everything here names files relative to an open folder: what was checked about the folder stays true for
what is written into it, even if its name comes to mean another folder.
"""

# Paths are strings here: they come from and go to the database, 54 000 at a time.
# ruff: noqa: PTH108, PTH112, PTH115, PTH118

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from typing import Final

__all__ = ["open_folder", "place", "real_path", "remove_orphans"]

# A temporary file is locked by its writer for as long as it lives, so one that can be locked is an orphan.
_TEMPORARY: Final = ".{}.25d.auralis-fp-tmp"
_ORPHAN: Final = re.compile(r"\.[0-9a-f]{16}\.25d\.auralis-fp-tmp")


@contextlib.contextmanager
def open_folder(path: str) -> Iterator[int]:
    """Open a folder and yield its descriptor, relative to which files can be named."""
    descriptor = os.open(path or ".", getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def real_path(folder: int, path: str) -> str:
    """Return where an open folder really is; ``path`` is the name it was opened by."""
    try:
        return os.readlink(f"/proc/self/fd/{folder}")
    except OSError:  # not Linux
        return os.path.realpath(path)


def place(folder: int, name: str, data: bytes, *, mode: int, replace: bool) -> None:
    """Place a file in an open folder: whole, or not at all.

    Parameters
    ----------
    folder : int
        Descriptor of the folder.
    name : str
        Name of the file.
    data : bytes
        Its content.
    mode : int
        Its permissions, from which the process's umask is taken.
    replace : bool
        Whether there is a file of that name, to be replaced.
    """
    temporary = _TEMPORARY.format(secrets.token_hex(8))
    descriptor, named = _open_temporary(folder, temporary, mode)
    try:
        with contextlib.suppress(OSError):  # some network file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
        if not named:
            # A nameless file takes its final name in one step, if that is free: a process killed
            # at any moment leaves nothing behind.
            if not replace:
                _link(descriptor, folder, name)
                return
            _link(descriptor, folder, temporary)
            named = True
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        named = False
    finally:
        if named:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
        os.close(descriptor)


def remove_orphans(folder: str, names: Sequence[str]) -> int:
    """Remove temporary files whose writer was killed from the ``names`` in ``folder``; return how many."""
    removed = 0
    for name in names:
        if not _ORPHAN.fullmatch(name):
            continue
        path = os.path.join(folder, name)
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(path)
                removed += 1
            finally:
                os.close(descriptor)
    return removed


def _open_temporary(folder: int, temporary: str, mode: int) -> tuple[int, bool]:
    """Open a file for writing: nameless where the system supports that, else under ``temporary``."""
    if hasattr(os, "O_TMPFILE") and os.path.isdir("/proc/self/fd"):
        try:
            return os.open(".", os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, mode, dir_fd=folder), False
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
                raise
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    return os.open(temporary, flags, mode, dir_fd=folder), True


def _link(descriptor: int, folder: int, name: str) -> None:
    # With a descriptor of a folder Python calls linkat(2), which follows the link, and not link(2).
    os.link(f"/proc/self/fd/{descriptor}", name, dst_dir_fd=folder, follow_symlinks=True)
