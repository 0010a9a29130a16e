"""Objects shared by threads while garbage with finalizers is collected."""

from __future__ import annotations

import subprocess
import sys
import time
import weakref

# Threads make the __dict__ of the same objects, and drop garbage whose finalizer lets another thread run.
PROGRAM = """
import threading, time
from concurrent.futures import ThreadPoolExecutor
from auralis_fp._garbage import collect_in_own_thread

class Garbage:
    def __init__(self):
        self.itself = self
    def __del__(self):
        time.sleep(0)

class Shared:
    def __init__(self):
        self.first = self.second = None

def fill(thread):
    barrier.wait()
    for shared in objects:
        Garbage()
        shared.__dict__[f"item_{thread}"] = thread
        setattr(shared, f"attribute_{thread}", thread)

collect_in_own_thread()
for _round in range(300):
    objects = [Shared() for _ in range(300)]
    barrier = threading.Barrier(9)
    with ThreadPoolExecutor(9) as pool:
        list(pool.map(fill, range(9)))
    assert all(len(vars(shared)) == 2 + 2 * 9 for shared in objects)
"""


def test_objects_shared_by_threads_keep_their_attributes() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=300)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_garbage_is_collected_without_being_asked() -> None:
    class Cycle:
        def __init__(self) -> None:
            self.itself = self

    gone = weakref.ref(Cycle())
    deadline = time.monotonic() + 60
    kept: list[list[list[int]]] = []
    while gone() is not None:
        assert time.monotonic() < deadline
        kept.append([[] for _ in range(1000)])
        time.sleep(0.01)
