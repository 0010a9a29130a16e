"""Files of any size whose tags would cost a credulous reader gigabytes or hours."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable
from functools import cache

MB = 1 << 20


def syncsafe(number: int) -> bytes:
    return bytes([number >> 21 & 127, number >> 14 & 127, number >> 7 & 127, number & 127])


def id3(body: bytes, version: int = 4) -> bytes:
    return b"ID3" + bytes([version, 0, 0]) + syncsafe(len(body)) + body


@cache
def compressed_text(megabytes: int = 100) -> tuple[int, bytes]:
    """The length of a text of so many megabytes, and what it is compressed to."""
    raw = b"\x03x\0" + b"A" * (megabytes * MB)
    return len(raw), zlib.compress(raw, 9)


def compressed_frames(megabytes: int, version: int = 4, frame: bytes = b"TXXX") -> bytes:
    """An ID3v2 tag of frames that are 100 MB each once they are inflated."""
    length, data = compressed_text()
    if version == 4:
        data = syncsafe(length) + data
        one = frame + syncsafe(len(data)) + struct.pack(">H", 0x0009) + data
    else:
        data = struct.pack(">I", length) + data
        one = frame + struct.pack(">IH", len(data), 0x0080) + data
    return id3(one * max(1, megabytes // 100), version)


def tiny_frames(megabytes: int, version: int = 4) -> bytes:
    """An ID3v2 tag of as many frames as fit."""
    frame = b"TT2\0\0\2\0A" if version == 2 else b"TIT2" + b"\0\0\0\2" + b"\0\0\0A"
    return id3(frame * (megabytes * MB // len(frame)), version)


def mp3(tag: bytes) -> bytes:
    return tag + (b"\xff\xfb\x90\x00" + bytes(413)) * 20


def wav(tag: bytes) -> bytes:
    tag += b"\0" * (len(tag) & 1)
    body = b"WAVEfmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    body += b"id3 " + struct.pack("<I", len(tag)) + tag + b"data\x10\0\0\0" + bytes(16)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def aiff(tag: bytes) -> bytes:
    tag += b"\0" * (len(tag) & 1)
    body = b"AIFFCOMM\0\0\0\x12\0\1\0\0\0\x08\0\x10\x40\x0b\xfa\0\0\0\0\0\0\0"
    body += b"ID3 " + struct.pack(">I", len(tag)) + tag + b"SSND\0\0\0\x18" + bytes(24)
    return b"FORM" + struct.pack(">I", len(body)) + body


def dsf(tag: bytes) -> bytes:
    audio = b"fmt " + struct.pack("<QIIIIIIQII", 52, 1, 0, 2, 2, 2822400, 1, 8, 4096, 0)
    audio += b"data" + struct.pack("<Q", 12 + 8192) + bytes(8192)
    return b"DSD " + struct.pack("<QQQ", 28, 28 + len(audio) + len(tag), 28 + len(audio)) + audio + tag


def comments(megabytes: int) -> bytes:
    """A Vorbis comment of as many entries as fit."""
    entry = struct.pack("<I", 7) + b"TITLE=A"
    count = megabytes * MB // len(entry)
    return struct.pack("<I", 0) + struct.pack("<I", count) + entry * count


def flac(megabytes: int) -> bytes:
    stream = struct.pack(">HH", 4096, 4096) + bytes(6) + bytes.fromhex("01f40170") + bytes(20)
    blocks = b"\0\0\0\x22" + stream
    for last in [*[b"\x04"] * (megabytes // 15), b"\x84"]:
        block = comments(min(megabytes, 15))
        blocks += last + struct.pack(">I", len(block))[1:] + block
    return b"fLaC" + blocks


def ogg(packets: list[bytes]) -> bytes:
    """One stream, a packet after the other."""
    pages, number = b"", 0
    for packet in packets:
        for at in range(0, len(packet) + 1, 255 * 255):
            piece = packet[at : at + 255 * 255]
            lacing = bytes([255]) * (len(piece) // 255)
            if len(piece) < 255 * 255:
                lacing += bytes([len(piece) % 255])
            flags = (2 if number == 0 else 0) | (1 if at else 0)
            header = (
                struct.pack("<4sBBqIII", b"OggS", 0, flags, 0, 1, number, 0) + bytes([len(lacing)]) + lacing
            )
            pages += header + piece
            number += 1
    return pages


def vorbis(megabytes: int) -> bytes:
    head = b"\x01vorbis" + struct.pack("<IBIIIIBB", 0, 2, 44100, 0, 128000, 0, 0xB8, 1)
    return ogg([head, b"\x03vorbis" + comments(megabytes) + b"\1", b"\x05vorbis" + bytes(100)])


def opus(megabytes: int) -> bytes:
    picture = base64.b64encode(bytes(megabytes * MB))
    entry = b"METADATA_BLOCK_PICTURE=" + picture
    tags = b"OpusTags" + struct.pack("<II", 0, 1) + struct.pack("<I", len(entry)) + entry
    return ogg([b"OpusHead" + struct.pack("<BBHIhB", 1, 2, 312, 48000, 0, 0), tags])


def box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", 8 + len(payload)) + kind + payload


def mp4(ilst: bytes) -> bytes:
    meta = box(b"meta", bytes(4) + box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9)) + box(b"ilst", ilst))
    mvhd = box(b"mvhd", bytes(12) + struct.pack(">II", 1000, 2000) + bytes(80))
    return (
        box(b"ftyp", b"M4A \0\0\0\0M4A ") + box(b"moov", mvhd + box(b"udta", meta)) + box(b"mdat", bytes(100))
    )


def freeform(megabytes: int) -> bytes:
    atom = box(
        b"----",
        box(b"mean", b"\0\0\0\0c") + box(b"name", b"\0\0\0\0k") + box(b"data", b"\0\0\0\1\0\0\0\0v"),
    )
    return mp4(atom * (megabytes * MB // len(atom)))


def nested(megabytes: int) -> bytes:
    atoms = b""
    for _ in range(min(20000, megabytes * 1000)):
        atoms = struct.pack(">I", 8) + b"moov" + atoms if not atoms else box(b"moov", atoms)
    return mp4(atoms)


def ape(megabytes: int) -> bytes:
    """A Monkey's Audio file with an APEv2 tag of as many items as fit."""
    items, count = b"", megabytes * MB // 16
    items = b"".join(struct.pack("<II", 1, 0) + b"k%06x\0A" % number for number in range(count))
    footer = b"APETAGEX" + struct.pack("<IIII", 2000, len(items) + 32, count, 0) + bytes(8)
    return b"MAC \x8c\x0f\0\0" + bytes(100) + items + footer


