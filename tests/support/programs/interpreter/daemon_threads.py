"""End while daemon threads are at work.   PATH DELAY (hundredths of a second)"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from support.programs.interpreter import busy


class Slow:
    """An object that is released slowly, after other threads have lost their right to run."""

    def __del__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        sleep(0.15)


sys.slow = Slow()  # type: ignore[attr-defined]
busy.start()
time.sleep(0.01 * int(sys.argv[2]))
print("end")
