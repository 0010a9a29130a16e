"""Tags as programs write them around a recording, with cover art of 800 kB."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from functools import cache
from typing import Final

import numpy as np

ART_BYTES: Final = 800_000


@cache
def art() -> bytes:
    """A tag of arbitrary bytes, including those with which frames or other tags begin."""
    data = np.random.default_rng(5).bytes(ART_BYTES - 300)
    return (
        data + b"TAG" + data[:50] + b"\xff\xfb\x90\x64" + b"APETAGEX" + bytes(50) + b"LYRICSEND" + data[:176]
    )


def synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def id3v2(version: int, *, unsynchronised: bool = False, footer: bool = False, padding: int = 0) -> bytes:
    text, picture = b"\0A title", b"\0image/png\0\3\0" + art()
    if version == 2:
        frames = b"TT2" + len(text).to_bytes(3, "big") + text
        picture = b"\0PNG\3\0" + art()
        frames += b"PIC" + len(picture).to_bytes(3, "big") + picture
    else:
        size = synchsafe if version == 4 else lambda n: n.to_bytes(4, "big")
        frames = b"TIT2" + size(len(text)) + bytes(2) + text
        frames += b"APIC" + size(len(picture)) + bytes(2) + picture
    frames += bytes(padding)
    if unsynchronised:
        frames = frames.replace(b"\xff", b"\xff\0")
    head = bytes([version, 0, 0x80 * unsynchronised | 0x10 * footer]) + synchsafe(len(frames))
    return b"ID3" + head + frames + (b"3DI" + head if footer else b"")


def apev2(version: int = 2000, *, header: bool = True) -> bytes:
    cover = b"cover.png\0" + art()
    items = struct.pack("<II", 7, 0) + b"Title\0A title"
    items += struct.pack("<II", len(cover), 2) + b"Cover Art (Front)\0" + cover

    def end(flags: int) -> bytes:
        return b"APETAGEX" + struct.pack("<IIII", version, len(items) + 32, 2, flags) + bytes(8)

    both = 0x8000_0000 if header else 0
    return (end(both | 0x2000_0000) if header else b"") + items + end(both)


def lyrics3v1() -> bytes:
    return b"LYRICSBEGIN" + b"[00:01]A line\r\n" * 200 + b"LYRICSEND"


def lyrics3v2() -> bytes:
    text = b"[00:01]A line\r\n" * 2000
    fields = b"LYRICSBEGIN" + b"IND0000211" + b"LYR%05d" % len(text) + text
    return fields + b"%06d" % len(fields) + b"LYRICS200"


def id3v1() -> bytes:
    return b"TAG" + b"A title".ljust(30, b"\0") + bytes(94) + b"\x0c"


def enhanced_id3v1() -> bytes:
    return b"TAG+" + b"A title".ljust(223, b"\0") + id3v1()


LEADING: Final[dict[str, bytes]] = {
    "nothing": b"",
    **{f"ID3v2.{version}": id3v2(version, padding=1000) for version in (2, 3, 4)},
    **{f"ID3v2.{version}, unsynchronised": id3v2(version, unsynchronised=True) for version in (2, 3, 4)},
    "two of ID3v2": id3v2(4, footer=True) + id3v2(3),
}

_TRAILING: Final[list[dict[str, bytes]]] = [
    {
        "": b"",
        "appended ID3v2.4": id3v2(4, footer=True),
        "appended ID3v2.4, unsynchronised": id3v2(4, footer=True, unsynchronised=True),
        "ID3v2.2 behind": id3v2(2),
        "ID3v2.3 behind": id3v2(3, unsynchronised=True),
    },
    {
        "": b"",
        "APEv1": apev2(1000, header=False),
        "APEv2": apev2(),
        "APEv2 without header": apev2(header=False),
    },
    {"": b"", "Lyrics3": lyrics3v1(), "Lyrics3v2": lyrics3v2()},
    {"": b"", "ID3v1": id3v1(), "enhanced ID3v1": enhanced_id3v1()},
]


def trailing() -> Iterator[tuple[str, bytes]]:
    """All combinations, in the order in which programs write them."""
    for combination in itertools.product(*(kind.items() for kind in _TRAILING)):
        names, tags = zip(*combination, strict=True)
        yield ", ".join(filter(None, names)), b"".join(tags)


def single_tags() -> list[bytes]:
    """All tags that may stand at the end."""
    return [tag for kind in _TRAILING for tag in kind.values() if tag]
