"""MP4 whose index claims or expands to very much."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Final

from support.encode import EncodedFiles

HUGE: Final = 0xFFFF_FFF0  # a 32-bit count


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def with_box(m4a: bytes, name: bytes, replacement: bytes) -> bytes:
    """The file with the first box of this name replaced, and the boxes around it resized."""
    data = bytearray(m4a)
    at = data.index(name) - 4
    size = int.from_bytes(data[at : at + 4], "big")
    tables = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
    parents = {b"trak": (b"moov",), b"udta": (b"moov",), b"elst": (b"moov", b"trak", b"edts")}
    data[at : at + size] = replacement
    for parent in parents.get(name, tables):
        start = data.rindex(parent, 0, at) - 4
        grown = int.from_bytes(data[start : start + 4], "big") + len(replacement) - size
        data[start : start + 4] = grown.to_bytes(4, "big")
    return bytes(data)


def mp4_table(encoded: EncodedFiles, name: bytes, count: int) -> bytes:
    """A table of the sample index that claims to be longer than it is."""
    data = bytearray(encoded.file("aac-m4a").read_bytes())
    at = data.index(name) + (12 if name == b"stsz" else 8)
    data[at : at + 4] = count.to_bytes(4, "big")
    return bytes(data)


def mp4_samples_of_one_size(encoded: EncodedFiles, count: int) -> bytes:
    """Packets of one byte each, which need no table: the index is built from the claim alone."""
    m4a = encoded.file("aac-m4a").read_bytes()
    m4a = with_box(m4a, b"stsc", box(b"stsc", struct.pack(">IIIII", 0, 1, 1, count, 1)))
    return with_box(m4a, b"stsz", box(b"stsz", struct.pack(">III", 0, 1, count)))


def mp4_long_indices(encoded: EncodedFiles, count: int, tracks: int) -> bytes:
    """The same for several tracks, with time offsets and an edit list, for which FFmpeg copies the index."""
    m4a = encoded.file("aac-m4a").read_bytes()
    m4a = with_box(m4a, b"stsc", box(b"stsc", struct.pack(">IIIII", 0, 1, 1, count, 1)))
    m4a = with_box(m4a, b"stsz", box(b"stsz", struct.pack(">III", 0, 1, count)))
    offsets = box(b"ctts", struct.pack(">IIII", 0, 1, count, 0))
    m4a = with_box(m4a, b"stts", box(b"stts", struct.pack(">IIII", 0, 1, count, 1024)) + offsets)
    duration = m4a.index(b"elst") + 12
    return mp4_streams(m4a[:duration] + b"\x7f\xff\xff\xff" + m4a[duration + 4 :], tracks)


def mp4_chapters(encoded: EncodedFiles, count: int) -> bytes:
    """A second track whose packets, all the same two bytes, are the titles of the first one's chapters."""
    m4a = encoded.file("aac-m4a").read_bytes()
    chapters = bytearray(m4a.replace(b"edts", b"free"))
    identifier, handler = chapters.index(b"tkhd") + 16, chapters.index(b"hdlr") + 12
    chapters[identifier : identifier + 4] = (7).to_bytes(4, "big")
    chapters[handler : handler + 4] = b"text"
    text = with_box(bytes(chapters), b"stsc", box(b"stsc", struct.pack(">IIIII", 0, 1, 1, 1, 1)))
    text = with_box(text, b"stsz", box(b"stsz", struct.pack(">III", 0, 2, count)))
    text = with_box(text, b"stts", box(b"stts", struct.pack(">IIII", 0, 1, count, 1024)))
    places = struct.pack(">I", m4a.index(bytes(8))) * count
    text = with_box(text, b"stco", box(b"stco", struct.pack(">II", 0, count) + places))
    main = box(b"trak", _track(m4a)[8:] + box(b"tref", box(b"chap", (7).to_bytes(4, "big"))))
    return with_box(m4a, b"trak", main + _track(text))


def mp4_edits(encoded: EncodedFiles, packets: int, edits: int) -> bytes:
    """Edits that refer to the end of the index, which is searched from its beginning."""
    m4a = mp4_long_indices(encoded, packets, 1)
    edit = struct.pack(">IiI", 1, packets * 1024 - 2000, 0x10000)
    return with_box(m4a, b"elst", box(b"elst", struct.pack(">II", 0, edits) + edit * edits))


