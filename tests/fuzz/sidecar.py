"""Fuzz target: the content of a sidecar file. Needs atheris; takes libFuzzer's options.

The property test in ``tests/library/files/test_sidecar.py`` asks the same of hypothesis;
this one is guided by coverage.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["auralis_fp.library.files.sidecar", "json"]):
    from auralis_fp.library.files import sidecar

from auralis_fp.schema import FINGERPRINT_VERSION, NAMES

VALUES = {name: index + 0.5 for index, name in enumerate(NAMES)}
os.environ["TZ"] = "UTC"
time.tzset()
STATE = sidecar.FileState(8, 1_735_787_045_000_000_000)  # in UTC, what the seeds say
FOLDER = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
SONG = str(Path(FOLDER.name) / "song.wav")


def check(data: bytes) -> None:
    """Whatever the file holds: a miss or 25 finite numbers; a write makes it valid or changes nothing."""
    path = Path(SONG + ".25d")
    path.write_bytes(data)
    read = sidecar.read(SONG, STATE)
    if read is not None:
        assert list(read) == [*NAMES, "fingerprint_version"]
        assert all(type(read[name]) is float and math.isfinite(read[name]) for name in NAMES)
        assert read["fingerprint_version"] == FINGERPRINT_VERSION
    try:
        sidecar.write(SONG, VALUES, STATE)
    except OSError:
        assert path.read_bytes() == data
    else:
        assert sidecar.read(SONG, STATE) == {**VALUES, "fingerprint_version": FINGERPRINT_VERSION}
        written = path.read_bytes()
        sidecar.write(SONG, VALUES, STATE)
        assert len(path.read_bytes()) == len(written)


if __name__ == "__main__":
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
