"""Threads make the __dict__ of the same objects, and drop garbage whose finalizer lets another thread run."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from auralis_fp._garbage import collect_in_own_thread

THREADS = 9


class Garbage:
    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        time.sleep(0)


class Shared:
    def __init__(self) -> None:
        self.first = self.second = None


def fill(thread: int) -> None:
    barrier.wait()
    for shared in objects:
        Garbage()
        shared.__dict__[f"item_{thread}"] = thread
        setattr(shared, f"attribute_{thread}", thread)


collect_in_own_thread()
for _round in range(300):
    objects = [Shared() for _ in range(300)]
    barrier = threading.Barrier(THREADS)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(fill, range(THREADS)))
    assert all(len(vars(shared)) == 2 + 2 * THREADS for shared in objects)
