"""Analyse good and bad PATHs on so many threads; print how many are good.   THREADS PATH..."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import auralis_fp


def is_good(path: str) -> bool:
    try:
        auralis_fp.analyze(path, timeout=60)
    except auralis_fp.AnalysisError:
        return False
    return True


with ThreadPoolExecutor(int(sys.argv[1])) as pool:
    print(sum(pool.map(is_good, sys.argv[2:])))
