"""When and where garbage is collected."""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
import time
from collections.abc import Iterator
from typing import Final

__all__ = ["collect_in_own_thread", "uncollected"]

_PAUSE_S: Final = 0.1
_collecting: Final = threading.RLock()  # a finalizer may ask for a pause


def collect_in_own_thread() -> None:
    """On Python 3.10 and 3.11, collect garbage in a thread of its own, not wherever memory is asked for.

    They may collect while they make the ``__dict__`` of an object. If a finalizer or the callback of a weak
    reference then lets another thread run, that thread can make a second ``__dict__`` of the same object:
    attributes are lost and, on 3.11, the process may die of a segmentation fault. Later versions collect
    between two instructions only.
    """
    if sys.version_info >= (3, 12):
        return
    with contextlib.suppress(RuntimeError):  # no thread can be started
        threading.Thread(target=_collect, name="garbage", daemon=True).start()
        gc.disable()


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage until the block ends, in whatever thread."""
    with _collecting:
        automatic = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if automatic:
                gc.enable()


def _collect() -> None:
    while True:
        time.sleep(_PAUSE_S)
        with _collecting:
            _collect_what_is_due()


def _collect_what_is_due() -> None:
    """Collect as many generations as the thresholds of the interpreter ask for."""
    due = [count > limit > 0 for count, limit in zip(gc.get_count(), gc.get_threshold(), strict=True)]
    # Only new objects make garbage: without any, the older generations wait.
    if due[0]:
        gc.collect(2 if due[2] else 1 if due[1] else 0)
