"""A folder of recordings in every format that the documentation lists."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from support.encode import FORMATS, EncodedFiles, encode
from support.handmade import handmade_music

_SURROUND: Final = {
    "surround.eac3": ("-b:a", "384k"),
    "surround.dts": ("-c:a", "dca", "-strict", "-2"),
    "surround.m4a": ("-b:a", "320k"),
}
_VIDEO: Final = ("-f", "lavfi", "-i", "testsrc=s=64x64:r=5", "-t", "5", "-c:v", "mpeg4", "-c:a", "aac")


def every_format(encoded: EncodedFiles, folder: Path) -> list[Path]:
    """Return the paths of the encoded files and of more, made in the folder."""
    paths = [encoded.file(name) for name in FORMATS]
    six = encoded.samples[: 3 * 48000, [0, 1, 0, 0, 1, 0]] // 2
    paths += [encode(folder / name, six, 48000, *how, layout="5.1") for name, how in _SURROUND.items()]
    paths.append(encode(folder / "video.mp4", encoded.samples, encoded.rate, *_VIDEO))
    return paths + handmade_music(folder)
