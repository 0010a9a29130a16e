"""The errors of an analysis: one base class, and one class per kind.

Every error names the file, the stage that failed and the cause, so that a line in a log is enough to act on.
Catch :class:`AnalysisError` to catch them all.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "AnalysisError",
    "Cancelled",
    "CorruptAudio",
    "Crashed",
    "FileNotFound",
    "InvalidSamples",
    "NoAudio",
    "ResourceLimit",
    "Timeout",
    "Unreadable",
    "Unsupported",
]


class AnalysisError(Exception):
    """A recording could not be analysed.

    Parameters
    ----------
    cause : str
        What went wrong, in words.
    stage : str
        Where: ``"open"``, ``"probe"``, ``"decode"``, ``"analyze"`` or ``"arguments"``.
    path : str
        The file as the caller named it; ``"<bytes>"`` or ``"<samples>"`` for data in memory.
    """

    def __init__(self, cause: str, *, stage: str = "analyze", path: str = "<samples>") -> None:
        super().__init__(cause)
        self.cause: Final = cause
        self.stage: Final = stage
        self.path: Final = path

    @property
    def kind(self) -> str:
        """Name of the kind of error, e.g. ``"CorruptAudio"``."""
        return type(self).__name__

    def __str__(self) -> str:
        return f"{self.path}: {self.stage}: {self.cause}"

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.cause, self.stage, self.path)


def _rebuild(kind: type[AnalysisError], cause: str, stage: str, path: str) -> AnalysisError:
    return kind(cause, stage=stage, path=path)


class FileNotFound(AnalysisError, FileNotFoundError):
    """No file has this name."""


class Unreadable(AnalysisError, OSError):
    """The file exists but cannot be read: permissions, a directory, a pipe, a device, an I/O error."""


class Unsupported(AnalysisError):
    """The file is in no audio format that this build decodes, or its parameters are outside the limits."""


class CorruptAudio(AnalysisError):
    """The format is known, but nothing in the file could be decoded."""


class NoAudio(AnalysisError):
    """The file is valid but holds no audio: no audio stream, or one without samples."""


class InvalidSamples(AnalysisError, ValueError):
    """An array cannot be used: its type, shape or rate is wrong, or a sample is not finite."""


class ResourceLimit(AnalysisError, MemoryError):
    """The analysis would exceed one of its limits, or memory ran out."""


class Timeout(AnalysisError, TimeoutError):
    """The analysis took longer than the caller's ``timeout``."""


class Cancelled(AnalysisError):
    """The caller cancelled the analysis through its :class:`auralis_fp.CancelToken`."""


class Crashed(AnalysisError):
    """The file crashed or hung two worker processes; with isolation only."""
