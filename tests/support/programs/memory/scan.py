"""Scan FOLDER into DATABASE; print the process's memory after each file.   DATABASE FOLDER"""

from __future__ import annotations

import sys
import threading

import numpy as np

from auralis_fp import analyze_samples
from auralis_fp.library import FingerprintExtractor, FingerprintQueue, LibraryRepository
from auralis_fp.library.work.catalog import synchronize
from auralis_fp.library.work.progress import memory_bytes

repository = LibraryRepository(sys.argv[1])
synchronize(repository.database, [sys.argv[2]])
# Short files are hardly ever all analysed at once, and the one time that they are should not look like
# growth: so let that happen first.
noise = np.random.default_rng(1).standard_normal(44100 * 20).astype("float32") * np.float32(0.1)
threads = [threading.Thread(target=analyze_samples, args=(noise, 44100)) for _ in range(64)]
for number, thread in enumerate(threads):
    thread.start()
    if number >= 15:
        threads[number - 15].join()
memory: list[int] = []
lock = threading.Lock()


def note(track: object, extraction: object) -> None:
    with lock:
        memory.append(memory_bytes())


queue = FingerprintQueue(FingerprintExtractor(repository), until_empty=True, on_progress=note)
queue.start()
queue.join()
assert queue.error is None, queue.error
print(*memory)
