"""Analyse PATH with neither the compiled core nor librosa; print the error."""

from __future__ import annotations

import sys

sys.modules["librosa"] = None  # type: ignore[assignment]  # as if it were not installed

import auralis_fp  # noqa: E402

try:
    auralis_fp.analyze(sys.argv[1])
except ImportError as error:
    print(error)
