"""The ``.25d`` file beside a song: its fingerprint, so that no analysis is needed to get it back.

A sidecar is a cache and comes from anywhere. Reading one never raises: whatever is not exactly what
it should be is a miss. Writing one never puts anything else at risk: it replaces the old file in one
step, keeps what others stored in it, and a full disk or a read-only folder costs the cache alone.
"""

# Paths are strings here: they come from and go to the database, 54 000 at a time.
# ruff: noqa: PTH105, PTH108, PTH112, PTH114, PTH116, PTH118, PTH119, PTH120, PTH123

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import math
import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final

from auralis_fp._version import __version__
from auralis_fp.library.files.sidecar_metadata import build_from, metadata_from, metadata_object
from auralis_fp.metadata import Metadata
from auralis_fp.schema import FINGERPRINT_VERSION, NAMES

__all__ = [
    "FORMAT_VERSION", "SUFFIX", "Content", "FileState", "load", "read", "remove_orphans", "sidecar_path",
    "write",
]  # fmt: skip

SUFFIX: Final = ".25d"
FORMAT_VERSION: Final = "1.0"
GROUPS: Final = ("frequency", "dynamics", "temporal", "spectral", "harmonic", "variation", "stereo")

_OURS: Final = "auralis_fp"  # key in "metadata", which belongs to everybody

_MAX_BYTES: Final = 4 << 20
_MAX_INTEGER_DIGITS: Final = 400  # more is infinite as a float, and quadratic to parse
# A temporary file is locked by its writer for as long as it lives, so one that can be locked is an orphan.
_TEMPORARY: Final = re.compile(r"\.[0-9a-f]{16}\.25d\.auralis-fp-tmp")


@dataclass(frozen=True, slots=True)
class FileState:
    """What tells one state of an audio file from another: its size and its modification time."""

    size: int
    mtime_ns: int
    modified_at: str

    @classmethod
    def of(cls, path: str) -> FileState:
        """Return the state of a file now; OSError if the file cannot be looked at."""
        info = os.stat(path)
        try:
            # Local time, as the existing application writes it.
            modified_at = datetime.fromtimestamp(info.st_mtime).isoformat()
        except (OverflowError, ValueError, OSError):  # a file system may hold times outside the calendar
            modified_at = ""
        return cls(info.st_size, info.st_mtime_ns, modified_at)


@dataclass(frozen=True, slots=True)
class Content:
    """A fingerprint, and what goes with it.

    Attributes
    ----------
    values : mapping
        The 25 values and ``fingerprint_version``.
    metadata : Metadata or None
        What the analysis found out about the recording.
    build : str or None
        What computed the values, as JSON.
    """

    values: Mapping[str, float]
    metadata: Metadata | None = None
    build: str | None = None


def sidecar_path(audio: str) -> str:
    """Return the name of an audio file's sidecar."""
    return audio + SUFFIX


def read(audio: str, state: FileState | None = None) -> dict[str, float] | None:
    """Return the 25 values in the sidecar of ``audio`` and ``fingerprint_version``; see :func:`load`."""
    content = load(audio, state)
    return dict(content.values) if content is not None else None


def load(audio: str, state: FileState | None = None) -> Content | None:
    """Return the content of the sidecar of ``audio``.

    Parameters
    ----------
    audio : str
        The audio file.
    state : FileState, optional
        Its state, if the caller knows it.

    Returns
    -------
    Content or None
        None unless the sidecar is valid: size and modification time match the file, the format is known,
        all 25 values are present and finite, and their version is
        :data:`auralis_fp.FINGERPRINT_VERSION`. Older sidecars hold neither metadata nor build.
    """
    content = _load(sidecar_path(audio))
    if content is None or content.get("format_version") != FORMAT_VERSION:
        return None
    try:
        state = state or FileState.of(audio)
    except (OSError, ValueError):
        return None
    file, fingerprint = content.get("audio_file"), content.get("fingerprint")
    if not isinstance(file, dict) or not isinstance(fingerprint, dict):
        return None
    size, modified_at = file.get("size_bytes"), file.get("modified_at")
    if type(size) is not int or size != state.size or not state.modified_at:
        return None
    if modified_at != state.modified_at:
        return None
    flat = _flattened(fingerprint)
    if type(flat.get("fingerprint_version")) is not int or flat["fingerprint_version"] != FINGERPRINT_VERSION:
        return None
    values = {name: _finite(flat.get(name)) for name in NAMES}
    if None in values.values():
        return None
    ours = _dict(_dict(content.get("metadata")).get(_OURS))
    return Content(
        {**values, "fingerprint_version": FINGERPRINT_VERSION},  # type: ignore[dict-item]
        metadata_from(ours.get("recording")),
        build_from(ours.get("build")),
    )


