"""Files on local disks and in object stores, by their URIs, and how they are read.

Everything remote goes through :mod:`pyarrow.fs`, with the credentials that it finds by itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import random
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar
from urllib.parse import quote, unquote_to_bytes

import pyarrow as pa
from pyarrow import fs

from auralis_fp.errors import AnalysisError, FileNotFound, ResourceLimit, Unreadable, Unsupported

__all__ = [
    "ARROW_ERRORS", "SCHEMES", "WHOLE_BYTES", "Location", "StorageError", "locate", "patiently", "read_error",
    "spooled", "to_uri",
]  # fmt: skip

SCHEMES: Final = ("s3", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs")
"""Schemes of the URIs that are read and written, besides ``file`` and plain paths."""

WHOLE_BYTES: Final = 64 << 20
"""Size up to which an object is read into memory as a whole."""

_SPOOLS: Final = 4  # temporary files on a machine, whatever the number of processes
_PIECE: Final = 8 << 20
_ATTEMPTS: Final = 5  # beside those that the client of the object store makes itself
_HOPELESS: Final = re.compile(
    r"ACCESS_DENIED|NO_SUCH_BUCKET|NO_SUCH_KEY|INVALID_ACCESS_KEY_ID|SIGNATURE_DOES_NOT_MATCH|EXPIRED_TOKEN|"
    r"(?i:access denied|forbidden|unauthori[sz]ed|permission denied|no credentials)"
)

_T = TypeVar("_T")


class StorageError(Exception):
    """Files cannot be listed, read or written, whichever they are; the message is meant for the user."""


@dataclass(frozen=True)
class Location:
    """A file or folder.

    Attributes
    ----------
    path : str
        On this machine, a path in Python's form; otherwise one that ``filesystem`` understands.
    filesystem : pyarrow.fs.FileSystem or None
        Where it is; None for this machine.
    """

    path: str
    filesystem: Any = None


def to_uri(path: str) -> str:
    """Return the URI of a path on this machine: the path itself, unless its bytes are no UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return "file://" + quote(os.fsencode(path))
    return path


def locate(uri: str) -> Location:
    """Return what a URI names.

    Names of objects are taken as they are: ``?``, ``#`` and ``%`` are part of them. So a URI, which may come
    from anywhere, can neither name another server than the user's settings do, nor bring credentials.

    Raises
    ------
    Unsupported
        The scheme is none of :data:`SCHEMES`, or the URI holds credentials.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator or "/" in scheme:
        return Location(uri)
    scheme = scheme.lower()
    authority, _slash, key = rest.partition("/")
    if scheme == "file":
        if authority not in ("", "localhost"):
            raise _refused(uri, f"a file on another machine, {authority}")
        return Location(os.fsdecode(unquote_to_bytes(f"/{key}")))
    if scheme not in SCHEMES:
        known = ", ".join(SCHEMES)
        raise _refused(uri, f"{scheme} is not read; only files on this machine, and {known}")
    if "?" in authority or "#" in authority or ("@" in authority and not scheme.startswith("abfs")):
        raise _refused(uri, "a URI may hold neither credentials nor settings; give them by the environment")
    try:
        filesystem, base = _filesystem(scheme, authority)
    except (OSError, ValueError, NotImplementedError) as error:
        raise Unreadable(first_line(error), stage="open", path=uri) from error
    return Location(f"{base.rstrip('/')}/{key}" if key else base, filesystem)


@functools.lru_cache(maxsize=64)
def _filesystem(scheme: str, authority: str) -> tuple[Any, str]:
    """Return the file system of a bucket, container or name node, and its path there."""
    filesystem, base = fs.FileSystem.from_uri(f"{scheme}://{authority}")
    return filesystem, base


def _refused(uri: str, why: str) -> AnalysisError:
    return Unsupported(why, stage="open", path=uri)


def patiently(call: Callable[[], _T]) -> _T:
    """Return the result of a call to a file system, which is tried again while an error may pass."""
    for attempt in range(_ATTEMPTS - 1):
        try:
            return call()
        except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError):
            raise
        except OSError as error:
            if _HOPELESS.search(str(error)):
                raise
        time.sleep(min(0.1 * 2**attempt, 3.0) * random.uniform(0.5, 1.5))
    return call()


def read_error(uri: str, error: Exception) -> AnalysisError:
    """Return the error of an analysis whose file could not be read."""
    if isinstance(error, FileNotFoundError):
        return FileNotFound("no such object", stage="open", path=uri)
    if isinstance(error, MemoryError):
        return ResourceLimit("out of memory", stage="open", path=uri)
    return Unreadable(first_line(error), stage="open", path=uri)


def first_line(error: Exception) -> str:
    """Return the first line of what an error says."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return text.strip().splitlines()[0]


@contextlib.contextmanager
def spooled(file: Any, size: int, uri: str) -> Iterator[str]:
    """Yield the path of a temporary file with the content of an open one.

    All processes of this user share the same few temporary files, and wait for one that is free: that bounds
    what they take, and a process that is killed leaves nothing that the next one does not overwrite.

    Raises
    ------
    ResourceLimit
        There is no room for it.
    """
    with _free_spool() as spool:
        free = shutil.disk_usage(spool.name).free
        if free < size:
            raise ResourceLimit(
                f"no room for {size} bytes in {tempfile.gettempdir()}, where {free} are free",
                stage="open",
                path=uri,
            )
        place = 0
        while place < size:
            piece = patiently(functools.partial(file.read_at, min(_PIECE, size - place), place))
            if not len(piece):
                break
            spool.write(piece)
            place += len(piece)
        spool.flush()
        yield spool.name


@contextlib.contextmanager
def _free_spool() -> Iterator[BinaryIO]:
    folder = Path(tempfile.gettempdir()) / f"auralis-fp-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.lstat().st_uid != os.getuid() or folder.is_symlink():
        raise PermissionError(f"{folder} belongs to somebody else")
    while True:
        for number in range(_SPOOLS):
            with (folder / f"spool-{number}").open("ab") as spool:
                try:
                    fcntl.flock(spool, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
                try:
                    spool.truncate(0)
                    yield spool
                finally:
                    spool.truncate(0)
                return
        time.sleep(0.05)


ARROW_ERRORS: Final = (OSError, pa.ArrowException)
"""What pyarrow raises when it reads or writes."""
