"""A scan: walks the folders, fingerprints the tracks that have none, and shows its progress."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from auralis_fp.library.errors import LibraryError
from auralis_fp.library.files.walk import Places
from auralis_fp.library.files.watcher import FolderWatcher
from auralis_fp.library.store.backlog import WorkLeft
from auralis_fp.library.store.repository import LibraryRepository
from auralis_fp.library.work.catalog import Changes, synchronize
from auralis_fp.library.work.extractor import FingerprintExtractor
from auralis_fp.library.work.outcomes import Extraction, Outcome
from auralis_fp.library.work.progress import Display, Meter
from auralis_fp.library.work.protocol import TrackLike
from auralis_fp.library.work.queue import FingerprintQueue, QueueStatistics
from auralis_fp.metadata import Metadata

__all__ = ["Scan", "ScanSummary"]

_log = logging.getLogger(__name__)

_TICK_S: Final = 0.1
_SHOW_EVERY_S: Final = 0.5
_IDLE_POLL_S: Final = 3.0
_IDLE_TICK_S: Final = 1.0
_SHOW_IDLE_S: Final = 3.0
_COUNT_EVERY_S: Final = 2.0
_SAY_AFTER_S: Final = 2.0
_NAMED: Final = 20
_MOST_NAMED: Final = 5000


@dataclass
class ScanSummary:
    """What a scan did.

    Attributes
    ----------
    statistics : QueueStatistics
        The counters.
    changes : Changes
        What the walk found; all zero without folders.
    failures : list of (str, str)
        Every file that failed, and why; a track without a file is named by its id.
    unavailable : dict
        Folders that are missing or do not answer, with the number of their tracks that wait.
    elsewhere : int
        Number of waiting tracks that this scan could not work on: another process has claimed or locked
        them, or died while it worked on them.
    elsewhere_paths : list of str
        The files of the first few of them.
    failed_before : int
        Number of tracks that failed in earlier scans and were left alone in this one.
    sidecars_unwritten : dict
        Reasons why sidecars could not be written or were left alone, with the number of tracks.
    interrupted : bool
        Whether :meth:`Scan.interrupt` ended it.
    metadata : dict
        With ``keep_metadata``: metadata of recordings whose sidecars could not be written, by track id.
    """

    statistics: QueueStatistics = field(default_factory=QueueStatistics)
    changes: Changes = field(default_factory=Changes)
    failures: list[tuple[str, str]] = field(default_factory=list)
    unavailable: dict[str, int] = field(default_factory=dict)
    elsewhere: int = 0
    elsewhere_paths: list[str] = field(default_factory=list)
    failed_before: int = 0
    sidecars_unwritten: dict[str, int] = field(default_factory=dict)
    interrupted: bool = False
    metadata: dict[int, Metadata] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether everything is done."""
        return not (self.failures or self.unavailable or self.changes.unreadable or self.elsewhere)


