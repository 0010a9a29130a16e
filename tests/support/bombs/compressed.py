"""What FFmpeg would inflate in one go: headers of QuickTime, frames of ID3v2, packets of Matroska.

Each of ``MAKERS`` makes a file that would expand to roughly ``size`` times 100 MB.
"""

from __future__ import annotations

import bz2
import struct
import zlib
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from support.bombs import tags
from support.bombs.matroska import element, matroska
from support.bombs.mp4 import box
from support.bombs.others import adts_with_tag, wav_with_chunk
from support.encode import EncodedFiles

MB: Final = 1 << 20
QUICKTIME: Final = box(b"ftyp", b"qt  \0\0\0\0qt  ")

# --- QuickTime ---------------------------------------------------------------------------------------------


def compressed(*parts: bytes, claim: int | None = None) -> bytes:
    """Return the content of the moov box of a compressed header."""
    packer, packed, size = zlib.compressobj(9), [], 0
    for part in parts:
        packed.append(packer.compress(part))
        size += len(part)
    body = struct.pack(">I", size if claim is None else claim) + b"".join(packed) + packer.flush()
    return box(b"cmov", box(b"dcom", b"zlib") + box(b"cmvd", body))


def space(megabytes: int) -> Iterable[bytes]:
    return [struct.pack(">I4s", 8 + megabytes * MB, b"free"), *[bytes(MB)] * megabytes]


@cache
def leaf() -> bytes:
    return compressed(*space(100))


