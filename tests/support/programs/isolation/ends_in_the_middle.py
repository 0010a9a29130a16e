"""End, when the standard input does, while a daemon thread has PATH analysed by a worker."""

from __future__ import annotations

import sys
import threading

from auralis_fp.isolation import IsolatedAnalyzer

threading.Thread(target=IsolatedAnalyzer(), args=(sys.argv[1],), daemon=True).start()
sys.stdin.read()
