"""A thread makes garbage with references while Ray disconnects, and another one collects it all the time."""

from __future__ import annotations

import gc
import sys
import threading
import time
from typing import Any

from auralis_fp import _garbage
from auralis_fp.cluster.run import on_ray


class Cycle:
    def __init__(self, reference: Any) -> None:
        self.itself, self.reference = self, reference


def drop() -> None:
    while references:
        Cycle(references.pop())
        time.sleep(1e-4)


gc.set_threshold(1)
_garbage._PAUSE_S = 1e-3  # type: ignore[misc]
_garbage.collect_in_own_thread()
with on_ray(sys.argv[1]) as ray:
    references = [ray.put(number) for number in range(3000)]
    threading.Thread(target=drop, daemon=True).start()
    time.sleep(0.05)
print("disconnected")
