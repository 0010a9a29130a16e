"""Files that are written in one step: they are there as a whole, or as they were."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

__all__ = ["replacing"]


@contextlib.contextmanager
def replacing(output: Path) -> Iterator[TextIO]:
    """Yield a text file, UTF-8 with lines as they are, that takes the place of ``output`` at the end.

    The new file keeps the permissions of the old one. On any exception, ``output`` stays as it was.
    """
    folder = os.path.realpath(output.parent)
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".auralis-fp-", suffix=output.suffix)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            yield file
            os.fchmod(file.fileno(), _mode(output))
        Path(temporary).replace(output)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def _mode(output: Path) -> int:
    try:
        return output.stat().st_mode & 0o777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
