"""Fork before, between and during analyses of PATHs; print the wait status of each child."""

from __future__ import annotations

import os
import signal
import sys
import threading

import auralis_fp

paths = sys.argv[1:]
expected: list[bytes] = []
stop = threading.Event()


def vector(result: object) -> bytes:
    assert isinstance(result, auralis_fp.Fingerprint)
    return result.vector.tobytes()


def child() -> int:
    pid = os.fork()
    if pid == 0:
        signal.alarm(30)  # a lock that a thread of the parent held at the time would be held for ever
        vectors = [vector(auralis_fp.analyze(path)) for path in paths]
        many = dict(auralis_fp.analyze_many(paths, workers=3))
        same = [vector(many[path]) for path in paths] == vectors == (expected or vectors)
        os._exit(0 if same else 3)
    return os.waitpid(pid, 0)[1]


def work(number: int) -> None:
    while not stop.is_set():
        number += 1
        auralis_fp.analyze(paths[number % len(paths)])


print(child())
expected.extend(vector(auralis_fp.analyze(path)) for path in paths)
print(child())
threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
for thread in threads:
    thread.start()
for _ in range(10):
    print(child())
stop.set()
for thread in threads:
    thread.join()