def boxes(data: bytes) -> Iterable[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        yield name, data[at + 8 : at + size]
        at += size


def plain_header(
    encoded: EncodedFiles, data_at: int, change: Callable[[bytes, bytes], bytes] = lambda _, body: body
) -> bytes:
    """The header of an M4A file whose audio is moved to ``data_at``; ``change`` may rewrite any box."""
    m4a = encoded.file("aac-m4a").read_bytes()
    moved = data_at - (m4a.index(b"mdat") + 4)

    def rebuilt(data: bytes) -> bytes:
        result = b""
        for name, body in boxes(data):
            if name in (b"trak", b"mdia", b"minf", b"stbl", b"edts"):
                body = rebuilt(body)
            if name == b"stco":
                offsets = np.frombuffer(body[8:], ">u4").astype(np.int64) + moved
                body = body[:8] + offsets.astype(">u4").tobytes()
            result += box(name, change(name, body))
        return result

    return rebuilt(dict(boxes(m4a))[b"moov"])


def audio(encoded: EncodedFiles) -> bytes:
    return box(b"mdat", dict(boxes(encoded.file("aac-m4a").read_bytes()))[b"mdat"])


def behind_its_audio(encoded: EncodedFiles, header: bytes, more: bytes = b"") -> bytes:
    return QUICKTIME + audio(encoded) + box(b"moov", compressed(header + more))


def audio_at() -> int:
    """The header of ``behind_its_audio``."""
    return len(QUICKTIME) + 8


def edits(encoded: EncodedFiles, count: int) -> bytes:
    places = b"".join(struct.pack(">iiHH", 1, i * 7919 % 80000, 1, 0) for i in range(count))
    table = struct.pack(">II", 0, count) + places
    return plain_header(encoded, audio_at(), lambda name, body: table if name == b"elst" else body)


def many_tags(count: int) -> bytes:
    items = (
        box(b"mean", bytes(4) + b"com.x")
        + box(b"name", bytes(4) + b"%07d" % number)
        + box(b"data", b"\0\0\0\1\0\0\0\0v")
        for number in range(count)
    )
    handler = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    listing = box(b"ilst", b"".join(box(b"----", item) for item in items))
    return box(b"udta", box(b"meta", bytes(4) + handler + listing))


def picture_properties(count: int) -> bytes:
    """Properties of pictures, which FFmpeg from 7.1 on reads as often as they are referred to."""
    references = b"".join(struct.pack(">HBB", item, 1, 1) for item in range(count))
    return box(
        b"iprp",
        box(b"ipco", many_tags(20_000)) + box(b"ipma", struct.pack(">II", 0, count) + references),
    )


def within_each_other(depth: int) -> bytes:
    inner = compressed(box(b"mvhd", bytes(100)), *space(50))
    for _ in range(depth):
        inner = compressed(inner, *space(50))
    return QUICKTIME + box(b"moov", inner) + box(b"mdat", bytes(1000))


def side_by_side(count: int) -> bytes:
    return QUICKTIME + box(b"moov", compressed(leaf() * count)) + box(b"mdat", bytes(1000))


def plain_file(encoded: EncodedFiles, within: bytes) -> bytes:
    """A compressed header within one that is not compressed."""
    header = plain_header(encoded, audio_at())
    return QUICKTIME + audio(encoded) + box(b"moov", header + within)


# --- ID3v2 -------------------------------------------------------------------------------------------------


def frames(count: int, version: int = 4, megabytes: int = 100) -> bytes:
    """A tag of long texts, as FFmpeg reads them: lengths are plain numbers, flags those of version 4."""
    length, data = tags.compressed_text(megabytes)
    data = length.to_bytes(4, "big") + data
    size = tags.syncsafe(len(data)) if version == 4 else len(data).to_bytes(4, "big")
    return tags.id3((b"TXXX" + size + b"\0\x09" + data) * count, version)


def asf_with_tags(encoded: EncodedFiles, count: int) -> bytes:
    """As attributes, which are 64 kB at most, in front of the others of the header."""
    wma = encoded.file("wma-2").read_bytes()
    name, tag = "ID3\0".encode("utf-16-le"), frames(1, megabytes=50)
    attribute = struct.pack("<HHHHI", 0, 0, len(name), 1, len(tag)) + name + tag
    body = struct.pack("<H", count) + attribute * count
    library = bytes.fromhex("941c23449894d149a1411d134e457054") + struct.pack("<Q", 24 + len(body)) + body
    size, objects = struct.unpack_from("<QI", wma, 16)
    header = wma[:16] + struct.pack("<QI", size + len(library), objects + 1) + wma[28:30]
    return header + library + wma[30:]


# --- Matroska ----------------------------------------------------------------------------------------------


def number(identity: str, value: int) -> bytes:
    return element(identity, bytes([value]))


def encodings(*settings: bytes, scope: int = 3) -> bytes:
    """ContentEncodings: a compression of the packets and of the codec's private data."""
    compression = element("5034", b"".join(settings))
    return element("6d80", element("6240", number("5032", scope) + compression))


PACKERS: Final[dict[str, tuple[bytes, Callable[[bytes], bytes]]]] = {
    "zlib": (number("4254", 0), lambda data: zlib.compress(data, 9)),
    "zlib, by default": (b"", lambda data: zlib.compress(data, 9)),
    "bzip2": (number("4254", 1), lambda data: bz2.compress(data, 9)),
}


@cache
def packed(method: str) -> bytes:
    """As much as FFmpeg inflates, by steps of a factor of three: between 10 and 30 MB."""
    pack = PACKERS[method][1]
    size = len(pack(bytes(20 * MB)))
    while size < 10_000_000:
        size *= 3
    return pack(bytes(size * 9 // 10))


def pcm_track(more: bytes = b"") -> bytes:
    names = number("d7", 1) + number("73c5", 1) + number("83", 2) + element("86", b"A_PCM/INT/LIT")
    sound = element("b5", struct.pack(">f", 44100.0)) + number("9f", 2) + number("6264", 16)
    return element("ae", names + more + element("e1", sound))


def picture_tracks(count: int, private: bytes, more: bytes) -> bytes:
    size = element("e0", number("b0", 1) + number("ba", 1))  # without which FFmpeg 7.1 refuses the file
    return b"".join(
        element(
            "ae",
            number("d7", 2 + i) + number("73c5", 2 + i) + number("83", 1) + element("86", b"V_VP8")
            + size + element("63a2", private) + more,
        )
        for i in range(count)
    )  # fmt: skip


def matroska_pcm(tracks: bytes, blocks: Iterable[bytes]) -> bytes:
    clusters = b"".join(element("a3", block) for block in blocks)
    return matroska(
        element("1549a966", b""),
        element("1654ae6b", tracks),
        element("1f43b675", element("e7", b"\0") + clusters),
    )


def pcm_blocks(samples: NDArray[np.int16], left_out: bytes = b"") -> Iterable[bytes]:
    """Packets of 1000 samples, which all begin with what the compression removes."""
    for at in range(0, len(samples), 1000):
        data = samples[at : at + 1000].tobytes()
        assert data.startswith(left_out)
        yield b"\x81\0\0\x80" + data[len(left_out) :]


def packets_of_a_block(method: str, count: int) -> bytes:
    """Packets, each of which expands to so much that 256 of them must not be inflated."""
    data = packed(method)
    size = b"\xff" * (len(data) // 255) + bytes([len(data) % 255])
    block = b"\x81\0\0\x82" + bytes([count - 1]) + size * (count - 1) + data * count
    return matroska_pcm(pcm_track(encodings(PACKERS[method][0])), [block])


def private_data(encoded: EncodedFiles, method: str, count: int) -> bytes:
    """Packets of tracks that the analysis does not read."""
    pictures = picture_tracks(min(count, 60), packed(method), encodings(PACKERS[method][0]))
    return matroska_pcm(pictures + pcm_track(), pcm_blocks(encoded.samples))


# --- all of them -------------------------------------------------------------------------------------------

MAKERS: Final[dict[str, tuple[str, Callable[[EncodedFiles, int], bytes]]]] = {
    "headers side by side": ("NoAudio", lambda _, size: side_by_side(size)),
    "headers of headers": (
        "NoAudio",
        lambda _, size: QUICKTIME + box(b"moov", compressed(compressed(leaf() * size) * 100)),
    ),
    "headers in each other": ("NoAudio", lambda _, size: within_each_other(min(size, 9))),
    "a header of more than its limit": (
        "more than 64 MB",
        lambda _, size: QUICKTIME + box(b"moov", compressed(*space(100 * size))),
    ),
    "a header that claims less": (
        "NoAudio",
        lambda _, size: QUICKTIME + box(b"moov", compressed(*space(100 * size), claim=1000)),
    ),
    "headers in a plain one": ("more than 64 MB", lambda encoded, size: plain_file(encoded, leaf() * size)),
    "headers behind a plain one": ("aac", lambda encoded, size: plain_file(encoded, b"") + leaf() * size),
    "properties of pictures": (
        "aac",
        lambda encoded, size: plain_file(encoded, picture_properties(1000 * size)),
    ),
    "edits in a header": (
        "500 edits",
        lambda encoded, size: behind_its_audio(encoded, edits(encoded, 1000 * size)),
    ),
    "tags in a header": (
        "2000 tags",
        lambda encoded, size: behind_its_audio(
            encoded, plain_header(encoded, audio_at()), many_tags(5000 * size)
        ),
    ),
    "frames in ADTS": (
        "aac",
        lambda encoded, size: adts_with_tag(encoded, frames(size)),
    ),
    "frames of ID3v2.3 in ADTS": (
        "aac",
        lambda encoded, size: adts_with_tag(encoded, frames(size, 3)),
    ),
    "frames in WAV": (
        "pcm_s16le",
        lambda encoded, size: wav_with_chunk(encoded, b"id3 ", frames(size)),
    ),
    "frames in AIFF": ("pcm_s16be", lambda _, size: tags.aiff(frames(size))),
    "frames in DSF": ("dsd_lsbf_planar", lambda _, size: tags.dsf(frames(size))),
    "frames in ASF": ("wmav2", lambda encoded, size: asf_with_tags(encoded, size)),
    **{
        f"packets of {method} in Matroska": (
            "compressed once more",
            lambda _, size, method=method: packets_of_a_block(method, min(10 * size, 256)),  # type: ignore[misc]
        )
        for method in PACKERS
    },
    **{
        f"private data of {method} in Matroska": (
            "pcm_s16le",
            lambda encoded, size, method=method: private_data(encoded, method, 10 * size),  # type: ignore[misc]
        )
        for method in PACKERS
    },
}
"""By content: the expected outcome, and the maker of the file."""
