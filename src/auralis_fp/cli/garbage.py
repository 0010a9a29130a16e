"""Where the commands collect garbage on Python 3.11."""

from __future__ import annotations

import gc
import sys
import threading
import time
from typing import Final

__all__ = ["collect_in_own_thread"]

_PAUSE_S: Final = 0.1


def collect_in_own_thread() -> None:
    """On Python 3.11, collect garbage in a thread of its own instead of wherever memory is asked for.

    3.11 may collect while it makes the ``__dict__`` of an object. If a finalizer or the callback of a weak
    reference then lets another thread run, that thread can make a second ``__dict__`` of the same object:
    attributes are lost, or the process dies of a segmentation fault. Other versions are not affected.
    """
    if sys.version_info[:2] != (3, 11):
        return
    gc.disable()
    threading.Thread(target=_collect, name="garbage", daemon=True).start()


def _collect() -> None:
    """Collect each generation when the thresholds of the interpreter ask for it."""
    while True:
        time.sleep(_PAUSE_S)
        due = [count > limit > 0 for count, limit in zip(gc.get_count(), gc.get_threshold(), strict=True)]
        # Only new objects make garbage: without any, the older generations wait.
        if due[0]:
            gc.collect(2 if due[2] else 1 if due[1] else 0)
