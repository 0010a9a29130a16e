"""A scan: walks the folders, works through what has no fingerprint, and reports its progress."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from auralis_fp.library.errors import LibraryError
from auralis_fp.library.store.backlog import WorkLeft
from auralis_fp.library.store.repository import LibraryRepository
from auralis_fp.library.work.catalog import Changes, synchronize
from auralis_fp.library.work.extractor import Extraction, FingerprintExtractor, Outcome
from auralis_fp.library.work.progress import Display, Meter
from auralis_fp.library.work.protocol import TrackLike
from auralis_fp.library.work.queue import FingerprintQueue, QueueStatistics
from auralis_fp.metadata import Metadata

__all__ = ["Scan", "ScanSummary"]

_TICK_S: Final = 0.1
_SHOW_EVERY_S: Final = 0.5
_COUNT_EVERY_S: Final = 2.0


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
        Every file that failed, and why.
    unavailable : dict
        Folders that are not there, with the number of their tracks that wait.
    elsewhere : int
        Tracks that another process still has, or had when it died.
    sidecars_unwritten : dict
        Why sidecars could not be written or were left alone, with the number of tracks.
    interrupted : bool
        Whether :meth:`Scan.interrupt` ended it.
    metadata : dict
        With ``keep_metadata``: facts about files that no sidecar could take, by id of the track.
    """

    statistics: QueueStatistics = field(default_factory=QueueStatistics)
    changes: Changes = field(default_factory=Changes)
    failures: list[tuple[str, str]] = field(default_factory=list)
    unavailable: dict[str, int] = field(default_factory=dict)
    elsewhere: int = 0
    sidecars_unwritten: dict[str, int] = field(default_factory=dict)
    interrupted: bool = False
    metadata: dict[int, Metadata] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether everything that had to be done is done."""
        return not (self.failures or self.unavailable or self.changes.unreadable or self.elsewhere)


class Scan:
    """One run over a library; walking and analysing go on at the same time.

    Parameters
    ----------
    repository : LibraryRepository
        The library.
    extractor : FingerprintExtractor
        Does the work on a track.
    folders : sequence of str
        Folders to walk first; without any, only what the database holds is worked on.
    workers : int
        Number of threads.
    limit : int, optional
        Stop after so many tracks.
    keep_metadata : bool
        Fill :attr:`ScanSummary.metadata`.
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
    ) -> None:
        self._repository: Final = repository
        self._keep_metadata: Final = keep_metadata
        self._use_sidecar_files: Final = extractor.use_sidecar_files
        self._folders: Final = folders
        extractor.sidecar_roots = folders
        self._limit: Final = limit
        self._summary: Final = ScanSummary()
        self._lock: Final = threading.Lock()
        self._interrupts = 0
        self._walk_error: Exception | None = None
        self._walker: Final = threading.Thread(target=self._walk, name="folder-walk", daemon=True)
        self._waiting_since: float | None = None
        self._queue: Final = FingerprintQueue(
            extractor,
            workers=workers,
            until_empty=True,
            poll_s=0.5,
            limit=limit,
            more_expected=self._more_expected,
            on_progress=self._note,
        )

    def interrupt(self) -> None:
        """Stop: the first time when the running tracks are done, the second time at once.

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
            The database failed; what was stored until then is safe, and another run goes on from there.
        """
        self._repository.reconcile()
        if self._folders:
            self._walker.start()
        self._queue.start()
        try:
            with display:
                self._watch(display)
        except BaseException:  # the display failed, say because the pipe it writes to was closed
            self._interrupts = 2
            self._queue.stop(graceful=False, timeout=10)
            raise
        return self._finish()

    def _watch(self, display: Display) -> None:
        meter, seen, shown_at, counted_at, claimed_at_count = Meter(), 0, 0.0, 0.0, 0
        left = WorkLeft(0, 0, 0)
        while not (finished := self._queue.join(_TICK_S)) or self._walker.is_alive():
            if finished:
                time.sleep(_TICK_S)
            if self._interrupts > seen:
                seen = self._interrupts
                self._queue.stop(graceful=seen == 1, timeout=0)
            now = time.monotonic()
            if now - shown_at < _SHOW_EVERY_S:
                continue
            statistics = self._queue.statistics
            claimed = statistics.done + statistics.running
            if now - counted_at >= _COUNT_EVERY_S:
                left, counted_at, claimed_at_count = self._left(left), now, claimed
            still = _less(left, claimed - claimed_at_count)
            display.show(meter.measure(statistics, still, limit=self._limit, note=self._note_text()))
            shown_at = time.monotonic()
        if self._queue.error is None:
            left = self._left(left)
        display.show(meter.measure(self._queue.statistics, left, limit=self._limit), last=True)

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
        if self._limit is None and not summary.interrupted:
            summary.elsewhere = self._repository.claims_of_others()
        return summary

    def _walk(self) -> None:
        try:
            synchronize(
                self._repository.database,
                self._folders,
                stop=lambda: self.interrupted or self._queue.error is not None,
                changes=self._summary.changes,
            )
        except Exception as error:
            self._walk_error = error
            self._queue.stop(timeout=0)

    def _more_expected(self) -> bool:
        """Whether tracks may still appear: from the walk, or from another process that died with them."""
        if self._walker.is_alive():
            return True
        if not self._repository.claims_of_others():
            self._waiting_since = None
            return False
        now = time.monotonic()
        if self._waiting_since is None:
            self._waiting_since = now
        # Claims of the dead expire within the timeout; whoever holds one longer is alive and renews it.
        return now - self._waiting_since < self._repository.claim_timeout_s + 2.0

    def _note(self, track: TrackLike, extraction: Extraction) -> None:
        if extraction.outcome is Outcome.FAILED:
            with self._lock:
                self._summary.failures.append((track.filepath, extraction.message))
        elif extraction.outcome is Outcome.UNAVAILABLE:
            folder = str(Path(track.filepath).parent)
            with self._lock:
                self._summary.unavailable[folder] = self._summary.unavailable.get(folder, 0) + 1
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
        if self._walker.is_alive():
            return f"reading folders: {self._summary.changes.files} files so far"
        if self._waiting_since is not None:
            return "waiting for tracks that another process has claimed"
        return ""

    def _left(self, before: WorkLeft) -> WorkLeft:
        try:
            return self._repository.work_left()
        except LibraryError:  # a busy moment; the workers will tell if it is more than that
            return before


def _less(left: WorkLeft, tracks: int) -> WorkLeft:
    """Take what was claimed since the count off it, at the mean size."""
    share = max(0, left.tracks - tracks) / left.tracks if left.tracks else 0.0
    return WorkLeft(max(0, left.tracks - tracks), round(left.bytes * share), round(left.sized_tracks * share))
