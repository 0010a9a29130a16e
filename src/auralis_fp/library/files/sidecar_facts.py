"""What is kept beside the 25 numbers: facts about the recording, and the build that computed them.

Both go into the sidecar, under ``auralis_fp`` in its ``metadata``. What comes back from there is checked
like anything else that comes from a file.
"""

from __future__ import annotations

import importlib.metadata
import json
import math
from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any, Final

import auralis_fp
from auralis_fp import FINGERPRINT_VERSION, Metadata
from auralis_fp.isolation import IsolatedAnalyzer

__all__ = ["build_from", "build_of", "recording_from", "recording_object"]

_BUILD_KEYS: Final = (
    "engine", "version", "fingerprint_version", "cpu_level", "compiler", "ffmpeg", "soxr"
)  # fmt: skip
_REFERENCE_PACKAGES: Final = ("librosa", "numpy", "pyloudnorm", "scipy", "soxr")
_MAX_BUILD_CHARACTERS: Final = 2000


def build_of(analyze: object) -> str | None:
    """Tell what computes the numbers of an analyzer.

    Parameters
    ----------
    analyze : object
        :func:`auralis_fp.analyze`, :func:`auralis_fp.reference.analyze`, or either in isolation.

    Returns
    -------
    str or None
        What :func:`auralis_fp.build_info` says of it, as a JSON object; None for any other analyzer.
    """
    if isinstance(analyze, IsolatedAnalyzer):
        analyze = analyze.analyze
    info = auralis_fp.build_info()
    if getattr(analyze, "__module__", "").startswith("auralis_fp.reference"):
        info["engine"] = "reference"
    elif analyze is not auralis_fp.analyze:
        return None
    if info["engine"] == "reference":
        build = {
            "engine": "reference",
            "version": auralis_fp.__version__,
            "fingerprint_version": FINGERPRINT_VERSION,
            "packages": {name: _version(name) for name in _REFERENCE_PACKAGES},
        }
    else:
        build = {key: info[key] for key in _BUILD_KEYS if key in info}
    return json.dumps(build)


def build_from(value: object) -> str | None:
    """Give a build that was read from a file as :func:`build_of` does; None if it is none."""
    if not isinstance(value, dict) or not isinstance(value.get("engine"), str):
        return None
    try:
        text = json.dumps(value)
    except RecursionError:
        return None
    return text if len(text) <= _MAX_BUILD_CHARACTERS else None


def recording_object(recording: Metadata) -> dict[str, Any] | None:
    """Give a recording as a JSON object; None if it would not be read back."""
    value = asdict(recording)
    return value if recording_from(value) is not None else None


def recording_from(value: object) -> Metadata | None:
    """Give a recording that was read from a file; None unless everything about it is there and possible."""
    if not isinstance(value, dict):
        return None
    facts = {field.name: value.get(field.name, _MISSING) for field in fields(Metadata)}
    if all(_POSSIBLE[str(field.type)](facts[field.name]) for field in fields(Metadata)):
        return Metadata(**facts)
    return None


_MISSING: Final = object()


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 63


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and abs(value) < 1e15 and math.isfinite(value)  # type: ignore[arg-type]


_POSSIBLE: Final[dict[str, Callable[[object], bool]]] = {
    "bool": lambda value: type(value) is bool,
    "float": _is_number,
    "float | None": lambda value: value is None or _is_number(value),
    "int": _is_count,
    "str": lambda value: isinstance(value, str) and len(value) <= 100 and value.isprintable(),
}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "?"
