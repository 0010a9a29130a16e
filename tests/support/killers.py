"""Stand-ins for :func:`auralis_fp.analyze` that take their process down, as a defect in a decoder would.

Workers import them by name. What a file does is what its content says.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import auralis_fp
from auralis_fp import CancelToken, CorruptAudio, Fingerprint


class Unpicklable(Exception):
    """An exception that keeps fewer arguments than it needs."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


def analyze(path: str, *, timeout: float | None = None, cancel: CancelToken | None = None) -> Fingerprint:
    """Do what the file says, or measure it if it says nothing."""
    content = Path(path).read_bytes()
    order = content.decode() if content.startswith(b"do ") else ""
    if order.endswith(" once"):  # that is, in the first process that tries it
        Path(path).write_bytes(content.removesuffix(b" once") + b" no more")
    match order.split()[1:]:
        case ["signal", name] | ["signal", name, "once"]:
            os.write(2, b"last words\n")
            os.kill(os.getpid(), signal.Signals[name])
            time.sleep(60)
        case ["exit", status]:
            os._exit(int(status))
        case ["eat"]:
            hoard = []
            while True:
                hoard.append(bytearray(1 << 20))
        case ["hang"]:
            time.sleep(600)  # and ignores time limits
        case ["babble"]:
            sys.stdout.write("not for the connection\n" * 1000)
            sys.stdout.flush()
        case ["raise", "known"]:
            raise CorruptAudio("nothing to decode", stage="decode", path=path)
        case ["raise", "unknown"]:
            raise Unpicklable("this", "that")
        case ["pid"]:
            raise CorruptAudio(str(os.getpid()), path=path)
    if order:
        path = str(Path(path).with_name("good.wav"))
    return auralis_fp.analyze(path, timeout=timeout, cancel=cancel)
