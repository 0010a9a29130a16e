"""Analyse PATH; print the bytes by which that raises the peak, and the codec or the error.   PATH TIMEOUT"""

from __future__ import annotations

import sys

from support.programs.memory.peak import peak_bytes

import auralis_fp

before = peak_bytes()
try:
    result = auralis_fp.analyze(sys.argv[1], timeout=float(sys.argv[2])).metadata.codec
except auralis_fp.AnalysisError as error:
    result = f"{error.kind}: {error.cause}"
print(peak_bytes() - before, result)
