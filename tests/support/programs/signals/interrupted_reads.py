"""Analyse each PATH ten times while signals interrupt system calls; print how many answers differ."""

from __future__ import annotations

import signal
import sys

import auralis_fp

signal.signal(signal.SIGALRM, lambda number, frame: None)
signal.siginterrupt(signal.SIGALRM, True)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
vectors = {auralis_fp.analyze(path).vector.tobytes() for path in sys.argv[1:] for _ in range(10)}
signal.setitimer(signal.ITIMER_REAL, 0)
print(len(vectors))
