"""Audio files by their names, where a folder is asked for them."""

# Paths are strings here: a scan takes 54 000 of them from folders at a time.
# ruff: noqa: PTH118, PTH122

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

__all__ = ["AUDIO_EXTENSIONS", "SIDECAR_EXTENSION", "audio_files", "is_audio"]

_EXTENSIONS = """
.aac .ac3 .aif .aifc .aiff .amr .ape .au .caf .dsf .dts .eac3 .flac .m4a .m4b .mka .mp2 .mp3 .mpc .oga .ogg
.opus .rf64 .snd .tak .tta .w64 .wav .wave .weba .webm .wma .wv
"""
AUDIO_EXTENSIONS: Final = frozenset(_EXTENSIONS.split())
"""Extensions, in lower case, of the files in a folder that are taken to be audio."""

SIDECAR_EXTENSION: Final = ".25d"
"""Appended to the name of an audio file, it names the file beside it that holds its fingerprint."""


def is_audio(name: str) -> bool:
    """Return whether a file's extension is that of an audio file."""
    return os.path.splitext(name)[1].lower() in AUDIO_EXTENSIONS


def audio_files(folder: str) -> Iterator[str]:
    """Yield the audio files in and below a folder, by name; links to folders are not followed."""
    for path, folders, names in os.walk(folder, onerror=_raise):
        folders.sort()
        yield from (os.path.join(path, name) for name in sorted(names) if is_audio(name))


def _raise(error: OSError) -> None:
    raise error