class Scan:
    """One run over a library; it walks and analyses at the same time.

    Parameters
    ----------
    repository : LibraryRepository
        The library.
    extractor : FingerprintExtractor
        Does the work on a track.
    folders : sequence of str
        Folders to walk; without any, only tracks that the database already holds are analysed.
    workers : int
        Number of threads.
    limit : int, optional
        Stop after this many tracks.
    keep_metadata : bool
        Fill :attr:`ScanSummary.metadata`.
    watcher : FolderWatcher, optional
        Go on, with what changes in the folders, until :meth:`interrupt` is called.
    """

    def __init__(
        self,
        repository: LibraryRepository,
        extractor: FingerprintExtractor,
        *,
        folders: Sequence[str] = (),
        workers: int = 16,
        limit: int | None = None,
        keep_metadata: bool = False,
        watcher: FolderWatcher | None = None,
    ) -> None:
        self._repository: Final = repository
        self._keep_metadata: Final = keep_metadata
        self._use_sidecar_files: Final = extractor.use_sidecar_files
        self._folders: Final = folders
        extractor.sidecar_roots = folders
        self._limit: Final = limit
        self._watcher: Final = watcher
        self._summary: Final = ScanSummary()
        self._lock: Final = threading.Lock()
        self._interrupts = 0
        self._walk_error: Exception | None = None
        self._walker: Final = threading.Thread(target=self._walk, name="folder-walk", daemon=True)
        self._counter: Final = threading.Thread(target=self._count, name="work-count", daemon=True)
        self._over: Final = threading.Event()
        self._started = False
        self._looks = 0
        self._looking = False
        self._count_taken: tuple[WorkLeft, int] | None = None
        self._postponed = 0
        self._waiting_since: float | None = None
        self._queue: Final = FingerprintQueue(
            extractor,
            workers=workers,
            until_empty=True,
            poll_s=0.5 if watcher is None else _IDLE_POLL_S,
            limit=limit,
            more_expected=self._more_expected,
            on_progress=self._note,
        )

    def interrupt(self) -> None:
        """Stop: at the first call when the running tracks are done, at the second at once.

        Safe in a signal handler.
        """
        self._interrupts += 1

    @property
    def interrupted(self) -> bool:
        """Whether :meth:`interrupt` was called."""
        return self._interrupts > 0

    def run(self, display: Display) -> ScanSummary:
        """Scan until nothing is left to do or :meth:`interrupt` is called.

        Raises
        ------
        LibraryError
            The database failed; what was stored until then is safe, and another run continues from there.
        """
        self._walker.start()
        self._counter.start()
        try:
            with display:
                self._watch(display)
        except BaseException:  # the display failed, say because its pipe was closed
            self._interrupts = 2
            self._queue.stop(graceful=False, timeout=10)
            raise
        finally:
            self._over.set()
        return self._finish()

    def _watch(self, display: Display) -> None:
        meter, seen, shown_at = Meter(), 0, 0.0
        shown, changed_at = None, 0.0
        while not self._is_over():
            if self._interrupts > seen:
                seen = self._interrupts
                self._queue.stop(graceful=seen == 1, timeout=0)
            waiting = self._waiting_text()
            if time.monotonic() - shown_at < _SHOW_EVERY_S or (self._count_taken is None and not waiting):
                continue
            statistics = self._queue.statistics
            state = (statistics.done, statistics.running, self._count_taken, self._note_text(), waiting)
            if state != shown or statistics.running:
                shown, changed_at = state, time.monotonic()
            elif self._watcher and time.monotonic() - changed_at > _SHOW_IDLE_S:
                continue  # nothing happens, perhaps for days
            left, claimed_then = self._count_taken or (WorkLeft(0, 0, 0), 0)
            still = _less(left, statistics.done + statistics.running - claimed_then)
            display.show(
                meter.measure(statistics, still, limit=self._limit, note=self._note_text(), waiting=waiting)
            )
            shown_at = time.monotonic()
        left = self._count_taken[0] if self._count_taken else WorkLeft(0, 0, 0)
        if self._queue.error is None and self._walk_error is None:
            left = self._left(left)
        display.show(meter.measure(self._queue.statistics, left, limit=self._limit), last=True)

    def _is_over(self) -> bool:
        finished = self._queue.join(_TICK_S if self._watcher is None else _IDLE_TICK_S)
        if self._walker.is_alive():
            if finished:
                time.sleep(_TICK_S)
            return False
        return finished or not self._started

    def _finish(self) -> ScanSummary:
        summary = self._summary
        summary.statistics = self._queue.statistics
        summary.interrupted = self.interrupted
        for error in (self._queue.error, self._walk_error):
            if error is not None:
                raise (
                    error
                    if isinstance(error, LibraryError | ImportError)
                    else LibraryError(f"{type(error).__name__}: {error}")
                ) from error
        failed = summary.statistics.failed
        summary.failures += summary.changes.refused
        if self._limit is None and not summary.interrupted:
            self._account(failed)
        return summary

    def _account(self, failed: int) -> None:
        """Record what is left, so that no scan with waiting tracks claims that all is done."""
        summary = self._summary
        unfinished = self._repository.unfinished(names=min(self._postponed, _MOST_NAMED) + _NAMED)
        summary.elsewhere = max(0, unfinished.tracks - self._postponed)
        if summary.elsewhere:
            known = {path for path, _reason in summary.failures}
            paths = (p for p in unfinished.paths if p not in known and _folder(p) not in summary.unavailable)
            summary.elsewhere_paths = list(islice(paths, _NAMED))
        summary.failed_before = max(0, unfinished.failed - failed)

    def _walk(self) -> None:
        try:
            self._repository.reconcile()
            self._started = True
            self._queue.start()
            if self.interrupted:
                self._queue.stop(graceful=self._interrupts == 1, timeout=0)
            if self._watcher is not None:
                for places in self._watcher.jobs(self._ends):
                    self._look(places)
            elif self._folders:
                self._look(None)
        except Exception as error:
            self._walk_error = error
            self._queue.stop(graceful=False, timeout=0)

    def _ends(self) -> bool:
        return self.interrupted or self._queue.error is not None

    def _look(self, places: Places | None) -> None:
        """Bring the database in line with the files, everywhere or in some places."""
        before, watcher = self._summary.changes, self._watcher
        changes = Changes()
        if places is None:
            self._summary.changes = changes
        self._looking = True
        synchronize(
            self._repository.database,
            self._folders,
            stop=self._ends,
            changes=changes,
            places=places,
            is_quiet=watcher.is_quiet if watcher else lambda _file: True,
        )
        self._looking = False
        self._looks += 1
        if watcher is None:
            return
        if changes.new or changes.changed or changes.moved:
            _log.info("%d new files, %d changed, %d moved", changes.new, changes.changed, changes.moved)
        self._summary.changes.add(before if places is None else changes)
        for path in changes.busy:
            watcher.touch(path)
        if changes.unsettled:
            watcher.walk_soon()

    def _count(self) -> None:
        """Count what is left, again and again, in a thread for which the display need not wait."""
        counted: object = None
        while True:
            statistics = self._queue.statistics
            claimed = statistics.done + statistics.running
            before = self._count_taken[0] if self._count_taken else WorkLeft(0, 0, 0)
            state = (claimed, self._looks)
            if not self._watcher or self._looking or before.tracks or state != counted:
                self._count_taken = self._left(before), claimed
                counted = state
            if self._over.wait(_COUNT_EVERY_S):
                return

    def _more_expected(self) -> bool:
        """Return whether tracks may still appear: from the walk, or from other processes that die."""
        if self._walker.is_alive():
            return True
        if not self._repository.more_expected():
            self._waiting_since = None
            return False
        now = time.monotonic()
        if self._waiting_since is None:
            self._waiting_since = now
        # Claims of dead processes expire within the timeout, or twice that if their clock was ahead; a claim
        # held for longer is renewed by a living process.
        return now - self._waiting_since < 2 * self._repository.claim_timeout_s + 2.0

    def _note(self, track: TrackLike, extraction: Extraction) -> None:
        self._waiting_since = None
        if extraction.outcome is Outcome.FAILED:
            with self._lock:
                self._summary.failures.append((track.filepath or f"track {track.id}", extraction.message))
        elif extraction.outcome is Outcome.UNAVAILABLE:
            folder = _folder(track.filepath)
            with self._lock:
                self._summary.unavailable[folder] = self._summary.unavailable.get(folder, 0) + 1
        with self._lock:
            self._postponed += extraction.postponed
        if reason := extraction.sidecar_error:
            with self._lock:
                self._summary.sidecars_unwritten[reason] = self._summary.sidecars_unwritten.get(reason, 0) + 1
        if extraction.metadata is not None and self._keep_metadata:
            if self._use_sidecar_files and not extraction.sidecar_error:
                return  # the sidecar has them
            with self._lock:
                self._summary.metadata[track.id] = extraction.metadata

    def _note_text(self) -> str:
        if self._interrupts:
            stopping = "finishing the running tracks; Ctrl-C again cancels them"
            return stopping if self._interrupts == 1 else "cancelling"
        if self._watcher and not self._looking:
            return f"watching {self._summary.changes.files} files for changes; Ctrl-C ends"
        if self._walker.is_alive():
            return f"reading folders: {self._summary.changes.files} files so far"
        return ""

    def _waiting_text(self) -> str:
        if self._repository.database.waiting_s > _SAY_AFTER_S:
            return "another program has locked the database"
        since = self._waiting_since
        if since is not None and time.monotonic() - since > _SAY_AFTER_S:
            return "tracks that another process has claimed are still to come"
        return ""

    def _left(self, before: WorkLeft) -> WorkLeft:
        try:
            return self._repository.work_left()
        except LibraryError:  # a busy moment; the workers notice if it is more than that
            return before


def _folder(path: str) -> str:
    return str(Path(path).parent)


def _less(left: WorkLeft, tracks: int) -> WorkLeft:
    """Return the work left without the tracks claimed since it was counted, at the mean size."""
    share = max(0, left.tracks - tracks) / left.tracks if left.tracks else 0.0
    return WorkLeft(max(0, left.tracks - tracks), round(left.bytes * share), round(left.sized_tracks * share))
