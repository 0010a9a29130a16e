"""Decoding of a whole file into memory."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Final

import numpy as np

from auralis_fp.errors import CorruptAudio, FileNotFound, NoAudio, Unreadable, Unsupported
from auralis_fp.metadata import Metadata
from auralis_fp.reference.definition import Array, Layout
from auralis_fp.reference.metadata import metadata_of

__all__ = ["decode"]

# Containers that cannot point at other files: FFmpeg opens no playlist, no concat script, no stream.
_CONTAINERS: Final = (
    "wav,w64,aiff,au,caf,flac,mp3,aac,ac3,eac3,dts,mov,ogg,asf,ape,wv,tta,tak,mpc,mpc8,dsf,iff,matroska,amr"
)

# Those whose length ffprobe reads from a header; for the others, and for a truncated WAV, it estimates.
_DECLARING: Final = (
    "wav", "aiff", "au", "flac", "mov", "ape", "wv", "tta", "tak", "mpc", "mpc8", "dsf", "iff"
)  # fmt: skip


def decode(path: str) -> tuple[Array, Layout, Metadata]:
    """Return a file's samples of shape (n, channels), the channels' names where known, and the metadata.

    FFmpeg's command line decodes it or, where that is missing, soundfile.
    """
    _require_regular_file(path)
    if shutil.which("ffmpeg") and shutil.which("ffprobe"):
        return _decode_ffmpeg(path)
    return _decode_soundfile(path)


def _require_regular_file(path: str) -> None:
    try:
        usable = stat.S_ISREG(Path(path).stat().st_mode) and os.access(path, os.R_OK)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFound("no such file", stage="open", path=path) from error
    except (OSError, ValueError) as error:
        raise Unreadable(str(error), stage="open", path=path) from error
    if not usable:
        raise Unreadable("not a regular file that may be read", stage="open", path=path)


def _decode_ffmpeg(path: str) -> tuple[Array, Layout, Metadata]:
    """Return all channels at the file's own rate; FFmpeg may open nothing but this file."""
    source = [
        "-v",
        "error",
        "-protocol_whitelist",
        "file",
        "-format_whitelist",
        _CONTAINERS,
        "-i",
        f"file:{path}",
    ]
    listing = ["-select_streams", "a", "-show_streams", "-show_format", "-of", "json"]
    probe = subprocess.run(["ffprobe", *source, *listing], capture_output=True)
    if probe.returncode:
        raise Unsupported(_last_line(probe.stderr), stage="probe", path=path)
    found = json.loads(probe.stdout)
    if not found["streams"]:
        raise NoAudio("the file holds no audio stream", stage="probe", path=path)
    stream = max(found["streams"], key=lambda one: one["disposition"]["default"])
    target = ["-map", f"0:{stream['index']}", "-f", "f32le", "-"]
    decoded = subprocess.run(["ffmpeg", "-nostdin", *source, *target], capture_output=True)
    if decoded.stderr and not decoded.stdout:
        raise CorruptAudio(_last_line(decoded.stderr), stage="decode", path=path)
    x = np.frombuffer(decoded.stdout, np.float32).reshape(-1, int(stream["channels"]))
    damaged = len(re.findall(rb"Error (?:while decoding stream|submitting packet)", decoded.stderr))
    container = found["format"]["format_name"].partition(",")[0]
    declared_s = float(stream["duration"]) if container in _DECLARING and "duration" in stream else None
    sr, codec = int(stream["sample_rate"]), stream["codec_name"]
    metadata = metadata_of(x, sr, codec, container, damaged, declared_s)
    return x, _channel_names(stream.get("channel_layout", "")), metadata


def _channel_names(layout: str) -> Layout:
    """Return the channels of one of FFmpeg's named layouts, from its own table."""
    table = subprocess.run(["ffmpeg", "-v", "error", "-layouts"], capture_output=True, text=True).stdout
    names = dict(line.split() for line in table.splitlines() if "+" in line and len(line.split()) == 2)
    return names.get(layout, layout).split("+")


def _decode_soundfile(path: str) -> tuple[Array, Layout, Metadata]:
    import soundfile

    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            x, sr = file.read(dtype="float32", always_2d=True), file.samplerate
            codec, container = file.subtype.lower(), file.format.lower()
    except soundfile.LibsndfileError as error:
        raise Unsupported(str(error), stage="probe", path=path) from error
    return x, [], metadata_of(x, sr, codec, container, 0)


def _last_line(stderr: bytes) -> str:
    return stderr.decode(errors="replace").strip().rpartition("\n")[2]
