"""Analyse PATH among threads, from an exit handler, and from a finaliser that runs when modules are gone."""

from __future__ import annotations

import atexit
import contextlib
import sys
from collections.abc import Callable

from support.programs.interpreter import busy

import auralis_fp


class Late:
    """An object that analyses when it is released, with only what it holds itself."""

    def __del__(
        self,
        analyze: Callable[[str], object] = auralis_fp.analyze,
        path: str = busy.PATH,
        suppress: type[contextlib.suppress] = contextlib.suppress,
    ) -> None:
        with suppress(BaseException):
            analyze(path)


atexit.register(lambda: print(auralis_fp.analyze(busy.PATH).vector.tobytes().hex()))
sys.late = Late()  # type: ignore[attr-defined]
busy.start()
