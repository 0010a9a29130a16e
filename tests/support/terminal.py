"""Commands on a terminal, where they may draw and colour."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import termios
from collections.abc import Mapping
from pathlib import Path

from support.library import command


def run_on_terminal(
    *arguments: str | Path, columns: int = 80, variables: Mapping[str, str] = {}
) -> subprocess.CompletedProcess[str]:
    """Run a command on a terminal; ``stdout`` is what it has written there."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns)) if hasattr(termios, "tcsetwinsize") else None
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns), **variables}
    process = subprocess.Popen(command(*arguments), stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    output = bytearray()
    with contextlib.suppress(OSError):  # the end of a terminal is an error
        while part := os.read(ours, 4096):
            output += part
    os.close(ours)
    return subprocess.CompletedProcess(process.args, process.wait(30), output.decode())
