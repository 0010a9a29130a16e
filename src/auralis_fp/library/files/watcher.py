"""Notices where files change: by what the system says, or by polling where other machines write."""

# Paths are strings here, as in the walk.
# ruff: noqa: PTH112, PTH118, PTH120, PTH206

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from auralis_fp._audio_files import SIDECAR_EXTENSION, is_audio
from auralis_fp._text import printable
from auralis_fp.library.files.walk import AudioFile, Places

__all__ = ["FolderWatcher", "network_folders"]

_log = logging.getLogger(__name__)

_TICK_S: Final = 0.5
_WALK_SOON_S: Final = 60.0
_GROUP_MS: Final = 2000
_STEP_MS: Final = 500

_NETWORK: Final = frozenset(
    ["9p", "afs", "ceph", "cifs", "davfs", "drvfs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "prl_fs",
     "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs"]
)  # fmt: skip


class FolderWatcher:
    """Says where in some folders there is something new, once its files are quiet.

    A file is quiet when nothing has happened to it for ``settle_s``: one that is still being copied waits.

    Parameters
    ----------
    roots : sequence of str
        Absolute folders.
    settle_s : float
        How long a file must have been left alone.
    walk_every_s : float
        How often to look through everything, for what went unnoticed.
    poll_s : float
        How often to compare the files of network folders: no system says what other machines change.

    Raises
    ------
    ImportError
        watchfiles is not installed.
    """

    def __init__(
        self,
        roots: Sequence[str],
        *,
        settle_s: float = 5.0,
        walk_every_s: float = 3600.0,
        poll_s: float = 30.0,
    ) -> None:
        try:
            import watchfiles
        except ModuleNotFoundError as error:
            message = "watching folders needs watchfiles: pip install 'auralis-fp[watch]'"
            raise ImportError(message) from error
        self._watch: Final = watchfiles.watch
        self._added: Final = watchfiles.Change.added
        self._roots: Final = [os.path.join(root, "") for root in roots]
        self._settle_s: Final = settle_s
        self._walk_every_s: Final = walk_every_s
        self._poll_s: Final = poll_s
        self._lock: Final = threading.Lock()
        self._due: dict[str, tuple[float, bool]] = {}  # path -> when it is quiet, and whether it is new
        self._walk_at = 0.0
        self._listening = threading.Event()  # set: that generation of listeners ends

    def jobs(self, stop: Callable[[], bool]) -> Iterator[Places | None]:
        """Yield where to look next, until ``stop()`` says so; None is everywhere."""
        try:
            while not stop():
                started = time.monotonic()
                if started >= self._walk_at:
                    self._walk_at = started + self._walk_every_s
                    self._listen(stop)  # anew: a disk may have come back under the same name
                    yield None
                elif places := self._settled(started):
                    yield places
                # While very many files arrive, most of the time is for measuring them.
                done = time.monotonic()
                again = done + min(5 * (done - started), 10.0)
                while not stop():
                    time.sleep(_TICK_S)
                    if time.monotonic() >= again:
                        break
        finally:
            self._listening.set()

    def touch(self, path: str, *, new: bool = False, settle_s: float | None = None) -> None:
        """Note that something has happened to a file or a folder."""
        due = time.monotonic() + (self._settle_s if settle_s is None else settle_s)
        with self._lock:
            self._due[path] = due, new or self._due.get(path, (0.0, False))[1]

    def is_quiet(self, file: AudioFile) -> bool:
        """Return whether a file may be measured; if not, its folder is among the later jobs."""
        due, _new = self._due.get(file.path, (0.0, False))
        if due > time.monotonic():
            return False
        left = self._settle_s - abs(time.time() - file.mtime_ns / 1e9)  # clocks of servers may be ahead
        if left > 0:
            self.touch(file.path, settle_s=left)
        return left <= 0

    def walk_soon(self) -> None:
        """Look through everything in a minute: what has changed takes more than a look at one folder."""
        self._walk_at = min(self._walk_at, time.monotonic() + _WALK_SOON_S)

    def _listen(self, stop: Callable[[], bool]) -> None:
        """Start new listeners, and end the old ones when the new ones hear."""
        before, self._listening = self._listening, threading.Event()
        polled = network_folders(self._roots)
        local = [root for root in self._roots if root not in polled]
        ready = []
        for root in (*local, *polled):
            hears = threading.Event()
            ready.append(hears)
            arguments = (root, root in polled, hears, self._listening)
            threading.Thread(target=self._hear, args=arguments, name="folder-watch", daemon=True).start()
        for hears in ready:
            while not hears.wait(_TICK_S) and not stop():
                pass
        before.set()

    def _hear(self, root: str, polled: bool, hears: threading.Event, over: threading.Event) -> None:
        settle_s = self._settle_s + (1.5 * self._poll_s if polled else 0)
        while not over.is_set():
            heard = False
            try:
                for changes in self._watch(
                    root,
                    watch_filter=None,
                    debounce=_GROUP_MS,
                    step=_STEP_MS,
                    stop_event=over,
                    rust_timeout=1000,
                    yield_on_timeout=True,
                    raise_interrupt=False,
                    force_polling=polled or None,
                    poll_delay_ms=int(1000 * self._poll_s),
                    ignore_permission_denied=True,
                ):
                    heard = True
                    hears.set()
                    for kind, path in changes:
                        if _matters(path.removeprefix(root)):
                            self.touch(path, new=kind == self._added, settle_s=settle_s)
            except Exception as error:
                # Something is missed now. The reason may be the name of a file, if it is not UTF-8.
                self.walk_soon()
                if not heard and (polled or isinstance(error, FileNotFoundError)):
                    _log.warning("%s: %s; looking there again and again", printable(root), error)
                    break
                if not heard:  # the system's limits, or a file system without events
                    _log.warning("%s: %s; polled instead of watched", printable(root), error)
                    polled = True
                over.wait(1.0)
        hears.set()

    def _settled(self, now: float) -> Places | None:
        """Return where the files are that have been quiet for long enough, and forget them."""
        with self._lock:
            settled = {path: new for path, (due, new) in self._due.items() if due <= now}
            for path in settled:
                del self._due[path]
        folders: set[str] = set()
        trees: set[str] = set()
        for path, new in settled.items():
            if os.path.isdir(path):
                (trees if new else folders).add(path)
            elif is_audio(path):
                folders.add(os.path.dirname(path))
            elif not os.path.lexists(path):
                trees.add(path)  # perhaps a folder: its tracks are gone, or somewhere else
        if any(self._is_behind_a_link(path) for path in folders | trees):
            self.walk_soon()
            folders, trees = (
                {path for path in paths if not self._is_behind_a_link(path)} for paths in (folders, trees)
            )
        return Places(frozenset(folders), frozenset(trees)) if folders or trees else None

    def _is_behind_a_link(self, path: str) -> bool:
        """Return whether links lead from the root to a path: only a whole walk knows which to follow."""
        for root in self._roots:
            if os.path.join(path, "").startswith(root):
                return os.path.realpath(path) != os.path.normpath(
                    os.path.join(os.path.realpath(root), path[len(root) :])
                )
        return True


