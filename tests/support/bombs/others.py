"""ID3v2 tags, WAV, Ogg and APE that claim or hold very much."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from support.bombs.flac import comments, crc
from support.encode import EncodedFiles

MEGABYTE: Final = 1_000_000


def synchsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def id3_tag(count: int, name: bytes = b"TXXX", version: int = 3) -> bytes:
    """A tag of many frames. In version 4, the first one's size shows that sizes have 7-bit bytes."""
    texts = [b"\0%06x\0b" % number for number in range(count)]
    if version == 4:
        texts[0] = texts[0].ljust(200, b"b")
    size = synchsafe if version == 4 else lambda n: n.to_bytes(4, "big")
    frames = b"".join(name + size(len(text)) + bytes(2) + text for text in texts)
    return b"ID3" + bytes([version, 0, 0]) + synchsafe(len(frames)) + frames


def adts_with_tag(encoded: EncodedFiles, tag: bytes) -> bytes:
    """The tag between two packets."""
    aac = encoded.file("aac-adts").read_bytes()
    at = 0
    for _ in range(40):
        at += int.from_bytes(aac[at + 3 : at + 6], "big") >> 5 & 0x1FFF
    return aac[:at] + tag + aac[at:]


def wav_with_chunk(encoded: EncodedFiles, name: bytes, body: bytes) -> bytes:
    wav = encoded.file("wav-s16").read_bytes()
    at = wav.index(b"data")
    return wav[:at] + name + len(body).to_bytes(4, "little") + body + bytes(len(body) % 2) + wav[at:]


def wav_cues(encoded: EncodedFiles, count: int) -> bytes:
    points = b"".join(struct.pack("<6I", count - i, 0, 0, 0, 0, i) for i in range(count))
    return wav_with_chunk(encoded, b"cue ", count.to_bytes(4, "little") + points)


def ape_frames(count: int) -> bytes:
    table = count * 4 & 0xFFFF_FFFF
    descriptor = struct.pack("<4sHH7I16s", b"MAC ", 3990, 0, 52, 24, table, 44, 1000, 0, 0, bytes(16))
    header = struct.pack("<HHIIIHHI", 2000, 0, 73728 * 4, 1000, count & 0xFFFF_FFFF, 16, 2, 44100)
    return descriptor + header + bytes(4000)


def wav_claims(encoded: EncodedFiles, at: int, form: str, *values: int) -> bytes:
    data = bytearray(encoded.file("wav-s16").read_bytes())
    struct.pack_into(form, data, at, *values)
    return bytes(data)


def ogg_page(body: bytes, number: int, *, flags: int = 0, serial: int = 1) -> bytes:
    lacing = bytes([255]) * (len(body) // 255) + (bytes([len(body) % 255]) if len(body) % 255 else b"")
    head = struct.pack("<4sBBqIII", b"OggS", 0, flags, 0, serial, number, 0) + bytes([len(lacing)])
    page = bytearray(head + lacing + body)
    page[22:26] = crc(bytes(page), 0x04C1_1DB7, 32)[::-1]
    return bytes(page)


def ogg_pages(packet: bytes) -> bytes:
    """A packet on pages of its own."""
    step = 255 * 255
    parts = [packet[at : at + step] for at in range(0, len(packet), step)]
    return b"".join(ogg_page(part, 1 + i, flags=int(i > 0)) for i, part in enumerate(parts))


def ogg_tags(count: int) -> bytes:
    first = ogg_page(b"OpusHead\1\2\x38\1\x80\xbb\0\0\0\0\0", 0, flags=2)
    return first + ogg_pages(b"OpusTags" + comments(count)) + ogg_page(b"\xfc", 1000, flags=4)


def opus_chained_tags(encoded: EncodedFiles, count: int) -> bytes:
    """The same behind a recording, with another recording behind it."""
    opus = encoded.file("opus").read_bytes() * 12  # too long to be read while the container is opened
    return opus + ogg_tags(count) + opus


def ogg_endless_comment(megabytes: int) -> bytes:
    """An Opus stream whose comment packet never ends."""
    first = ogg_page(b"OpusHead\1\2\x38\1\x80\xbb\0\0\0\0\0", 0, flags=2)
    page = ogg_page(bytes(255 * 255), 1, flags=1)
    return (
        first + ogg_page(b"OpusTags".ljust(255 * 255, b"\0"), 1) + page * (megabytes * MEGABYTE // len(page))
    )


BOMBS: Final[dict[str, Callable[[EncodedFiles], bytes]]] = {
    "adts-id3-texts": lambda encoded: adts_with_tag(encoded, id3_tag(200_000)),
    "adts-id3-texts-v4": lambda encoded: adts_with_tag(encoded, id3_tag(200_000, version=4)),
    "adts-id3-private": lambda encoded: adts_with_tag(encoded, id3_tag(200_000, b"PRIV")),
    "wav-id3-texts": lambda encoded: wav_with_chunk(encoded, b"id3 ", id3_tag(200_000)),
    "wav-id3-private": lambda encoded: wav_with_chunk(encoded, b"ID3 ", id3_tag(200_000, b"PRIV")),
    "wav-id3-many": lambda encoded: wav_with_chunk(encoded, b"id3 ", id3_tag(1500) * 300),
    "wav-cues": lambda encoded: wav_cues(encoded, 200_000),
    "id3-tags": lambda encoded: b"ID3\3\0\0\0\0\0\0" * 5_000_000,
    "ogg-tags": lambda encoded: ogg_tags(200_000),
    "ape-30M-frames": lambda encoded: ape_frames(30_000_000),
    "ape-4M-frames": lambda encoded: ape_frames(4_000_000),
    "wav-block-size": lambda encoded: wav_claims(encoded, 32, "<H", 65535),
    "wav-format-size": lambda encoded: wav_claims(encoded, 16, "<I", 0x7FFF_FFF0),
    "wav-65535-channels": lambda encoded: wav_claims(encoded, 20, "<HHII", 1, 65535, 44100, 44100),
    "ogg-chained-tags": lambda encoded: opus_chained_tags(encoded, 200_000),
    "ogg-comment": lambda encoded: ogg_endless_comment(150),
}
