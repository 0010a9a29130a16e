"""Walks folders for audio files."""

# Paths are strings here: they come from and go to the database, 54 000 at a time.
# ruff: noqa: PTH114, PTH116, PTH118, PTH122, PTH206

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

__all__ = ["AUDIO_EXTENSIONS", "AudioFile", "Folder", "Walk"]

_EXTENSIONS = """
.aac .ac3 .aif .aifc .aiff .amr .ape .au .caf .dsf .dts .eac3 .flac .m4a .m4b .mka .mp2 .mp3 .mpc .oga .ogg
.opus .rf64 .snd .tak .tta .w64 .wav .wave .weba .webm .wma .wv
"""
AUDIO_EXTENSIONS: Final = frozenset(_EXTENSIONS.split())
"""Extensions, in lower case, of the files that a walk takes for audio."""


@dataclass(frozen=True, slots=True)
class AudioFile:
    """An audio file as it was found.

    Attributes
    ----------
    path : str
        Absolute, in Python's form of file names.
    size : int
        Bytes.
    mtime_ns : int
        Modification time.
    other_name_of : (int, int) or None
        Device and inode, where the file has or may have another name too (a hard link, a symbolic one).
    """

    path: str
    size: int
    mtime_ns: int
    other_name_of: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as it was found.

    Attributes
    ----------
    path : str
        Absolute.
    files : list of AudioFile
        Its audio files, in order of name.
    hidden : list of str
        Names of its hidden entries.
    """

    path: str
    files: list[AudioFile]
    hidden: list[str]


@dataclass
class Walk:
    """The audio files under some folders, folder by folder, in order of name.

    Symbolic links are followed, each real folder is visited once, hidden files and folders are left out.

    Parameters
    ----------
    roots : list of str
        Absolute folders.
    stop : callable
        Asked before every folder; True ends the walk.

    Attributes
    ----------
    unreadable : list of (str, str)
        Folders that could not be read, and why.
    other_names : int
        Symbolic links that were left out because the walk meets the file itself.
    """

    roots: list[str]
    stop: Callable[[], bool] = lambda: False
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    other_names: int = 0

    def __iter__(self) -> Iterator[Folder]:
        visited: set[tuple[int, int]] = set()
        waiting = list(reversed(self.roots))
        real_roots = [os.path.realpath(root) for root in self.roots]
        while waiting and not self.stop():
            folder = waiting.pop()
            try:
                info = os.stat(folder)
                if (info.st_dev, info.st_ino) in visited:
                    continue
                visited.add((info.st_dev, info.st_ino))
                folders, found, hidden = _list(folder)
            except OSError as error:
                self.unreadable.append((folder, error.strerror or str(error)))
                continue
            waiting += reversed(folders)
            files = [file for file in found if not self._is_met_elsewhere(file, real_roots)]
            self.other_names += len(found) - len(files)
            yield Folder(folder, files, hidden)

    def _is_met_elsewhere(self, file: AudioFile, real_roots: list[str]) -> bool:
        """Whether a symbolic link leads to a file that this walk finds under its own name."""
        if file.other_name_of is None or not os.path.islink(file.path):
            return False
        target = os.path.realpath(file.path)
        for root in real_roots:
            if target.startswith(os.path.join(root, "")):
                inside = os.path.relpath(target, root).split(os.sep)
                return _is_audio(inside[-1]) and not any(part.startswith(".") for part in inside)
        return False


def _is_audio(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in AUDIO_EXTENSIONS


def _list(folder: str) -> tuple[list[str], list[AudioFile], list[str]]:
    """Sub-folders, audio files and the names of hidden entries in ``folder``."""
    folders: list[str] = []
    files: list[AudioFile] = []
    hidden: list[str] = []
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith("."):
                hidden.append(entry.name)
                continue
            try:
                if entry.is_dir():
                    folders.append(entry.path)
                elif _is_audio(entry.name):
                    info = entry.stat()
                    if stat.S_ISREG(info.st_mode):
                        shared = info.st_nlink > 1 or entry.is_symlink()
                        inode = (info.st_dev, info.st_ino) if shared else None
                        files.append(AudioFile(entry.path, info.st_size, info.st_mtime_ns, inode))
            except OSError:  # a dangling link, or gone since the folder was listed
                continue
    return folders, files, hidden
