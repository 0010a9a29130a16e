"""A worker for the watch that does what each line of its standard input says."""

from __future__ import annotations

import os
import signal
import sys
import time

for line in sys.stdin:
    match line.strip():
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            sys.exit(7)
        case "spin":
            while True:
                pass
        case "sleep":
            time.sleep(600)
        case "grow":
            memory = bytearray(1 << 28)
            memory[::4096] = bytes(len(memory[::4096]))
            time.sleep(600)
        case "print":
            print("words", file=sys.stderr)
    print("fine", flush=True)
