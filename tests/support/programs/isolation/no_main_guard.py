"""Analyse PATHs in isolation, from the top level of a script that does not ask for ``__main__``."""

from __future__ import annotations

import sys

import auralis_fp

print("once")
for _, result in auralis_fp.analyze_many(sys.argv[1:], isolate=True):
    assert isinstance(result, auralis_fp.Fingerprint)
    print(result.lufs)
