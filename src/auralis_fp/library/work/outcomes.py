"""The outcome of a track, and what is at fault when it gets no fingerprint."""

# Paths are strings here: they come from and go to the database, 54 000 at a time.
# ruff: noqa: PTH100, PTH120

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from enum import Enum
from typing import Final

from auralis_fp.errors import AnalysisError, FileNotFound
from auralis_fp.metadata import Metadata

__all__ = ["Extraction", "Outcome", "message_of", "what_is_away"]

_LONGEST_MESSAGE: Final = 2000

# A disk, a share or a mount that does not answer, or a system that has run out of a resource: the file is not
# at fault.
_AWAY: Final = frozenset(
    getattr(errno, name)
    for name in (
        "EIO", "ENXIO", "ENODEV", "ENOMEDIUM", "ENOTCONN", "ESTALE", "ESHUTDOWN", "EREMOTEIO", "ENOLINK",
        "ECOMM", "EPROTO", "ETIMEDOUT", "EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "ENETRESET",
        "ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "ENOKEY", "EKEYEXPIRED", "EMFILE", "ENFILE",
    )
    if hasattr(errno, name)
)  # fmt: skip
_AWAY_TEXTS: Final = frozenset(os.strerror(code) for code in _AWAY)


class Outcome(Enum):
    """What became of a track."""

    ANALYZED = "analyzed"
    CACHED = "cached"
    """Taken from the sidecar."""
    FAILED = "failed"
    """The file is at fault, and the track's status is ``error``; or the fingerprint could not be stored."""
    CANCELLED = "cancelled"
    """Released unfinished."""
    UNAVAILABLE = "unavailable"
    """The disk of the file is not there; released, to be tried again later."""
    LOST = "lost"
    """Another process has taken over the track, or it is no longer in the database; nothing was stored."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """Result of :meth:`FingerprintExtractor.extract`.

    Attributes
    ----------
    outcome : Outcome
        What became of the track.
    message : str
        The reason, unless a fingerprint was stored.
    seconds : float
        Time taken.
    audio_seconds : float
        Length of the audio, where it was analysed.
    sidecar_error : str
        Why the sidecar could not be written, if so.
    metadata : Metadata or None
        The metadata of the recording, if it is known.
    refused : bool
        Whether there was a fingerprint that the repository did not take.
    postponed : bool
        Whether the track will be tried again, in ten minutes or in another run.
    """

    outcome: Outcome
    message: str = ""
    seconds: float = 0.0
    audio_seconds: float = 0.0
    sidecar_error: str = ""
    metadata: Metadata | None = None
    refused: bool = False
    postponed: bool = False

    @property
    def stored(self) -> bool:
        """True if the track has a fingerprint now."""
        return self.outcome in (Outcome.ANALYZED, Outcome.CACHED)


def message_of(error: BaseException) -> str:
    """Return the message for a track that failed with an error."""
    if isinstance(error, AnalysisError):
        text = f"{error.kind}: {error.cause} ({error.stage})"
    else:
        text = f"{type(error).__name__}: {error}"
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 3]}..."


def what_is_away(path: str, error: BaseException) -> str | None:
    """Return what an unreadable file has to wait for; None if the file itself is at fault.

    Parameters
    ----------
    path : str
        The file.
    error : BaseException
        What went wrong with it.
    """
    if not isinstance(error, OSError):
        return None
    try:
        folder = os.path.dirname(os.path.abspath(path))
    except OSError:  # even the current folder was removed
        return f"the folder of {path} is not there"
    # The core's errors have the system's message, but not its number.
    if error.errno in _AWAY or getattr(error, "cause", None) in _AWAY_TEXTS:
        return f"{folder} cannot be read: {getattr(error, 'cause', None) or error.strerror or error}"
    try:
        with os.scandir(folder) as entries:
            empty = next(entries, None) is None
    except (FileNotFoundError, NotADirectoryError):
        return f"the folder {folder} is not there"
    except OSError as trouble:
        return f"{folder} cannot be read: {trouble.strerror}" if trouble.errno in _AWAY else None
    # A mount point from which the disk was taken.
    return f"the folder {folder} is empty" if empty and isinstance(error, FileNotFound) else None
