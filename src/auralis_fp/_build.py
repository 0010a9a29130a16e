"""What computes the fingerprints in this process: engine, versions, limits."""

from __future__ import annotations

import json
import sys
from typing import Any, Final

from auralis_fp._native import core, import_error, installed_levels
from auralis_fp._version import __version__
from auralis_fp.schema import FINGERPRINT_VERSION

__all__ = ["build_info", "build_label"]

_LABEL_KEYS: Final = (
    "engine", "version", "fingerprint_version", "cpu_level", "compiler", "ffmpeg", "soxr"
)  # fmt: skip
_REFERENCE_PACKAGES: Final = ("librosa", "numpy", "pyloudnorm", "scipy", "soxr")


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


def build_label(engine: str | None = None) -> str:
    """Return what rows and sidecars say of the build that computed them: a JSON object.

    Parameters
    ----------
    engine : {"core", "reference"}, optional
        The analyzer; the one that :func:`auralis_fp.analyze` uses in this process by default.
    """
    info = build_info()
    if (engine or info["engine"]) == "reference":
        build = {
            "engine": "reference",
            "version": _version("auralis-fp"),
            "fingerprint_version": FINGERPRINT_VERSION,
            "packages": {name: _version(name) for name in _REFERENCE_PACKAGES},
        }
    else:
        build = {key: info[key] for key in _LABEL_KEYS if key in info}
    return json.dumps(build)


def _version(package: str) -> str:
    import importlib.metadata  # half of the time that importing this package would take

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "?"
