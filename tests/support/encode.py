"""Encoding and decoding through the ffmpeg command line, as a user's files were made."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from support.synth import Samples


def ffmpeg(*arguments: str | Path, stdin: bytes | None = None) -> bytes:
    """Run ffmpeg and return its standard output; if it fails, fail with what it printed."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)]
    if stdin is not None:
        command.remove("-nostdin")
    done = subprocess.run(command, input=stdin, capture_output=True)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr.decode(errors='replace')}"
    return done.stdout


def encode(
    path: Path,
    samples: Samples | NDArray[np.int16],
    rate: int,
    *arguments: str,
    layout: str | None = None,
) -> Path:
    """Write samples of shape (n,) or (n, channels) in the format of the name and ``arguments``."""
    x = samples[:, np.newaxis] if samples.ndim == 1 else samples
    kind = "s16le" if x.dtype == np.int16 else "f32le"
    source = ["-f", kind, "-ar", str(rate), "-ac", str(x.shape[1])]
    if layout is not None:
        source += ["-channel_layout", layout]
    ffmpeg(*source, "-i", "-", *arguments, path, stdin=x.tobytes())
    return path


def duration_s(path: Path) -> float:
    """Playing time as the container states it."""
    command = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(path)]
    return float(subprocess.run(command, capture_output=True, check=True).stdout)


def decode(path: Path, *, start_s: float = 0, seconds: float | None = None) -> tuple[Samples, int]:
    """Samples of shape (n, channels) and the rate, as the ffmpeg command line decodes them."""
    listing = ["-v", "error", "-select_streams", "a:0", "-show_streams", "-of", "json", str(path)]
    probe = subprocess.run(["ffprobe", *listing], capture_output=True, check=True)
    stream = json.loads(probe.stdout)["streams"][0]
    cut = ["-ss", str(start_s)] if start_s else []
    cut += ["-t", str(seconds)] if seconds is not None else []
    raw = ffmpeg("-i", path, "-map", "0:a:0", *cut, "-f", "f32le", "-")
    return np.frombuffer(raw, np.float32).reshape(-1, stream["channels"]), int(stream["sample_rate"])


