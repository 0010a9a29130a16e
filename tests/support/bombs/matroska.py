"""Matroska with very long lists, whose entries FFmpeg compares with each other."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from support.bombs.flac import comments, flac_metadata
from support.encode import EncodedFiles

MEGABYTE: Final = 1_000_000


def element(identity: str, body: bytes, size: int | None = None) -> bytes:
    """An EBML element, whose size may be a claim."""
    width = 1 << 56 | (len(body) if size is None else size)
    return bytes.fromhex(identity) + width.to_bytes(8, "big") + body


def matroska(*parts: bytes) -> bytes:
    return element("1a45dfa3", element("4282", b"matroska")) + element("18538067", b"".join(parts))


def _small(identity: str, body: bytes) -> bytes:
    return bytes.fromhex(identity) + bytes([0x80 | len(body)]) + body


def matroska_with(encoded: EncodedFiles, *parts: bytes) -> bytes:
    """A recording with more elements in front of its tracks."""
    seek_head, nothing = bytes.fromhex("114d9b74"), bytes.fromhex("114d9b75")  # the places in it change
    mka = encoded.file("flac-mka").read_bytes().replace(seek_head, nothing)
    segment, tracks = mka.index(bytes.fromhex("18538067")), mka.rindex(bytes.fromhex("1654ae6b"))
    unknown_size = b"\x01" + b"\xff" * 7
    return mka[: segment + 4] + unknown_size + mka[segment + 12 : tracks] + b"".join(parts) + mka[tracks:]


def matroska_tags(count: int) -> bytes:
    tags = (_small("67c8", _small("45a3", b"%06x" % i) + _small("4487", b"")) for i in range(count))
    return element("1254c367", element("7373", b"".join(tags)))


def matroska_chapters(count: int) -> bytes:
    """Chapters with descending numbers, so that FFmpeg compares each with all before it."""
    numbers = ((count - i).to_bytes(4, "big") for i in range(count))
    times = ((1 + i).to_bytes(4, "big") for i in range(count))
    chapters = (
        _small("b6", _small("73c4", n) + _small("91", t)) for n, t in zip(numbers, times, strict=True)
    )
    return element("1043a770", element("45b9", b"".join(chapters)))


def matroska_cues(count: int) -> bytes:
    """Cues from the last to the first, so that FFmpeg moves the whole index for each."""
    position = _small("b7", _small("f7", b"\1") + _small("f1", b"\1"))
    times = (_small("b3", (count - i).to_bytes(4, "big")) for i in range(count))
    return element("1c53bb6b", b"".join(_small("bb", time + position) for time in times))


def matroska_attachments(megabytes: int) -> bytes:
    file = _small("466e", b"cover.jpg") + _small("4660", b"image/jpeg") + _small("46ae", b"\1")
    return element("1941a469", element("61a7", file + element("465c", bytes(megabytes * MEGABYTE))))


def matroska_planes(planes: int, tracks: int) -> bytes:
    """A picture combined of many planes, each of which may be any of many tracks."""
    picture = element("e0", _small("b0", b"\1") + _small("ba", b"\1"))
    combined = element("e2", element("e3", b"\xe4\x80" * planes))
    names = _small("d7", b"\1") + _small("73c5", b"\1") + _small("83", b"\1") + _small("86", b"V_VP8")
    entries = element("ae", names + picture + combined) + b"\xae\x80" * tracks
    info, cluster = element("1549a966", b""), element("1f43b675", element("e7", b"\0"))
    return matroska(info, element("1654ae6b", entries), cluster)


def matroska_flac_comments(encoded: EncodedFiles, count: int) -> bytes:
    """A FLAC stream whose private data holds the comments."""
    flac = flac_metadata(encoded.file("flac-16").read_bytes(), 4, comments(count))
    sound = element("b5", struct.pack(">f", 44100.0)) + element("9f", b"\2")
    names = element("d7", b"\1") + element("73c5", b"\1") + element("83", b"\2") + element("86", b"A_FLAC")
    audio = flac.index(b"\xff\xf8", 42)
    track = element("ae", names + element("63a2", flac[:audio]) + element("e1", sound))
    cluster = element("1f43b675", element("e7", b"\0") + element("a3", b"\x81\0\0\x80" + flac[audio:][:5000]))
    return matroska(element("1549a966", b""), element("1654ae6b", track), cluster)


def matroska_empty_elements(megabytes: int) -> bytes:
    """Every list of the header filled with the smallest elements there are."""
    n = megabytes * MEGABYTE // 14
    return matroska(
        element("114d9b74", bytes.fromhex("4dbb80") * n),  # seek entries
        element("1c53bb6b", bytes.fromhex("bb80") * n),  # cues
        element("1043a770", element("45b9", bytes.fromhex("b680") * n)),  # chapters
        element("1941a469", bytes.fromhex("61a780") * n),  # attachments
        element("1254c367", element("7373", bytes.fromhex("67c880") * n)),  # tags
        element("1654ae6b", bytes.fromhex("ae80") * n),  # tracks
    )


BOMBS: Final[dict[str, Callable[[EncodedFiles], bytes]]] = {
    "matroska-1MB": lambda encoded: matroska_empty_elements(1),
    "matroska-30MB": lambda encoded: matroska_empty_elements(30),
    "matroska-200MB": lambda encoded: matroska_empty_elements(200),
    "matroska-claims": lambda encoded: matroska(
        element("1654ae6b", element("ae", element("63a2", b"x", 0x0FFF_FFFF)))
    ),
    "matroska-planes": lambda _: matroska_planes(2_000_000, 100_000),
    "matroska-flac-comments": lambda encoded: matroska_flac_comments(encoded, 200_000),
    "matroska-tags": lambda encoded: matroska_with(encoded, matroska_tags(200_000)),
    "matroska-chapters": lambda encoded: matroska_with(encoded, matroska_chapters(300_000)),
    "matroska-cues": lambda encoded: matroska_with(encoded, matroska_cues(500_000)),
    "matroska-attachments": lambda encoded: matroska_with(encoded, matroska_attachments(200)),
}
