"""Small files that claim, or expand to, very much: by name, made from files of the library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from support.bombs import flac, matroska, mp4, others
from support.encode import Library

BOMBS: Final[dict[str, Callable[[Library], bytes]]] = {
    **flac.BOMBS,
    **mp4.BOMBS,
    **matroska.BOMBS,
    **others.BOMBS,
}
