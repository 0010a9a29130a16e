"""FLAC that claims or expands to very much."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from support.encode import EncodedFiles


def crc(data: bytes, polynomial: int, width: int) -> bytes:
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
        frame = head + crc(head, 0x07, 8) + b"\0\0\0" * channels
        data += frame + crc(frame, 0x8005, 16)
    return bytes(data)


def flac_metadata(flac: bytes, kind: int, body: bytes, count: int = 1) -> bytes:
    """The file with a metadata block inserted ``count`` times, behind STREAMINFO."""
    block = bytes([kind]) + len(body).to_bytes(3, "big") + body
    return flac[:4] + b"\0" + flac[5:42] + block * count + b"\x81\0\0\0" + flac[flac.index(b"\xff\xf8", 42) :]


def flac_pictures(encoded: EncodedFiles) -> bytes:
    head = struct.pack(">II10sIIIII", 3, 10, b"image/jpeg", 0, 100, 100, 24, 0)
    pixels = (1 << 24) - 1 - len(head) - 4
    picture = head + pixels.to_bytes(4, "big") + bytes(pixels)
    return flac_metadata(encoded.file("flac-16").read_bytes(), 6, picture, 6)


def flac_claims(encoded: EncodedFiles) -> bytes:
    """STREAMINFO of 8 channels at 655 350 Hz with 2^36 - 1 samples."""
    data = bytearray(encoded.file("flac-16").read_bytes())
    data[18:26] = (655_350 << 44 | 7 << 41 | 31 << 36 | (1 << 36) - 1).to_bytes(8, "big")
    return bytes(data)


def comments(count: int, *, claimed: int | None = None) -> bytes:
    """Vorbis comments of different names."""
    texts = [b"%06x=b" % number for number in range(count)]
    listed = b"".join(len(text).to_bytes(4, "little") + text for text in texts)
    return bytes(4) + (count if claimed is None else claimed).to_bytes(4, "little") + listed


def flac_tags(encoded: EncodedFiles, count: int, blocks: int = 1) -> bytes:
    flac = encoded.file("flac-16").read_bytes()
    return flac_metadata(flac, 4, comments(count), blocks)


BOMBS: Final[dict[str, Callable[[EncodedFiles], bytes]]] = {
    "flac-hour-of-silence": lambda encoded: flac_silence(3600),
    "flac-8-silent-channels": lambda encoded: flac_silence(600, 192_000, 8),
    "flac-pictures": flac_pictures,
    "flac-claims": flac_claims,
    "flac-padding": lambda encoded: flac_metadata(
        encoded.file("flac-16").read_bytes(), 1, bytes(1 << 20), 100
    ),
    "flac-tags": lambda encoded: flac_tags(encoded, 200_000),
    "flac-tags-in-many-blocks": lambda encoded: flac_tags(encoded, 1000, 200),
    "flac-blocks": lambda encoded: flac_metadata(encoded.file("flac-16").read_bytes(), 1, b"", 5_000_000),
}
