"""End while a daemon thread is inside a long analysis.   PATH"""

from __future__ import annotations

import sys
import threading
import time

import auralis_fp

threading.Thread(target=auralis_fp.analyze, args=(sys.argv[1],), daemon=True).start()
time.sleep(0.2)
print("end")
