"""Small files that claim, or expand to, very much: by name, made from encoded files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from support.bombs import flac, matroska, mp4, others
from support.encode import EncodedFiles

BOMBS: Final[dict[str, Callable[[EncodedFiles], bytes]]] = {
    **flac.BOMBS,
    **mp4.BOMBS,
    **matroska.BOMBS,
    **others.BOMBS,
}
