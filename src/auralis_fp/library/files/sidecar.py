"""The ``.25d`` file beside a song: its fingerprint, so that the song need not be analysed again.

A sidecar is a cache, and may come from anywhere. Reading one never raises: whatever is not exactly as it
should be is a miss. Writing one never puts anything else at risk: a regular file is replaced in one step, and
what others stored in it is kept; a file whose content cannot be kept is left alone. If the disk is full or
the folder read-only, only the cache is missing.
"""

# Paths are strings here: they come from and go to the database, 54 000 at a time.
# ruff: noqa: PTH100, PTH116, PTH118, PTH119

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import stat
import struct
import threading
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final

from auralis_fp._audio_files import SIDECAR_EXTENSION
from auralis_fp._version import __version__
from auralis_fp.library.files.placing import open_folder, place, real_path
from auralis_fp.library.files.sidecar_metadata import build_from, metadata_from, metadata_object
from auralis_fp.metadata import Metadata
from auralis_fp.schema import DIMENSIONS, FINGERPRINT_VERSION, NAMES

__all__ = ["FORMAT_VERSION", "Content", "FileState", "load", "read", "sidecar_path", "write"]

FORMAT_VERSION: Final = "1.0"
_GROUPS: Final = tuple(dict.fromkeys(dimension.group for dimension in DIMENSIONS))
_OURS: Final = "auralis_fp"  # key in "metadata", which all programs share

_MAX_BYTES: Final = 4 << 20
_MAX_INTEGER_DIGITS: Final = 400  # longer ones are infinite as floats, and parsing takes quadratic time
# Parsed, a file may take forty times its size, so large ones are read one at a time.
_LARGE_BYTES: Final = 64 << 10
_one_large: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class FileState:
    """The state of an audio file: its size and its modification time."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: str) -> FileState:
        """Return the present state of a file; raise OSError if it cannot be examined."""
        info = os.stat(path)
        return cls(info.st_size, info.st_mtime_ns)

    @property
    def modified_at(self) -> str:
        """The time in words, as the existing application writes it: in local time."""
        seconds, nanoseconds = divmod(self.mtime_ns, 10**9)
        try:  # st_mtime of os.stat, to the last bit
            return datetime.fromtimestamp(seconds + 1e-9 * nanoseconds).isoformat()
        except (OverflowError, ValueError, OSError):  # file systems hold times that datetime does not
            return f"{self.mtime_ns} ns"


@dataclass(frozen=True, slots=True)
class Content:
    """A fingerprint, and what goes with it.

    Attributes
    ----------
    values : mapping
        The 25 values and ``fingerprint_version``.
    metadata : Metadata or None
        The metadata of the recording.
    build : str or None
        What computed the values, as JSON.
    """

    values: Mapping[str, float]
    metadata: Metadata | None = None
    build: str | None = None


def sidecar_path(audio: str) -> str:
    """Return the name of an audio file's sidecar."""
    return audio + SIDECAR_EXTENSION


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
    try:
        state = state or FileState.of(audio)
        data, _mode = _read(sidecar_path(audio))
        with _turn(data):
            return _content(_parsed(data), state)
    except (OSError, ValueError, RecursionError, MemoryError):
        return None


