"""The choice of the analyzer, and the description of the build that it belongs to."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
from typing import Final

from auralis_fp._build import build_info
from auralis_fp._types import Analyze
from auralis_fp.analysis import analyze
from auralis_fp.isolation import IsolatedAnalyzer
from auralis_fp.schema import FINGERPRINT_VERSION

__all__ = ["build_of", "choose_analyzer", "is_compiled"]

_BUILD_KEYS: Final = (
    "engine", "version", "fingerprint_version", "cpu_level", "compiler", "ffmpeg", "soxr"
)  # fmt: skip
_REFERENCE_PACKAGES: Final = ("librosa", "numpy", "pyloudnorm", "scipy", "soxr")


def choose_analyzer(use_native: bool) -> Analyze:
    """Return the analyzer to use; raise ImportError now, rather than once per track, if there is none."""
    if use_native and build_info()["engine"] == "core":
        compiled: Analyze = analyze
        return compiled
    from auralis_fp.reference import analyze as reference

    if importlib.util.find_spec("librosa") is None:  # the reference imports it when it is first used
        why = "the compiled core cannot be imported" if use_native else "use_native=False was asked for"
        raise ImportError(
            f"{why}, and the Python reference analyzer is not installed: pip install 'auralis-fp[reference]'"
        )
    # Without the core, auralis_fp.analyze falls back by itself and says so once.
    fallback: Analyze = analyze if use_native else reference
    return fallback


def is_compiled(candidate: object) -> bool:
    """Return whether an analyzer is the compiled core."""
    return candidate is analyze and build_info()["engine"] == "core"


def build_of(candidate: object) -> str | None:
    """Return a description of the build that computes an analyzer's numbers.

    Parameters
    ----------
    candidate : object
        :func:`auralis_fp.analyze`, :func:`auralis_fp.reference.analyze`, or either in isolation.

    Returns
    -------
    str or None
        What :func:`auralis_fp.build_info` returns for it, as a JSON object; None for any other analyzer.
    """
    if isinstance(candidate, IsolatedAnalyzer):
        candidate = candidate.analyze
    info = build_info()
    if getattr(candidate, "__module__", "").startswith("auralis_fp.reference"):
        info["engine"] = "reference"
    elif candidate is not analyze:
        return None
    if info["engine"] == "reference":
        build = {
            "engine": "reference",
            "version": _version("auralis-fp"),
            "fingerprint_version": FINGERPRINT_VERSION,
            "packages": {name: _version(name) for name in _REFERENCE_PACKAGES},
        }
    else:
        build = {key: info[key] for key in _BUILD_KEYS if key in info}
    return json.dumps(build)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "?"
