"""Files in which the core itself would search for ever: for tags, and for what FFmpeg must not see.

``SEARCHES`` are of files that take a second or more of a search that does not ask for the deadline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from support.bombs.matroska import element, matroska

MPEG_FRAMES: Final = (b"\xff\xfb\x90\x00" + bytes(413)) * 20


def beginnings_of_tags(tags: int) -> bytes:
    """Each of which may begin the tag at the end, which only its own length tells."""
    tag = b"ID3\3\0\0\0\0\0\0"
    return MPEG_FRAMES + b"ID3" * 350_000 + tag * tags


def tracks_of_elements(tracks: int) -> bytes:
    """Some of which might say that packets are compressed."""
    encodings = element("6d80", b"\x62\x40\x80" * 999)
    tracks_element = element("1654ae6b", element("ae", encodings * 20) * tracks)
    return matroska(element("1549a966", b""), tracks_element)


def blocks_of_flac(markers: int) -> bytes:
    """Metadata without an end, which begins at many places."""
    blocks = b"fLaC" * markers + (b"\1\0\4\0" + bytes(1024)) * 20_000
    return matroska(element("1549a966", b""), element("ec", blocks))


SEARCHES: Final[dict[str, Callable[[], bytes]]] = {
    "beginnings of tags": lambda: beginnings_of_tags(15),
    "elements of Matroska": lambda: tracks_of_elements(100),
    "blocks of FLAC": lambda: blocks_of_flac(1000),
}
