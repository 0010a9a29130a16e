"""End while a thread that is no daemon has still to print the fingerprint of PATH."""

from __future__ import annotations

import sys
import threading

import auralis_fp


def work() -> None:
    print(auralis_fp.analyze(sys.argv[1]).vector.tobytes().hex())


threading.Thread(target=work).start()
