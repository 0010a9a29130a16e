"""Ends so many seconds after a daemon thread has begun to import the package."""

from __future__ import annotations

import sys
import threading
import time
from importlib import import_module

threading.Thread(target=import_module, args=("auralis_fp",), daemon=True).start()
time.sleep(float(sys.argv[1]))
print("end")
