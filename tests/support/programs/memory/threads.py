"""Analyse PATHs on so many threads; print the seconds of audio and the peak in bytes.   THREADS PATH..."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from support.programs.memory.peak import peak_bytes

import auralis_fp

with ThreadPoolExecutor(int(sys.argv[1])) as pool:
    seconds = sum(fp.metadata.duration for fp in pool.map(auralis_fp.analyze, sys.argv[2:]))
print(seconds, peak_bytes())
