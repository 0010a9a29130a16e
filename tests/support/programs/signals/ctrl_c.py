"""Interrupt an analysis of a long file; print whether it stopped in time, and works on.   PATH SECONDS"""

from __future__ import annotations

import signal
import sys
import threading
import time

import auralis_fp

interrupted: list[float] = []


def strike() -> None:
    time.sleep(0.3)
    interrupted.append(time.process_time())
    signal.raise_signal(signal.SIGINT)


threading.Thread(target=strike).start()
try:
    auralis_fp.analyze(sys.argv[1])
except KeyboardInterrupt:
    print(time.process_time() - interrupted[0] < float(sys.argv[2]))
try:
    auralis_fp.analyze(sys.argv[1], timeout=0.01)
except auralis_fp.Timeout:
    print("usable")
