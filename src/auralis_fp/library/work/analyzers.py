"""The choice of the analyzer, and the description of the build that it belongs to."""

from __future__ import annotations

import importlib.util

from auralis_fp._build import build_info, build_label
from auralis_fp._types import Analyze
from auralis_fp.analysis import analyze
from auralis_fp.isolation import IsolatedAnalyzer

__all__ = ["build_of", "choose_analyzer", "is_compiled"]


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
    if getattr(candidate, "__module__", "").startswith("auralis_fp.reference"):
        return build_label("reference")
    return build_label() if candidate is analyze else None