def mp4_fragments(encoded: EncodedFiles, streams: int, *boxes: bytes) -> bytes:
    """Fragments, for each of which FFmpeg keeps a list of all streams."""
    m4a = mp4_streams(encoded.file("aac-m4a-fragmented").read_bytes(), streams)
    at = m4a.index(b"moof") - 4
    return m4a[:at] + b"".join(boxes) + m4a[at:]


def mp4_segment_index(count: int) -> bytes:
    references = struct.pack(">III", 100, 1024, 0) * count
    return box(b"sidx", struct.pack(">IIIIIHH", 0, 1, 44100, 0, 0, 0, count) + references)


def mp4_fragment(encoded: EncodedFiles, count: int) -> bytes:
    """A fragment whose packets have neither size nor duration."""
    data = bytearray(encoded.file("aac-m4a-fragmented").read_bytes())
    at = data.index(b"trun") + 4
    data[at : at + 8] = struct.pack(">II", 1, count)
    return bytes(data)


def _track(m4a: bytes) -> bytes:
    at = m4a.index(b"trak") - 4
    return m4a[at : at + int.from_bytes(m4a[at : at + 4], "big")]


def mp4_streams(m4a: bytes, count: int) -> bytes:
    return with_box(m4a, b"trak", _track(m4a) * count)


def mp4_tags(encoded: EncodedFiles, count: int) -> bytes:
    def item(number: int) -> bytes:
        names = box(b"mean", bytes(4) + b"com.") + box(b"name", bytes(4) + b"%06x" % number)
        return box(b"----", names + box(b"data", struct.pack(">II", 1, 0) + b"x"))

    handler = box(b"hdlr", struct.pack(">II4s", 0, 0, b"mdir") + bytes(12))
    tags = box(b"ilst", b"".join(map(item, range(count))))
    m4a = encoded.file("aac-m4a").read_bytes()
    return with_box(m4a, b"udta", box(b"udta", box(b"meta", bytes(4) + handler + tags)))


def mp4_compressed_index(megabytes: int) -> bytes:
    """QuickTime's compressed moov box, of zeros."""
    packed = zlib.compress(bytes(megabytes << 20), 9)
    body = box(b"dcom", b"zlib") + box(b"cmvd", (megabytes << 20).to_bytes(4, "big") + packed)
    return box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"moov", box(b"cmov", body)) + box(b"mdat", b"")


def mp4_nested(depth: int) -> bytes:
    body = b""
    for _ in range(depth):
        body = box(b"udta", body)
    return box(b"ftyp", b"M4A \0\0\0\0M4A ") + box(b"moov", body)


BOMBS: Final[dict[str, Callable[[EncodedFiles], bytes]]] = {
    **{
        f"mp4-{name.decode()}-{count}": lambda encoded, name=name, count=count: mp4_table(
            encoded, name, count
        )  # type: ignore[misc]
        for name in (b"stsz", b"stts", b"stsc", b"stco")
        for count in (HUGE, 100_000_000)
    },
    "mp4-9M-packets": lambda encoded: mp4_samples_of_one_size(encoded, 9_000_000),
    "mp4-80M-packets": lambda encoded: mp4_samples_of_one_size(encoded, 80_000_000),
    "mp4-fragment-9M": lambda encoded: mp4_fragment(encoded, 9_000_000),
    "mp4-fragment-80M": lambda encoded: mp4_fragment(encoded, 80_000_000),
    "mp4-60-streams": lambda encoded: mp4_streams(encoded.file("aac-m4a").read_bytes(), 60),
    "mp4-3000-streams": lambda encoded: mp4_streams(encoded.file("aac-m4a").read_bytes(), 3000),
    "mp4-2-long-indices": lambda encoded: mp4_long_indices(encoded, 4_900_000, 2),
    "mp4-3-long-indices": lambda encoded: mp4_long_indices(encoded, 2_400_000, 3),
    "mp4-edits": lambda encoded: mp4_edits(encoded, 2_000_000, 100_000),
    "mp4-fragments": lambda encoded: mp4_fragments(encoded, 60, box(b"moof", b"") * 200_000),
    "mp4-segment-index": lambda encoded: mp4_fragments(encoded, 60, mp4_segment_index(60_000) * 5),
    "mp4-chapters": lambda encoded: mp4_chapters(encoded, 4_900_000),
    "mp4-tags": lambda encoded: mp4_tags(encoded, 100_000),
    "mp4-compressed-200MB": lambda encoded: mp4_compressed_index(200),
    "mp4-compressed-300MB": lambda encoded: mp4_compressed_index(300),
    "mp4-nested": lambda encoded: mp4_nested(3000),
}
