"""An application's own queue and threads, with one call in place of the old analysis.

Before, each worker loaded the audio and ran NumPy under the GIL, or sent the path to a server. Now it
calls :func:`auralis_fp.analyze`, which decodes and measures with the GIL released: sixteen threads keep
every core busy, and nothing else of the application changes.

    python examples/threaded_queue.py ~/Music/*.flac
"""

from __future__ import annotations

import queue
import sys
import threading
import time

import auralis_fp

WORKERS = 16


def worker(jobs: queue.Queue[str | None], results: queue.Queue[tuple[str, object]]) -> None:
    while (path := jobs.get()) is not None:
        try:
            results.put((path, auralis_fp.analyze(path, timeout=60)))
        except auralis_fp.AnalysisError as error:  # one bad file must not end the thread
            results.put((path, error))


def main(paths: list[str]) -> int:
    jobs: queue.Queue[str | None] = queue.Queue(maxsize=2 * WORKERS)
    results: queue.Queue[tuple[str, object]] = queue.Queue()
    threads = [threading.Thread(target=worker, args=(jobs, results)) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    started = time.monotonic()
    for path in paths:
        jobs.put(path)
    for _ in threads:
        jobs.put(None)
    failed = 0
    for _ in paths:
        path, result = results.get()
        if isinstance(result, auralis_fp.Fingerprint):
            print(f"{path}: {result.lufs:.1f} LUFS, {result.tempo_bpm:.1f} BPM")
        else:
            failed += 1
            print(f"{path}: failed: {result}")
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - started
    print(f"{len(paths)} files in {seconds:.1f} s with {WORKERS} threads, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
