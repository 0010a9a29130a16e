"""The tags of a file: title, artist, album, duration and format, read by mutagen.

Tag readers believe what they read: 3 MB of compressed frames become gigabytes, and a million small ones take
hours. So mutagen runs in a process of its own, ``tag_reader.py``.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import json
import logging
import os
import select
import subprocess
import sys
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from auralis_fp._text import printable
from auralis_fp.isolation import interpreter

__all__ = ["Tags", "read_tags"]

if importlib.util.find_spec("mutagen") is None:  # raised at once, and not for every file
    raise ModuleNotFoundError("No module named 'mutagen'", name="mutagen")

_log = logging.getLogger(__name__)

_PROCESSES: Final = 2  # tags are read a hundred times as fast as audio is analysed
_PATIENCE_S: Final = 20.0  # with a slow disk, and a busy machine
_PROGRAM: Final = str(Path(__file__).with_name("tag_reader.py"))


class Tags(NamedTuple):
    """The tags of a file; None where it has none.

    Attributes
    ----------
    title : str
        The title tag, or else the file's name without its extension.
    duration : float or None
        Seconds.
    sample_rate, bit_depth, channels : int or None
        As the header declares them.
    artist, album : str or None
        The tags.
    """

    title: str
    duration: float | None = None
    sample_rate: int | None = None
    bit_depth: int | None = None
    channels: int | None = None
    artist: str | None = None
    album: str | None = None


def read_tags(path: str) -> Tags:
    """Return the tags of an audio file; if it cannot be read, its name is the title.

    It raises nothing, whatever the file holds, and may take a second of processor time and 160 MB in another
    process. If that process cannot be started, no file has tags.
    """
    found = Tags(title=printable(Path(path).stem))
    try:
        answer = _readers(os.getpid()).ask(os.path.abspath(path))  # noqa: PTH100 - a string as it came
        told = {name: value for name, value in answer.items() if value is not None}
        texts = {name: printable(value) for name, value in told.items() if isinstance(value, str)}
        return found._replace(**{**told, **texts})
    except Exception as error:
        _log.info("%s: no tags: %s: %s", printable(path), type(error).__name__, error)
        return found


@lru_cache(maxsize=1)
def _readers(_process: int) -> _Readers:
    """Return the readers of this process; a forked child cannot use those of its parent."""
    return _Readers()


class _Readers:
    """Processes that read tags, each of them for one thread at a time."""

    def __init__(self) -> None:
        self._slots: Final = threading.Semaphore(_PROCESSES)
        self._idle: Final[list[_Reader]] = []
        atexit.register(self.close)

    def ask(self, path: str) -> dict[str, Any]:
        """Return a process's answer about a file; raise OSError or EOFError if there is none."""
        with self._slots:
            while (reader := self._resting()) is not None:
                with contextlib.suppress(EOFError, BrokenPipeError):  # it was just ending
                    return self._ask(reader, path)
            return self._ask(_Reader(), path)

    def close(self) -> None:
        """End the idle processes."""
        while self._idle:
            self._idle.pop().close()

    def _ask(self, reader: _Reader, path: str) -> dict[str, Any]:
        try:
            answer = reader.ask(path)
        except BaseException:
            reader.close()
            raise
        self._idle.append(reader)
        return answer

    def _resting(self) -> _Reader | None:
        while self._idle:
            reader = self._idle.pop()
            if reader.alive:
                return reader
            reader.close()
        return None


class _Reader:
    """A process of ``tag_reader.py``. It ends with this process, because its input then ends."""

    def __init__(self) -> None:
        python = interpreter()
        if python is None:
            raise OSError("no Python to start another process with")
        flags = ["-I"] if sys.flags.isolated else []
        self._process: Final = subprocess.Popen(
            [python, *flags, _PROGRAM, *(entry for entry in sys.path if isinstance(entry, str))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the program, which may want to finish
        )

    @property
    def alive(self) -> bool:
        """True while the process is running."""
        return self._process.poll() is None

    def ask(self, path: str) -> dict[str, Any]:
        """Return the process's answer about a file."""
        questions, answers = self._process.stdin, self._process.stdout
        assert questions is not None
        assert answers is not None
        questions.write(json.dumps(path).encode() + b"\n")
        questions.flush()
        waiting = select.poll()
        waiting.register(answers, select.POLLIN)
        if not waiting.poll(1000 * _PATIENCE_S):
            raise TimeoutError(f"no answer within {_PATIENCE_S:g} s")
        if not (line := answers.readline()):
            raise EOFError("the process that read them has died")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # stuck in the kernel, say in a dead disk
            self._process.wait(1.0)
        with contextlib.suppress(OSError):  # it did not read its last question
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None
                pipe.close()
