"""Interrupt ``analyze_many`` of a long file; print the number of threads that are left.   PATH"""

from __future__ import annotations

import os
import signal
import sys
import threading

import auralis_fp

threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    list(auralis_fp.analyze_many([sys.argv[1]] * 8, workers=2))
except KeyboardInterrupt:
    print(threading.active_count())
