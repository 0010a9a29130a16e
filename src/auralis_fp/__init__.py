"""Audio fingerprints: 25 numbers that describe a recording, measured by a compiled core.

>>> import auralis_fp
>>> fingerprint = auralis_fp.analyze("song.flac")  # doctest: +SKIP
>>> fingerprint.lufs, fingerprint["tempo_bpm"]  # doctest: +SKIP
(-9.8, 123.97)
"""

import importlib
from types import ModuleType
from typing import Final

from auralis_fp._build import build_info
from auralis_fp._version import __version__
from auralis_fp.analysis import analyze, analyze_bytes, analyze_samples
from auralis_fp.batch import analyze_many
from auralis_fp.cancel import CancelToken
from auralis_fp.errors import (
    AnalysisError,
    Cancelled,
    CorruptAudio,
    Crashed,
    FileNotFound,
    InvalidSamples,
    NoAudio,
    ResourceLimit,
    Timeout,
    Unreadable,
    Unsupported,
)
from auralis_fp.fingerprint import Fingerprint
from auralis_fp.metadata import Metadata
from auralis_fp.schema import DIMENSIONS, FINGERPRINT_VERSION, NAMES, Dimension

__all__ = [
    "DIMENSIONS",
    "FINGERPRINT_VERSION",
    "NAMES",
    "AnalysisError",
    "CancelToken",
    "Cancelled",
    "CorruptAudio",
    "Crashed",
    "Dimension",
    "FileNotFound",
    "Fingerprint",
    "InvalidSamples",
    "Metadata",
    "NoAudio",
    "ResourceLimit",
    "Timeout",
    "Unreadable",
    "Unsupported",
    "__version__",
    "analyze",
    "analyze_bytes",
    "analyze_many",
    "analyze_samples",
    "build_info",
]

_ROOMS: Final = ("cluster", "isolation", "library", "reference", "server", "similarity")


def __getattr__(name: str) -> ModuleType:
    """Import one of the larger parts when it is first used."""
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOMS})