def asf(megabytes: int) -> bytes:
    """A Windows Media header with as many attributes as fit."""
    attribute = struct.pack("<H", 4) + b"k\0\0\0" + struct.pack("<HH", 0, 4) + b"A\0\0\0"
    count = min(65535, megabytes * MB // len(attribute))
    data = struct.pack("<H", count) + attribute * count
    guid = bytes.fromhex("40a4d0d207e3d21197f000a0c95ea850")
    objects = (guid + struct.pack("<Q", 24 + len(data)) + data) * max(1, megabytes * MB // max(1, len(data)))
    head = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
    return head + struct.pack("<QIBB", 30 + len(objects), megabytes, 1, 2) + objects


BOMBS: dict[str, tuple[str, Callable[[int], bytes]]] = {
    "compressed frames in MP3": ("mp3", lambda size: mp3(compressed_frames(size * 100))),
    "compressed frames of ID3v2.3": ("mp3", lambda size: mp3(compressed_frames(size * 100, 3))),
    "a compressed title": ("mp3", lambda size: mp3(compressed_frames(size * 100, 4, b"TIT2"))),
    "compressed frames in WAV": ("wav", lambda size: wav(compressed_frames(size * 100))),
    "compressed frames in AIFF": ("aiff", lambda size: aiff(compressed_frames(size * 100))),
    "compressed frames in DSF": ("dsf", lambda size: dsf(compressed_frames(size * 100))),
    "tiny frames": ("mp3", lambda size: mp3(tiny_frames(size))),
    "tiny frames of ID3v2.2": ("mp3", lambda size: mp3(tiny_frames(size, 2))),
    "tiny frames of ID3v2.3": ("wav", lambda size: wav(tiny_frames(size, 3))),
    "comments in FLAC": ("flac", flac),
    "comments in Vorbis": ("ogg", vorbis),
    "a picture in Opus": ("opus", opus),
    "freeform atoms": ("m4a", freeform),
    "nested atoms": ("m4a", nested),
    "items of APEv2": ("ape", ape),
    "attributes of ASF": ("wma", asf),
}
"""By content: the extension, and the maker of a file of roughly a given number of megabytes."""
