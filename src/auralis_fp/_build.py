"""What computes the fingerprints in this process: engine, versions, limits."""

from __future__ import annotations

import sys
from typing import Any

from auralis_fp._native import core, import_error, installed_levels
from auralis_fp._version import __version__
from auralis_fp.schema import FINGERPRINT_VERSION

__all__ = ["build_info"]


def build_info() -> dict[str, Any]:
    """Return a description of what computes the fingerprints in this process.

    Returns
    -------
    dict
        ``engine`` (``"core"`` or ``"reference"``), ``version``, ``fingerprint_version``, ``gil`` (whether
        this interpreter's GIL is on) and, for the compiled core, ``cpu_level``, ``cpu_levels``
        (those usable here), ``compiler``, ``ffmpeg`` (versions of its libraries, and their license),
        ``soxr``, ``bundled`` (whether FFmpeg and soxr came with the package), ``demuxers`` (the container
        formats that may be opened), ``limits`` (of one analysis, by name).
    """
    info: dict[str, Any] = {
        "engine": "core" if core is not None else "reference",
        "version": __version__,
        "fingerprint_version": FINGERPRINT_VERSION,
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
    }
    if core is None:
        info["import_error"] = str(import_error)
    else:
        info["cpu_levels"] = installed_levels()
        info.update(core.build_info())
    return info
