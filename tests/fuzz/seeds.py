"""Makes the seed corpora of the fuzz targets: tiny recordings in every format, and a few sidecars.

    scripts/python tests/fuzz/seeds.py FOLDER

Fills FOLDER/media, FOLDER/source, FOLDER/samples and FOLDER/sidecar.
"""

from __future__ import annotations

import json
import shutil
import struct
import sys
import zlib
from pathlib import Path
from typing import Final

import numpy as np
from support import synth
from support.bombs.compressed import (
    audio_at,
    behind_its_audio,
    encodings,
    matroska_pcm,
    pcm_track,
    plain_header,
)  # fmt: skip
from support.encode import FORMATS, EncodedFiles, encode
from support.handmade import handmade
from support.tagging import id3v1, lyrics3v2

from auralis_fp import FINGERPRINT_VERSION, NAMES

SECONDS: Final = 0.15
# Formats that support only some rates get the lowest of them.
NO_PADDING: Final = ("-metadata_header_padding", "16")  # FLAC files have 8 kB of it otherwise
LOWEST_RATE: Final = {"opus": 8000, "mp3": 8000, "aac": 8000, "wma": 8000, "ac3": 32000, "mp2": 32000}
"""Hz by the beginning of the format's name; 4000 for the others."""


def rate_of(name: str) -> int:
    return next((rate for start, rate in LOWEST_RATE.items() if name.startswith(start)), 4000)


def recordings(folder: Path) -> None:
    """Mono and stereo in every format, and surround where the format has it at no cost."""
    for name, one in FORMATS.items():
        for channels in (1, 2):
            rate = rate_of(name)
            sound = synth.noise(SECONDS, rate, seed=channels) + synth.tone(440, SECONDS, rate, peak=0.3)
            samples = synth.to_int16(np.stack([sound] * channels, axis=1))
            encode(folder / f"{name}-{channels}.{one.extension}", samples, rate, *one.arguments, *NO_PADDING)
    for name in ("wav-f32", "flac-16", "wavpack", "vorbis"):
        one = FORMATS[name]
        samples = synth.to_int16(np.stack([synth.noise(SECONDS, 4000, seed=c) for c in range(6)], axis=1))
        encode(folder / f"{name}-6.{one.extension}", samples, 4000, *one.arguments, *NO_PADDING)


def compressed(folder: Path) -> None:
    """Headers and packets that are compressed, and tags in front and behind."""
    rng = np.random.default_rng(3)
    encoded = EncodedFiles(folder, rng.integers(-9999, 9999, (1200, 2)).astype(np.int16), 8000)
    files = {
        "header.mov": behind_its_audio(encoded, plain_header(encoded, audio_at())),
        "packets.mka": matroska_pcm(pcm_track(encodings()), [b"\x81\0\0\x80" + zlib.compress(bytes(900))]),
        "tagged.mp3": id3v1() + encoded.file("mp3-no-id3").read_bytes() + lyrics3v2() + id3v1(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)


def instructions(folder: Path) -> None:
    """Input of the samples target: it reads sizes from the end, so any bytes are a program."""
    rng = np.random.default_rng(1)
    for number in range(24):
        (folder / f"random-{number}").write_bytes(rng.bytes(16 + 8 * number))


def sidecars(folder: Path) -> None:
    values = {name: index + 0.5 for index, name in enumerate(NAMES)}
    file = {"path": "a.wav", "size_bytes": 8, "modified_at": "2025-01-02T03:04:05"}
    checksum = zlib.crc32(struct.pack("<25d", *values.values()))
    version = {"fingerprint_version": FINGERPRINT_VERSION}
    contents: tuple[dict[str, object], ...] = (
        {"fingerprint": values, **version, "fingerprint_crc32": checksum},
        {"fingerprint": {**values, **version}},
        {"fingerprint": {"frequency": values, **version}},
        {"fingerprint": {**values, "lufs": float("nan"), "fingerprint_version": 8}},
    )
    for number, content in enumerate(contents):
        whole = {"format_version": "1.0", "audio_file": file, **content}
        (folder / f"{number}.json").write_text(json.dumps(whole))


def main() -> None:
    top = Path(sys.argv[1])
    for name in ("media", "source", "samples", "sidecar"):
        (top / name).mkdir(parents=True, exist_ok=True)
    recordings(top / "media")
    handmade(top / "media")
    compressed(top / "media")
    shutil.copytree(top / "media", top / "source", dirs_exist_ok=True)
    instructions(top / "samples")
    sidecars(top / "sidecar")


if __name__ == "__main__":
    main()
