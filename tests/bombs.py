"""Small files whose headers claim, or whose data expands to, very much."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Final

from encode import Library

MEGABYTE: Final = 1_000_000
HUGE: Final = 0xFFFF_FFF0  # a 32-bit count


# --- FLAC --------------------------------------------------------------------------------------------------


def _crc(data: bytes, polynomial: int, width: int) -> bytes:
    top, mask, value = 1 << (width - 1), (1 << width) - 1, 0
    for byte in data:
        value ^= byte << (width - 8)
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & mask
    return value.to_bytes(width // 8, "big")


def _utf8(number: int) -> bytes:
    """FLAC numbers its frames as UTF-8 would encode them."""
    return chr(number).encode(errors="surrogatepass")


def flac_silence(seconds: float, rate: int = 44100, channels: int = 2) -> bytes:
    """Digital silence: 65 535 samples a frame, each channel one constant."""
    block = 65535
    frames = int(seconds * rate) // block
    numbers = rate << 44 | (channels - 1) << 41 | 15 << 36 | frames * block
    info = block.to_bytes(2, "big") * 2 + bytes(6) + numbers.to_bytes(8, "big") + bytes(16)
    data = bytearray(b"fLaC\x80\0\0\x22" + info)
    for number in range(frames):
        head = (
            b"\xff\xf8\x70"
            + bytes([(channels - 1) << 4 | 8])
            + _utf8(number)
            + (block - 1).to_bytes(2, "big")
        )
        frame = head + _crc(head, 0x07, 8) + b"\0\0\0" * channels
        data += frame + _crc(frame, 0x8005, 16)
    return bytes(data)


def flac_metadata(flac: bytes, kind: int, body: bytes, count: int = 1) -> bytes:
    """The file with a metadata block put in ``count`` times, behind STREAMINFO."""
    block = bytes([kind]) + len(body).to_bytes(3, "big") + body
    return flac[:4] + b"\0" + flac[5:42] + block * count + b"\x81\0\0\0" + flac[flac.index(b"\xff\xf8", 42) :]


def flac_pictures(library: Library) -> bytes:
    head = struct.pack(">II10sIIIII", 3, 10, b"image/jpeg", 0, 100, 100, 24, 0)
    pixels = (1 << 24) - 1 - len(head) - 4
    picture = head + pixels.to_bytes(4, "big") + bytes(pixels)
    return flac_metadata(library.file("flac-16").read_bytes(), 6, picture, 6)


def flac_claims(library: Library) -> bytes:
    """STREAMINFO of 8 channels at 655 350 Hz with 2^36 - 1 samples."""
    data = bytearray(library.file("flac-16").read_bytes())
    data[18:26] = (655_350 << 44 | 7 << 41 | 31 << 36 | (1 << 36) - 1).to_bytes(8, "big")
    return bytes(data)


def comments(count: int, *, claimed: int | None = None) -> bytes:
    """Vorbis comments of different names."""
    texts = [b"%06x=b" % number for number in range(count)]
    listed = b"".join(len(text).to_bytes(4, "little") + text for text in texts)
    return bytes(4) + (count if claimed is None else claimed).to_bytes(4, "little") + listed


def flac_tags(library: Library, count: int, blocks: int = 1) -> bytes:
    flac = library.file("flac-16").read_bytes()
    return flac_metadata(flac, 4, comments(count), blocks)


# --- MP4 ---------------------------------------------------------------------------------------------------


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def with_box(m4a: bytes, name: bytes, replacement: bytes) -> bytes:
    """The file with the first box of this name replaced, and the boxes around it resized."""
    data = bytearray(m4a)
    at = data.index(name) - 4
    size = int.from_bytes(data[at : at + 4], "big")
    parents = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
    data[at : at + size] = replacement
    for parent in parents[: 1 if name in (b"trak", b"udta") else 5]:
        start = data.rindex(parent, 0, at) - 4
        grown = int.from_bytes(data[start : start + 4], "big") + len(replacement) - size
        data[start : start + 4] = grown.to_bytes(4, "big")
    return bytes(data)


def mp4_table(library: Library, name: bytes, count: int) -> bytes:
    """A table of the sample index that claims to be longer than it is."""
    data = bytearray(library.file("aac-m4a").read_bytes())
    at = data.index(name) + (12 if name == b"stsz" else 8)
    data[at : at + 4] = count.to_bytes(4, "big")
    return bytes(data)


def mp4_samples_of_one_size(library: Library, count: int) -> bytes:
    """Packets of one byte each, which need no table: the index is built from the claim alone."""
    m4a = library.file("aac-m4a").read_bytes()
    m4a = with_box(m4a, b"stsc", box(b"stsc", struct.pack(">IIIII", 0, 1, 1, count, 1)))
    return with_box(m4a, b"stsz", box(b"stsz", struct.pack(">III", 0, 1, count)))


def mp4_fragment(library: Library, count: int) -> bytes:
    """A fragment whose packets have neither size nor duration."""
    data = bytearray(library.file("aac-m4a-fragmented").read_bytes())
    at = data.index(b"trun") + 4
    data[at : at + 8] = struct.pack(">II", 1, count)
    return bytes(data)


def mp4_streams(library: Library, count: int) -> bytes:
    m4a = library.file("aac-m4a").read_bytes()
    at = m4a.index(b"trak") - 4
    track = m4a[at : at + int.from_bytes(m4a[at : at + 4], "big")]
    return with_box(m4a, b"trak", track * count)


def mp4_tags(library: Library, count: int) -> bytes:
    def item(number: int) -> bytes:
        names = box(b"mean", bytes(4) + b"com.") + box(b"name", bytes(4) + b"%06x" % number)
        return box(b"----", names + box(b"data", struct.pack(">II", 1, 0) + b"x"))

    handler = box(b"hdlr", struct.pack(">II4s", 0, 0, b"mdir") + bytes(12))
    tags = box(b"ilst", b"".join(map(item, range(count))))
    m4a = library.file("aac-m4a").read_bytes()
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


# --- Matroska ----------------------------------------------------------------------------------------------


def element(identity: str, body: bytes, size: int | None = None) -> bytes:
    """An EBML element, whose size may be a claim."""
    width = 1 << 56 | (len(body) if size is None else size)
    return bytes.fromhex(identity) + width.to_bytes(8, "big") + body


def matroska(*parts: bytes) -> bytes:
    return element("1a45dfa3", element("4282", b"matroska")) + element("18538067", b"".join(parts))


def _simple_tag(number: int) -> bytes:
    name = b"%06x" % number
    return bytes.fromhex("67c88c45a386") + name + bytes.fromhex("448780")


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


# --- others ------------------------------------------------------------------------------------------------


def ape_frames(count: int) -> bytes:
    table = count * 4 & 0xFFFF_FFFF
    descriptor = struct.pack("<4sHH7I16s", b"MAC ", 3990, 0, 52, 24, table, 44, 1000, 0, 0, bytes(16))
    header = struct.pack("<HHIIIHHI", 2000, 0, 73728 * 4, 1000, count & 0xFFFF_FFFF, 16, 2, 44100)
    return descriptor + header + bytes(4000)


def wav_claims(library: Library, at: int, form: str, *values: int) -> bytes:
    data = bytearray(library.file("wav-s16").read_bytes())
    struct.pack_into(form, data, at, *values)
    return bytes(data)


def ogg_page(body: bytes, number: int, *, flags: int = 0, serial: int = 1) -> bytes:
    lacing = bytes([255]) * (len(body) // 255) + (bytes([len(body) % 255]) if len(body) % 255 else b"")
    head = struct.pack("<4sBBqIII", b"OggS", 0, flags, 0, serial, number, 0) + bytes([len(lacing)])
    page = bytearray(head + lacing + body)
    page[22:26] = _crc(bytes(page), 0x04C1_1DB7, 32)[::-1]
    return bytes(page)


def ogg_pages(packet: bytes) -> bytes:
    """A packet on pages of its own."""
    step = 255 * 255
    parts = [packet[at : at + step] for at in range(0, len(packet), step)]
    return b"".join(ogg_page(part, 1 + i, flags=int(i > 0)) for i, part in enumerate(parts))


def ogg_tags(count: int) -> bytes:
    first = ogg_page(b"OpusHead\1\2\x38\1\x80\xbb\0\0\0\0\0", 0, flags=2)
    return first + ogg_pages(b"OpusTags" + comments(count)) + ogg_page(b"\xfc", 1000, flags=4)


def ogg_endless_comment(megabytes: int) -> bytes:
    """An Opus stream whose comment packet never ends."""
    first = ogg_page(b"OpusHead\1\2\x38\1\x80\xbb\0\0\0\0\0", 0, flags=2)
    page = ogg_page(bytes(255 * 255), 1, flags=1)
    return (
        first + ogg_page(b"OpusTags".ljust(255 * 255, b"\0"), 1) + page * (megabytes * MEGABYTE // len(page))
    )


BOMBS: Final[dict[str, Callable[[Library], bytes]]] = {
    "flac-hour-of-silence": lambda library: flac_silence(3600),
    "flac-8-silent-channels": lambda library: flac_silence(600, 192_000, 8),
    "flac-pictures": flac_pictures,
    "flac-claims": flac_claims,
    "flac-padding": lambda library: flac_metadata(
        library.file("flac-16").read_bytes(), 1, bytes(1 << 20), 100
    ),
    **{
        f"mp4-{name.decode()}-{count}": lambda library, name=name, count=count: mp4_table(
            library, name, count
        )  # type: ignore[misc]
        for name in (b"stsz", b"stts", b"stsc", b"stco")
        for count in (HUGE, 100_000_000)
    },
    "mp4-9M-packets": lambda library: mp4_samples_of_one_size(library, 9_000_000),
    "mp4-80M-packets": lambda library: mp4_samples_of_one_size(library, 80_000_000),
    "mp4-fragment-9M": lambda library: mp4_fragment(library, 9_000_000),
    "mp4-fragment-80M": lambda library: mp4_fragment(library, 80_000_000),
    "mp4-60-streams": lambda library: mp4_streams(library, 60),
    "mp4-3000-streams": lambda library: mp4_streams(library, 3000),
    "mp4-tags": lambda library: mp4_tags(library, 100_000),
    "mp4-compressed-200MB": lambda library: mp4_compressed_index(200),
    "mp4-compressed-300MB": lambda library: mp4_compressed_index(300),
    "mp4-nested": lambda library: mp4_nested(3000),
    "matroska-1MB": lambda library: matroska_empty_elements(1),
    "matroska-30MB": lambda library: matroska_empty_elements(30),
    "matroska-200MB": lambda library: matroska_empty_elements(200),
    "matroska-claims": lambda library: matroska(
        element("1654ae6b", element("ae", element("63a2", b"x", 0x0FFF_FFFF)))
    ),
    "matroska-tags": lambda library: matroska(
        element("1254c367", element("7373", b"".join(map(_simple_tag, range(200_000)))))
    ),
    "flac-tags": lambda library: flac_tags(library, 200_000),
    "flac-tags-in-many-blocks": lambda library: flac_tags(library, 1000, 200),
    "flac-blocks": lambda library: flac_metadata(library.file("flac-16").read_bytes(), 1, b"", 5_000_000),
    "id3-tags": lambda library: b"ID3\3\0\0\0\0\0\0" * 5_000_000,
    "ogg-tags": lambda library: ogg_tags(200_000),
    "ape-30M-frames": lambda library: ape_frames(30_000_000),
    "ape-4M-frames": lambda library: ape_frames(4_000_000),
    "wav-block-size": lambda library: wav_claims(library, 32, "<H", 65535),
    "wav-format-size": lambda library: wav_claims(library, 16, "<I", 0x7FFF_FFF0),
    "wav-65535-channels": lambda library: wav_claims(library, 20, "<HHII", 1, 65535, 44100, 44100),
    "ogg-comment": lambda library: ogg_endless_comment(150),
}
