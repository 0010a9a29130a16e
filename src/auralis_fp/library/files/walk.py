"""Walks through folders in search of audio files."""

# Paths are strings here: they come from and go to the database, 54 000 at a time.
# ruff: noqa: PTH116, PTH118, PTH206

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from auralis_fp._audio_files import is_audio

__all__ = ["AudioFile", "Folder", "Places", "Walk"]

_SYSTEM_FOLDERS: Final = ("/dev", "/proc", "/sys")  # there is no music in there, and links may lead anywhere


@dataclass(frozen=True, slots=True)
class AudioFile:
    """An audio file that a walk has found.

    Attributes
    ----------
    path : str
        Absolute, in Python's form of file names.
    size : int
        Bytes.
    mtime_ns : int
        Modification time in nanoseconds; beyond what 64 bits hold, the years 1677 to 2262, modulo 2**64.
    other_name_of : (int, int) or None
        Device and inode, if the file has or may have another name (by a hard or a symbolic link).
    """

    path: str
    size: int
    mtime_ns: int
    other_name_of: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that a walk has found.

    Attributes
    ----------
    path : str
        Absolute.
    files : list of AudioFile
        Its audio files, in order of name.
    hidden : list of str
        Names of its hidden entries.
    inside : bool
        Whether it really lies in one of the roots, and not where a symbolic link leads out of them.
    """

    path: str
    files: list[AudioFile]
    hidden: list[str]
    inside: bool


@dataclass(frozen=True, slots=True)
class Places:
    """A part of what a walk goes through.

    Attributes
    ----------
    folders : frozenset of str
        Folders to look at, without what lies in folders below.
    trees : frozenset of str
        Folders to go through as a whole; they may be gone.
    """

    folders: frozenset[str] = frozenset()
    trees: frozenset[str] = frozenset()


@dataclass
class Walk:
    """The audio files under some folders, folder by folder, in order of name.

    Each real folder is visited once; hidden files and folders are left out. Symbolic links are followed,
    except those to a folder that contains the link or a root (the walk would go through everything beside
    them), and those into the system's own ``/dev``, ``/proc`` and ``/sys``.

    Parameters
    ----------
    roots : list of str
        Absolute folders.
    stop : callable
        Asked before every folder; True ends the walk.
    places : Places, optional
        Go only there. None of them may be reached by a link.

    Attributes
    ----------
    unreadable : list of (str, str)
        Folders and files that could not be examined, and why.
    other_names : int
        Symbolic links that were left out because the walk meets the file itself.
    not_followed : list of str
        Symbolic links that were left out because of where they lead.
    """

    roots: list[str]
    stop: Callable[[], bool] = lambda: False
    places: Places | None = None
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    other_names: int = 0
    not_followed: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Folder]:
        visited: set[tuple[int, int]] = set()
        real_roots = [os.path.realpath(root) for root in self.roots]
        waiting = list(zip(self.roots, real_roots, strict=True))[::-1]
        shallow: frozenset[str] = frozenset()
        if self.places is not None:
            shallow = self.places.folders - self.places.trees
            starts = [*sorted(shallow, reverse=True), *sorted(self.places.trees, reverse=True)]
            waiting = [(path, os.path.realpath(path)) for path in starts]
        while waiting and not self.stop():
            path, real = waiting.pop()
            try:
                info = os.stat(path)
                if (info.st_dev, info.st_ino) in visited:
                    continue
                visited.add((info.st_dev, info.st_ino))
                with os.scandir(path) as entries:
                    listed = sorted(entries, key=lambda entry: entry.name)
            except OSError as error:
                self._note(path, error)
                continue
            folders: list[tuple[str, str]] = []
            files: list[AudioFile] = []
            for entry in listed:
                if not entry.name.startswith("."):
                    self._sort_in(entry, real, real_roots, folders, files)
            if path not in shallow:
                waiting += reversed(folders)
            hidden = [entry.name for entry in listed if entry.name.startswith(".")]
            yield Folder(path, files, hidden, any(_contains(root, real) for root in real_roots))

    def _sort_in(
        self,
        entry: os.DirEntry[str],
        folder: str,
        roots: list[str],
        folders: list[tuple[str, str]],
        files: list[AudioFile],
    ) -> None:
        """Add an entry of the real ``folder`` to the files or to the folders to visit, if it is either."""
        try:
            is_folder = entry.is_dir()
            if not is_folder and not is_audio(entry.name):
                return
            real = os.path.join(folder, entry.name)
            if entry.is_symlink():
                link, real = real, os.path.realpath(entry.path)
                if _leads_astray(link, real, roots):
                    # What lies in a root is found anyway.
                    if not any(_contains(root, real) for root in roots):
                        self.not_followed.append(entry.path)
                    return
                if not is_folder and _is_met(real, roots):
                    self.other_names += 1
                    return
            elif real in _SYSTEM_FOLDERS:
                return
            if is_folder:
                folders.append((entry.path, real))
                return
            info = entry.stat()
        except OSError as error:
            self._note(entry.path, error)
            return
        if stat.S_ISREG(info.st_mode):
            shared = info.st_nlink > 1 or entry.is_symlink()
            inode = (info.st_dev, info.st_ino) if shared else None
            files.append(AudioFile(entry.path, info.st_size, _in_64_bits(info.st_mtime_ns), inode))

    def _note(self, path: str, error: OSError) -> None:
        # A broken link, or an entry that is gone since the folder was listed: there is nothing to read.
        if path in self.roots or error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            self.unreadable.append((path, error.strerror or str(error)))


def _contains(folder: str, path: str) -> bool:
    """Return whether a real path is that of a folder or of something inside it."""
    return path == folder or path.startswith(os.path.join(folder, ""))


def _leads_astray(link: str, target: str, roots: list[str]) -> bool:
    """Return whether a link must not be followed, given its own real path and that of its target."""
    if any(_contains(folder, target) and not _contains(folder, link) for folder in _SYSTEM_FOLDERS):
        return True
    return _contains(target, link) or any(target != root and _contains(target, root) for root in roots)


def _is_met(target: str, roots: list[str]) -> bool:
    """Return whether the walk finds the file under this, its real path."""
    for root in roots:
        if _contains(root, target):
            inside = os.path.relpath(target, root).split(os.sep)
            return is_audio(inside[-1]) and not any(part.startswith(".") for part in inside)
    return False


def _in_64_bits(time_ns: int) -> int:
    return (time_ns + 2**63) % 2**64 - 2**63