def write(
    audio: str,
    values: Mapping[str, float],
    state: FileState,
    *,
    metadata: Metadata | None = None,
    build: str | None = None,
) -> None:
    """Write the sidecar of ``audio``, keeping what others stored in an existing one.

    Parameters
    ----------
    audio : str
        The audio file.
    values : mapping
        The 25 values.
    state : FileState
        State of the audio file when it was analysed.
    metadata, build
        As in :class:`Content`; written under ``auralis_fp`` in the sidecar's ``metadata``.

    Raises
    ------
    OSError
        The folder is read-only, the disk is full, or the present sidecar is not ours to replace (too
        large to read, or no regular file).
    """
    path = sidecar_path(audio)
    mode = 0o666
    try:
        present = os.stat(path)
    except FileNotFoundError:
        content: dict[str, Any] = {}
        replace = os.path.islink(path)
    else:
        if not stat.S_ISREG(present.st_mode) or present.st_size > _MAX_BYTES:
            raise OSError(errno.EEXIST, "something else has the sidecar's name", path)
        content = _load(path) or {}
        mode = stat.S_IMODE(present.st_mode)
        replace = True
    name = os.fsencode(os.path.basename(audio)).decode("utf-8", "replace")
    content.update(
        format_version=FORMAT_VERSION,
        auralis_version=__version__,
        generated_at=datetime.now(timezone.utc).isoformat().replace("+00:00", "Z"),
        audio_file={
            **_dict(content.get("audio_file")),
            "path": name,
            "size_bytes": state.size,
            "modified_at": state.modified_at,
        },
        fingerprint={
            **_foreign(_dict(content.get("fingerprint"))),
            **{name: float(values[name]) for name in NAMES},
            "fingerprint_version": FINGERPRINT_VERSION,
        },
    )
    content.setdefault("processing_cache", {})
    shared = content.setdefault("metadata", {})
    if isinstance(shared, dict):  # otherwise it is somebody else's
        ours = {
            "recording": metadata_object(metadata) if metadata is not None else None,
            "build": json.loads(build) if build is not None else None,
        }
        shared.pop(_OURS, None)  # it described another analysis
        if any(ours.values()):
            shared[_OURS] = {name: value for name, value in ours.items() if value is not None}
    try:
        data = json.dumps(content, indent=2).encode()
    except RecursionError:
        raise OSError(errno.EEXIST, "the present sidecar is nested too deeply to be kept", path) from None
    _put(path, data, mode, replace=replace)


def remove_orphans(folder: str, names: list[str]) -> int:
    """Remove temporary sidecars whose writer was killed from the ``names`` in ``folder``; return how many."""
    removed = 0
    for name in names:
        if not _TEMPORARY.fullmatch(name):
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


def _load(path: str) -> dict[str, Any] | None:
    try:
        # Not blocking: the name may belong to a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        with open(descriptor, "rb") as file:
            info = os.fstat(descriptor)
            if not stat.S_ISREG(info.st_mode) or info.st_size > _MAX_BYTES:
                return None
            content = json.loads(file.read(_MAX_BYTES + 1), parse_int=_parse_int)
    except (OSError, ValueError, RecursionError, MemoryError):
        return None
    return content if isinstance(content, dict) else None


def _parse_int(text: str) -> int:
    if len(text) > _MAX_INTEGER_DIGITS:
        raise ValueError("a number this long is no measurement")
    return int(text)


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _flattened(fingerprint: dict[str, Any]) -> dict[str, Any]:
    """Return the numbers by name, also from older files, which nest them by group."""
    flat = dict(fingerprint)
    for group in GROUPS:
        for name, value in _dict(fingerprint.get(group)).items():
            flat.setdefault(name, value)
    return flat


def _foreign(fingerprint: dict[str, Any]) -> dict[str, Any]:
    """Return what others keep among the numbers, which themselves go, also out of their groups."""
    kept = dict(fingerprint)
    for group in GROUPS:
        if isinstance(kept.get(group), dict):
            rest = {name: value for name, value in kept.pop(group).items() if name not in NAMES}
            if rest:
                kept[group] = rest
    return {name: value for name, value in kept.items() if name not in NAMES}


def _put(path: str, data: bytes, mode: int, *, replace: bool) -> None:
    folder = os.path.dirname(path)
    temporary = os.path.join(folder, f".{secrets.token_hex(8)}{SUFFIX}.auralis-fp-tmp")
    descriptor, named = _open_temporary(folder or ".", temporary, mode)
    try:
        with contextlib.suppress(OSError):  # some network file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if replace:
            os.fchmod(descriptor, mode)
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
        if not named:
            # A nameless file takes its final name in one step, if that is free: a process killed
            # at any moment leaves nothing behind.
            if not replace:
                with contextlib.suppress(FileExistsError):
                    _link(descriptor, path)
                    return
            _link(descriptor, temporary)
            named = True
        os.replace(temporary, path)
        named = False
    finally:
        if named:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        os.close(descriptor)


def _link(descriptor: int, path: str) -> None:
    # The directory descriptor is unused with an absolute source; it makes Python call linkat(2), which
    # follows the link, instead of link(2), which does not.
    os.link(f"/proc/self/fd/{descriptor}", path, src_dir_fd=descriptor, follow_symlinks=True)


def _open_temporary(folder: str, temporary: str, mode: int) -> tuple[int, bool]:
    """Open a file for writing in ``folder``: nameless where the system can, else under ``temporary``."""
    if hasattr(os, "O_TMPFILE") and os.path.isdir("/proc/self/fd"):
        try:
            return os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, mode), False
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
                raise
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    return os.open(temporary, flags, mode), True
