"""End while four daemon threads analyse good and bad PATHs."""

from __future__ import annotations

import sys
import threading

import auralis_fp

refused = threading.Event()


def work() -> None:
    while True:
        for path in sys.argv[1:]:
            try:
                auralis_fp.analyze(path)
            except auralis_fp.AnalysisError:
                refused.set()


for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
refused.wait()