def write_wav(
    path: Path, samples: NDArray[np.int16], rate: int, *, seconds: float, repeat: bool = False
) -> Path:
    """Write 16-bit PCM of any length: the samples, then silence (which takes no disk space) or repeats."""
    frame = samples.strides[0]
    size = round(seconds * rate) * frame
    numbers = [(16, 4), (1, 2), (frame // 2, 2), (rate, 4), (rate * frame, 4), (frame, 2), (16, 2)]
    form = b"".join(value.to_bytes(width, "little") for value, width in numbers)
    with path.open("wb") as file:
        file.write(b"RIFF" + (36 + size).to_bytes(4, "little") + b"WAVEfmt " + form)
        file.write(b"data" + size.to_bytes(4, "little"))
        for _ in range(-(-size // samples.nbytes) if repeat else 1):
            file.write(samples.tobytes())
        file.truncate(44 + size)
    return path


@dataclass(frozen=True)
class Format:
    """One way to store a recording.

    Attributes
    ----------
    extension : str
        Of the file name.
    arguments : tuple of str
        For ffmpeg.
    lossless : bool
        Whether 16-bit samples come back unchanged.
    codec, container : str
        What the metadata of the fingerprint must say.
    """

    extension: str
    codec: str
    container: str
    arguments: tuple[str, ...] = ()
    lossless: bool = False


def _wav(codec: str, *extra: str, lossless: bool = True) -> Format:
    return Format("wav", codec, "wav", ("-c:a", codec, *extra), lossless)


# Monkey's Audio (APE) is missing: ffmpeg cannot encode it, and no free encoder is packaged.
FORMATS: Final[dict[str, Format]] = {
    "wav-u8": _wav("pcm_u8", lossless=False),
    "wav-s16": _wav("pcm_s16le"),
    "wav-s24": _wav("pcm_s24le"),
    "wav-s32": _wav("pcm_s32le"),
    "wav-s64": _wav("pcm_s64le"),
    "wav-f32": _wav("pcm_f32le"),
    "wav-f64": _wav("pcm_f64le"),
    "wav-alaw": _wav("pcm_alaw", lossless=False),
    "wav-mulaw": _wav("pcm_mulaw", lossless=False),
    "wav-adpcm": _wav("adpcm_ms", lossless=False),
    "wav-rf64": _wav("pcm_s16le", "-rf64", "always"),
    "w64": Format("w64", "pcm_s16le", "w64", lossless=True),
    "aiff-s16": Format("aiff", "pcm_s16be", "aiff", lossless=True),
    "aiff-s24": Format("aiff", "pcm_s24be", "aiff", ("-c:a", "pcm_s24be"), lossless=True),
    "aiff-f32": Format("aiff", "pcm_f32be", "aiff", ("-c:a", "pcm_f32be"), lossless=True),
    "au": Format("au", "pcm_s16be", "au", lossless=True),
    "caf": Format("caf", "pcm_s16be", "caf", lossless=True),
    "flac-16": Format("flac", "flac", "flac", ("-sample_fmt", "s16"), lossless=True),
    "flac-24": Format("flac", "flac", "flac", ("-sample_fmt", "s32"), lossless=True),
    "flac-ogg": Format("oga", "flac", "ogg", ("-c:a", "flac", "-sample_fmt", "s16"), lossless=True),
    "flac-mka": Format("mka", "flac", "matroska", ("-c:a", "flac", "-sample_fmt", "s16"), lossless=True),
    "alac-m4a": Format("m4a", "alac", "mov", ("-c:a", "alac", "-sample_fmt", "s16p"), lossless=True),
    "alac-caf": Format("caf", "alac", "caf", ("-c:a", "alac", "-sample_fmt", "s16p"), lossless=True),
    "wavpack": Format("wv", "wavpack", "wv", ("-sample_fmt", "s16p"), lossless=True),
    "tta": Format("tta", "tta", "tta", ("-sample_fmt", "s16"), lossless=True),
    "mp3-cbr-320": Format("mp3", "mp3", "mp3", ("-b:a", "320k")),
    "mp3-cbr-128": Format("mp3", "mp3", "mp3", ("-b:a", "128k")),
    "mp3-vbr-0": Format("mp3", "mp3", "mp3", ("-q:a", "0")),
    "mp3-vbr-4": Format("mp3", "mp3", "mp3", ("-q:a", "4")),
    "mp3-no-xing": Format("mp3", "mp3", "mp3", ("-b:a", "192k", "-write_xing", "0")),
    "mp3-vbr-no-xing": Format("mp3", "mp3", "mp3", ("-q:a", "2", "-write_xing", "0")),
    "mp3-no-id3": Format("mp3", "mp3", "mp3", ("-b:a", "192k", "-id3v2_version", "0")),
    "aac-m4a": Format("m4a", "aac", "mov", ("-b:a", "128k")),
    "aac-m4a-faststart": Format("m4a", "aac", "mov", ("-b:a", "128k", "-movflags", "+faststart")),
    "aac-m4a-fragmented": Format(
        "m4a",
        "aac",
        "mov",
        ("-b:a", "128k", "-movflags", "+frag_keyframe+empty_moov", "-frag_duration", "1000000"),
    ),
    "aac-adts": Format("aac", "aac", "aac", ("-b:a", "128k")),
    "aac-mka": Format("mka", "aac", "matroska", ("-c:a", "aac", "-b:a", "128k")),
    "vorbis": Format("ogg", "vorbis", "ogg", ("-c:a", "libvorbis", "-q:a", "5")),
    "vorbis-webm": Format("webm", "vorbis", "matroska", ("-c:a", "libvorbis", "-q:a", "5")),
    "opus": Format("opus", "opus", "ogg", ("-c:a", "libopus", "-b:a", "96k")),
    "opus-webm": Format("webm", "opus", "matroska", ("-c:a", "libopus", "-b:a", "96k")),
    "opus-mka": Format("mka", "opus", "matroska", ("-c:a", "libopus", "-b:a", "96k")),
    "wma-1": Format("wma", "wmav1", "asf", ("-c:a", "wmav1", "-b:a", "128k")),
    "wma-2": Format("wma", "wmav2", "asf", ("-c:a", "wmav2", "-b:a", "128k")),
    "ac3": Format("ac3", "ac3", "ac3", ("-b:a", "192k")),
    "mp2": Format("mp2", "mp2", "mp3", ("-b:a", "192k")),
}
LOSSLESS: Final = [name for name, one in FORMATS.items() if one.lossless]


class EncodedFiles:
    """Files of one recording in any of :data:`FORMATS`, each encoded when first asked for."""

    def __init__(self, folder: Path, samples: NDArray[np.int16], rate: int) -> None:
        self.folder = folder
        self.samples = samples
        self.rate = rate

    def file(self, name: str) -> Path:
        one = FORMATS[name]
        path = self.folder / f"{name}.{one.extension}"
        if not path.exists():
            encode(path, self.samples, self.rate, *one.arguments)
        return path