def network_folders(roots: Sequence[str], mounts: Path = Path("/proc/self/mountinfo")) -> list[str]:
    """Return the folders among, above and below ``roots`` into which other machines can write.

    Parameters
    ----------
    roots : sequence of str
        Folders, each with a slash at the end.
    mounts : Path
        The system's list of mounts; without one, no folder is known to be on a network.
    """
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return []
    kinds: dict[str, str] = {}
    for line in lines:
        before, _, after = line.partition(" - ")
        point = re.sub(r"\\(\d{3})", lambda match: chr(int(match[1], 8)), before.split()[4])
        kinds[os.path.join(point, "")] = after.split()[0]
    found = []
    for root in roots:
        real = os.path.join(os.path.realpath(root), "")
        own = max((point for point in kinds if real.startswith(point)), key=len, default="")
        below = [point for point in kinds if point.startswith(real) and point != real]
        if _is_network(kinds.get(own, "")):
            found.append(root)
        else:
            found += [os.path.join(root, p[len(real) :]) for p in below if _is_network(kinds[p])]
    return found


def _is_network(kind: str) -> bool:
    return kind in _NETWORK or kind.startswith("fuse.")


def _matters(path: str) -> bool:
    """Return whether a walk would look at a path below its root, if it were audio or a folder."""
    return not (path.endswith(SIDECAR_EXTENSION) or any(part.startswith(".") for part in path.split(os.sep)))
