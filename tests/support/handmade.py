"""Recordings in formats that ffmpeg cannot encode."""

from __future__ import annotations

import itertools
import struct
import zlib
from pathlib import Path

import numpy as np


def handmade(folder: Path) -> None:
    """Write tiny ones: a header, then noise, which decoders take for sound or damage."""
    noise = np.random.default_rng(2).bytes
    ape = ape_header(1000, 600) + struct.pack("<I", 80) + noise(800)
    write(folder, iff(noise(1200)), dsf(noise(4096)), amr(noise(248), noise(480)))
    write(folder, {"x.ape": ape, "x.mpc": b"MP+\x07" + struct.pack("<I", 4) + bytes(16) + noise(1500)})


def handmade_music(folder: Path) -> list[Path]:
    """Write valid ones of a few seconds: noise where the format holds it uncompressed, silence elsewhere."""
    noise = np.random.default_rng(2).bytes
    written = write(
        folder, iff(noise(1200 * 100)), dsf(noise(4096 * 100)), amr(noise(248 * 100), noise(480 * 100))
    )
    silent_stereo = struct.pack("<II", 1 << 31, 3)
    ape = ape_header(1000, 70_000) + struct.pack("<I", 80) + silent_stereo + bytes(100)
    written += write(
        folder,
        {"x.ape": ape, "x.mpc": musepack(200), "x.mpc8": musepack8(200), "x.tak": tak(noise(30 * 1000))},
    )
    return written


def write(folder: Path, *files: dict[str, bytes]) -> list[Path]:
    for name, data in itertools.chain.from_iterable(some.items() for some in files):
        (folder / name).write_bytes(data)
    return [folder / name for some in files for name in some]


def iff(sound: bytes) -> dict[str, bytes]:
    voice = struct.pack(">IIIIHBBI", 20, len(sound), 0, 0, 8000, 1, 0, 1 << 16)
    form = b"8SVXVHDR" + voice + b"BODY" + struct.pack(">I", len(sound)) + sound
    return {"x.iff": b"FORM" + struct.pack(">I", len(form)) + form}


def dsf(sound: bytes) -> dict[str, bytes]:
    dsd = b"fmt " + struct.pack("<QIIIIIIQII", 52, 1, 0, 1, 1, 2_822_400, 1, 8 * len(sound), 4096, 0)
    dsd += b"data" + struct.pack("<Q", 12 + len(sound)) + sound
    return {"x.dsf": b"DSD " + struct.pack("<QQQ", 28, 28 + len(dsd), 0) + dsd}


def amr(narrow: bytes, wide: bytes) -> dict[str, bytes]:
    """Return speech of 12.2 and 23.85 kbit/s: packets of 31 and 60 bytes."""

    def packets(mode: bytes, sound: bytes, size: int) -> bytes:
        return b"".join(mode + sound[at : at + size] for at in range(0, len(sound), size))

    return {
        "x.amr": b"#!AMR\n" + packets(b"\x3c", narrow, 31),
        "x.awb": b"#!AMR-WB\n" + packets(b"\x44", wide, 60),
    }


def ape_header(compression: int, samples: int) -> bytes:
    """Return the header of a file of one frame, mono, 8 kHz, up to its table of frames."""
    descriptor = b"MAC " + struct.pack("<HHIIIIIII", 3990, 0, 52, 24, 4, 0, 600, 0, 0) + bytes(16)
    return descriptor + struct.pack("<HHIIIHHI", compression, 0, 73_728, samples, 1, 16, 1, 8000)


def musepack(frames: int) -> bytes:
    """Return silence: each frame is its size in 20 bits, and 8 bits that say no band has sound."""
    bits = "0" * 8 + (format(8, "020b") + "0" * 8) * frames
    bits += "0" * (-len(bits) % 32 + 64)
    words = (int(bits[at : at + 32], 2) for at in range(0, len(bits), 32))
    return (
        b"MP+\x07"
        + struct.pack("<I", frames)
        + bytes(16)
        + b"".join(struct.pack("<I", word) for word in words)
    )


def musepack8(frames: int) -> bytes:
    """Return silence in packets of one frame, whose bits begin with the number of bands."""

    def varint(value: int) -> bytes:
        """Return seven bits a byte, the highest first; the top bit says that more follow."""
        groups = [value >> shift & 127 for shift in (21, 14, 7, 0)]
        return bytes(group | 128 for group in groups[:-1]) + bytes(groups[-1:])

    def packet(key: bytes, content: bytes) -> bytes:
        return key + bytes([3 + len(content)]) + content

    last_band, channels = 1, 2
    header = b"\x08" + varint(1152 * frames) + b"\0" + struct.pack(">H", last_band << 8 | (channels - 1) << 4)
    packets = packet(b"SH", struct.pack(">I", zlib.crc32(header)) + header)
    return b"MPCK" + packets + packet(b"AP", bytes(8)) * frames + packet(b"SE", b"")


def tak(samples: bytes) -> bytes:
    """Return 16-bit samples, mono, 8 kHz, in frames of 15 samples, which TAK does not compress."""
    codec, profile, duration, total, data_type, rate = 2, 0, 0, len(samples) // 2, 0, 8000 - 6000
    stream = ((codec, 6), (profile, 4), (duration, 4), (total, 35), (data_type, 3), (rate, 18))
    information = (*stream, (16 - 8, 5), (1 - 1, 4), (0, 1))
    block = checked(little_endian(*information))
    blocks = bytes([1]) + len(block).to_bytes(3, "little") + block + bytes(4)
    data = b""
    for number, at in enumerate(range(0, len(samples), 30)):
        sound = samples[at : at + 30]
        start = ((0xA0FF, 16), (3, 3), (number, 21), (len(sound) // 2 - 1, 14), (0, 2))
        data += checked(little_endian(*start, *information, (0, 6))) + checked(sound)
    return b"tBaK" + blocks + data


def little_endian(*fields: tuple[int, int]) -> bytes:
    """Return values and their numbers of bits as bytes, the lowest bits first."""
    packed = at = 0
    for value, bits in fields:
        packed |= value << at
        at += bits
    return packed.to_bytes(-(-at // 8), "little")


def checked(data: bytes) -> bytes:
    """Append the 24-bit checksum of OpenPGP, which TAK uses."""
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc = crc << 1 ^ (0x1864CFB if crc & 0x800000 else 0)
    return data + (crc & 0xFFFFFF).to_bytes(3, "little")