def _content(content: object, state: FileState) -> Content | None:
    if not isinstance(content, dict) or content.get("format_version") != FORMAT_VERSION:
        return None
    file, fingerprint = content.get("audio_file"), content.get("fingerprint")
    if not isinstance(file, dict) or not isinstance(fingerprint, dict):
        return None
    size = file.get("size_bytes")
    if type(size) is not int or size != state.size or file.get("modified_at") != state.modified_at:
        return None
    flat = _flattened(fingerprint)
    values = {name: number for name in NAMES if (number := _finite(flat.get(name))) is not None}
    if len(values) < len(NAMES) or not _is_ours(content, flat, values):
        return None
    ours = _dict(_dict(content.get("metadata")).get(_OURS))
    return Content(
        {**values, "fingerprint_version": FINGERPRINT_VERSION},
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
    roots: Sequence[str] | None = None,
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
    roots : sequence of str, optional
        Folders to write in. If the path of ``audio`` has symbolic links that lead out of them, nothing is
        written; a path without links may be anywhere.

    Raises
    ------
    OSError
        The folder is read-only, the disk is full, or the existing sidecar must not be replaced: it is not a
        regular file, is of a later format, or holds content of others that could not be kept.
        ``strerror`` is one of a few sentences and names no file.
    """
    folder, name = os.path.split(sidecar_path(audio))
    with open_folder(folder) as descriptor:
        if roots is not None and not _is_meant(descriptor, folder, roots):
            raise OSError(errno.EXDEV, "a link leads out of the folders of the scan", audio)
        present, mode = None, 0o666
        with contextlib.suppress(FileNotFoundError):
            present, mode = _read(name, descriptor)
        try:
            with _turn(present):
                data = _serialized(_updated(_kept(present, audio), audio, values, state, metadata, build))
        except (RecursionError, MemoryError):
            raise _left_alone("is nested too deeply", audio) from None
        if len(data) > _MAX_BYTES:
            raise _left_alone("is too large", audio)
        # The mode of a new file, or less: nobody may read what they could not read before.
        place(descriptor, name, data, mode=0o666 & mode, replace=present is not None)


def _updated(
    content: dict[str, Any],
    audio: str,
    values: Mapping[str, float],
    state: FileState,
    metadata: Metadata | None,
    build: str | None,
) -> dict[str, Any]:
    """Return the content of a sidecar, with its fingerprint and all that describes it replaced."""
    numbers = {name: float(values[name]) for name in NAMES}
    content.update(
        format_version=FORMAT_VERSION,
        auralis_version=__version__,
        generated_at=datetime.now(timezone.utc).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        audio_file={
            **_dict(content.get("audio_file")),
            "path": os.fsencode(os.path.basename(audio)).decode("utf-8", "replace"),
            "size_bytes": state.size,
            "modified_at": state.modified_at,
        },
        # The 25 and nothing else, as the application reads them; their version stands outside,
        # tied to them by a checksum, should another program replace them.
        fingerprint={**_foreign(_dict(content.get("fingerprint"))), **numbers},
        fingerprint_version=FINGERPRINT_VERSION,
        fingerprint_crc32=_checksum(numbers),
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
    return content


def _kept(present: bytes | None, path: str) -> dict[str, Any]:
    """Return what others store in the existing sidecar; raise OSError if it must not be replaced."""
    try:
        content = _parsed(present) if present is not None else {}
    except _HugeIntegerError:
        raise _left_alone("holds an endless number", path) from None
    except ValueError:  # not JSON, say truncated by a crash: there is nothing to keep
        return {}
    if not isinstance(content, dict):
        raise _left_alone("holds something else", path)
    if content.get("format_version", FORMAT_VERSION) != FORMAT_VERSION:
        raise _left_alone(f"is of a format other than {FORMAT_VERSION}", path)
    return content


def _left_alone(why: str, path: str) -> OSError:
    return OSError(errno.EEXIST, f"the present one {why} and is left alone", path)


def _is_meant(descriptor: int, folder: str, roots: Sequence[str]) -> bool:
    """Return whether the path of an open folder has no links, or the folder lies in one of ``roots``."""
    real = real_path(descriptor, folder)
    if real == os.path.abspath(folder):
        return True
    return any(os.path.join(real, "").startswith(os.path.join(os.path.realpath(root), "")) for root in roots)


def _read(name: str, folder: int | None = None) -> tuple[bytes, int]:
    """Return content and mode of a regular file; raise OSError if it is none, or too large."""
    # Not blocking: the name may belong to a pipe.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a symbolic link, a socket
            raise _left_alone("is no regular file", name) from None
        raise
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise _left_alone("is no regular file", name)
        data = bytearray()
        while len(data) <= _MAX_BYTES and (more := os.read(descriptor, _LARGE_BYTES)):
            data += more
    finally:
        os.close(descriptor)
    if len(data) > _MAX_BYTES:
        raise _left_alone("is too large", name)
    return bytes(data), mode


def _turn(data: bytes | None) -> contextlib.AbstractContextManager[Any]:
    """Return the lock to hold while the content of a sidecar is in memory."""
    return _one_large if data is not None and len(data) > _LARGE_BYTES else contextlib.nullcontext()


def _parsed(data: bytes) -> Any:
    return json.loads(data, parse_int=_parse_int)


def _serialized(content: dict[str, Any]) -> bytes:
    """Return a sidecar in as few bytes as possible: indented text grows with its depth."""
    try:
        return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:  # halves of characters, which JSON can hold
        return json.dumps(content, separators=(",", ":")).encode()


class _HugeIntegerError(ValueError):
    pass


def _parse_int(text: str) -> int:
    if len(text) > _MAX_INTEGER_DIGITS:
        raise _HugeIntegerError
    return int(text)


def _is_ours(content: dict[str, Any], fingerprint: dict[str, Any], values: Mapping[str, float]) -> bool:
    """Return whether the numbers are of this version; it stands beside them or, in old files, among them."""
    if "fingerprint_version" in fingerprint:
        version = fingerprint["fingerprint_version"]
    else:
        version = content.get("fingerprint_version")
        if content.get("fingerprint_crc32") != _checksum(values):
            return False
    return type(version) is int and version == FINGERPRINT_VERSION


def _checksum(values: Mapping[str, float]) -> int:
    return zlib.crc32(struct.pack(f"<{len(NAMES)}d", *(values[name] for name in NAMES)))


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
    """Return the numbers by name, also from older files, which nest them in groups."""
    flat = dict(fingerprint)
    for group in _GROUPS:
        for name, value in _dict(fingerprint.get(group)).items():
            flat.setdefault(name, value)
    return flat


def _foreign(fingerprint: dict[str, Any]) -> dict[str, Any]:
    """Return what others keep among the numbers, without the numbers and their version, also in groups."""
    kept = dict(fingerprint)
    for group in _GROUPS:
        if isinstance(kept.get(group), dict):
            rest = {name: value for name, value in kept.pop(group).items() if name not in NAMES}
            if rest:
                kept[group] = rest
    return {name: value for name, value in kept.items() if name not in (*NAMES, "fingerprint_version")}
