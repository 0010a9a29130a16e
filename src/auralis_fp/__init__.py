"""Audio fingerprints: 25 numbers that describe a recording, measured by a compiled core.

>>> import auralis_fp
>>> fingerprint = auralis_fp.analyze("song.flac")  # doctest: +SKIP
>>> fingerprint.lufs, fingerprint["tempo_bpm"]  # doctest: +SKIP
(-9.8, 123.97)
"""

from importlib.metadata import version as _version

from auralis_fp._native import build_info
from auralis_fp.analysis import CancelToken, analyze, analyze_bytes, analyze_many, analyze_samples
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
from auralis_fp.fingerprint import Fingerprint, Metadata
from auralis_fp.schema import DIMENSIONS, FINGERPRINT_VERSION, NAMES, Dimension

__version__ = _version("auralis-fp")

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
