"""Peak memory of this process."""

from __future__ import annotations

import re
from pathlib import Path


def peak_bytes() -> int:
    """The most that was ever resident. (A new process inherits its parent's ``ru_maxrss``.)"""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found.group(1)) * 1024
