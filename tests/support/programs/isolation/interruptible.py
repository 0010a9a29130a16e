"""Analyse PATH four times on two workers, and print when interrupted."""

from __future__ import annotations

import sys

import auralis_fp

try:
    list(auralis_fp.analyze_many([sys.argv[1]] * 4, workers=2, isolate=True))
except KeyboardInterrupt:
    print("interrupted")
