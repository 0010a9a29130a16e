"""Measures the build of whatever interpreter runs it: a command a line, and an answer a line.

cpu FILE                   CPU seconds of an analysis
rate FILE FILES THREADS    files per second of `analyze_many`
"""

from __future__ import annotations

import sys
import time

import auralis_fp

for line in sys.stdin:
    command, path, *numbers = line.rstrip("\n").split("\t")
    if command == "cpu":
        began = time.process_time()
        auralis_fp.analyze(path)
        print(time.process_time() - began, flush=True)
    else:
        files, threads = map(int, numbers)
        began = time.perf_counter()
        results = [result for _path, result in auralis_fp.analyze_many([path] * files, workers=threads)]
        assert not any(isinstance(result, Exception) for result in results)
        print(files / (time.perf_counter() - began), flush=True)
