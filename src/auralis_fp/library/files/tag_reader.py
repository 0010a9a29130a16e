"""The program that reads tags: a line with a path on its standard input, a line with tags on its output.

It runs in a process of its own, started by :mod:`auralis_fp.library.files.tags`, and imports nothing of this
package, so that it is small and starts at once. It limits its own memory and processor time; the process
that started it limits the time on the clock.
"""

from __future__ import annotations

import json
import math
import os
import resource
import select
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final, NoReturn

MEMORY: Final = 160 << 20
"""Bytes that the process may hold; while a picture in a tag is read, there are several copies of it."""

PROCESSOR_S: Final = 1.0
"""Seconds of processor time that a file may take, a thousand times what it needs."""

_IDLE_S: Final = 60.0
_MAX_CHARACTERS: Final = 500

# Names of a tag in mutagen's "easy" view, in ID3 and in ASF.
_NAMES: Final = {
    "title": ("title", "TIT2", "Title"),
    "artist": ("artist", "TPE1", "Author"),
    "album": ("album", "TALB", "WM/AlbumTitle"),
}
# Names of a property in mutagen's stream information.
_PROPERTIES: Final[dict[str, tuple[str, type[Any]]]] = {
    "duration": ("length", float),
    "sample_rate": ("sample_rate", int),
    "bit_depth": ("bits_per_sample", int),
    "channels": ("channels", int),
}


def main() -> None:
    """Answer until the other side has ended, or has asked nothing for a minute."""
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    while select.select([sys.stdin], [], [], _IDLE_S)[0] and (line := sys.stdin.buffer.readline()):
        print(json.dumps(read(json.loads(line))), flush=True)


def read(path: str) -> dict[str, Any]:
    """Return the tags of a file by name; none if it cannot be read within the limits."""
    import mutagen

    try:
        with _limited_processor_time(), _opened(path) as file:
            found = mutagen.File(file, easy=True)
            if found is None:  # not of a format that mutagen knows
                return {}
            texts = {name: _text(found.tags, keys) for name, keys in _NAMES.items()}
            numbers = {name: _positive(found.info, *where) for name, where in _PROPERTIES.items()}
            return {**texts, **numbers}
    except (Exception, _TimeIsUp):  # a parser of hostile files may raise anything
        return {}


class _TimeIsUp(BaseException):
    """The time is over. It is not an Exception, which mutagen might catch."""


@contextmanager
def _limited_processor_time() -> Iterator[None]:
    def stop(*_signal: object) -> NoReturn:
        raise _TimeIsUp

    signal.signal(signal.SIGPROF, stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGPROF])
    signal.setitimer(signal.ITIMER_PROF, PROCESSOR_S, 0.1)  # and again, in case it is caught
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    # Not blocking: the name may belong to a pipe by now.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("no regular file")
        yield file


def _text(tags: Any, keys: tuple[str, ...]) -> str | None:
    for key in keys if tags is not None else ():
        if values := tags.get(key):
            return str(values[0])[:_MAX_CHARACTERS].strip() or None
    return None


def _positive(info: Any, name: str, kind: type[Any]) -> Any:
    value = getattr(info, name, None)
    usable = isinstance(value, int | float) and math.isfinite(value) and 0 < value < 2**31
    return kind(value) if usable else None


if __name__ == "__main__":
    sys.path[:] = sys.argv[1:]
    main()
