"""Threads that claim tracks from a repository and store their fingerprints."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from auralis_fp.cancel import CancelToken
from auralis_fp.library.errors import LibraryError, RefusedRow
from auralis_fp.library.files.tags import read_tags
from auralis_fp.library.store.claims import ClaimedTrack
from auralis_fp.library.store.columns import as_count, as_number
from auralis_fp.library.work.extractor import FingerprintExtractor
from auralis_fp.library.work.outcomes import Extraction, Outcome
from auralis_fp.library.work.protocol import ClaimKeeper, TagKeeper, TrackLike

__all__ = ["AsyncFingerprintQueue", "FingerprintQueue", "QueueStatistics", "default_deadline_s"]

_log = logging.getLogger(__name__)

MOST_REFUSED: Final = 10
"""Number of fingerprints in a row that a repository may refuse before the queue gives up."""

_LONGEST_S: Final = 24 * 3600.0  # longer recordings are refused

Progress = Callable[[TrackLike, Extraction], None]


@dataclass(frozen=True, slots=True)
class QueueStatistics:
    """What a queue has done since it was started.

    Attributes
    ----------
    analyzed, cached, failed, cancelled, unavailable, lost : int
        Number of tracks by outcome; see :class:`Outcome`.
    running : int
        Tracks that are being worked on.
    bytes_done : int
        Total size of the files whose tracks have their fingerprint or failed.
    audio_seconds : float
        Length of the audio that was analysed.
    slowest_s : float
        The longest time that a track took.
    slowest_path : str
        The file of that track.
    sidecars_unwritten : int
        Fingerprints that are in the database, but whose sidecar could not be written.
    elapsed_s : float
        Time since the start.
    """

    analyzed: int = 0
    cached: int = 0
    failed: int = 0
    cancelled: int = 0
    unavailable: int = 0
    lost: int = 0
    running: int = 0
    bytes_done: int = 0
    audio_seconds: float = 0.0
    slowest_s: float = 0.0
    slowest_path: str = ""
    sidecars_unwritten: int = 0
    elapsed_s: float = 0.0

    @property
    def done(self) -> int:
        """Tracks that have their fingerprint or failed."""
        return self.analyzed + self.cached + self.failed


def default_deadline_s(track: TrackLike) -> float:
    """Return how many seconds a track may take: 60, or a tenth of its duration if that is more."""
    duration = as_number(getattr(track, "duration", None))
    if duration is None:
        duration = read_tags(track.filepath).duration
    return max(60.0, min(duration or 0.0, _LONGEST_S) / 10)


class FingerprintQueue:
    """Threads that claim tracks from the extractor's repository until there are none left.

    Nothing is queued in memory: each worker claims a track, works on it and claims the next. A bad
    track never stops a worker. A database that fails stops them all, and so does a repository that takes
    none of :data:`MOST_REFUSED` fingerprints in a row; see :attr:`error`.

    Parameters
    ----------
    extractor : FingerprintExtractor
        Does the work.
    workers : int
        Number of threads.
    deadline_s : float or callable
        Seconds that one track may take, or a function that returns them for a track.
    until_empty : bool
        Finish when the repository has no more tracks; otherwise wait for new ones until :meth:`stop`.
    poll_s : float
        Seconds between two requests to a repository that has no track to claim.
    limit : int, optional
        Finish after this many tracks.
    more_expected : callable, optional
        With ``until_empty``: returns whether tracks may still appear when there is none to claim.
    on_progress : callable, optional
        Called with the track and its :class:`Extraction` in the worker's thread; keep it short.

    Examples
    --------
    >>> from auralis_fp.library import FingerprintExtractor, FingerprintQueue, LibraryRepository
    >>> repository = LibraryRepository("sqlite://")
    >>> queue = FingerprintQueue(FingerprintExtractor(repository), workers=2, until_empty=True)
    >>> queue.start()
    >>> queue.join()
    True
    >>> queue.statistics.done
    0
    """

    def __init__(
        self,
        extractor: FingerprintExtractor,
        *,
        workers: int = 16,
        deadline_s: float | Callable[[TrackLike], float] = default_deadline_s,
        until_empty: bool = False,
        poll_s: float = 1.0,
        limit: int | None = None,
        more_expected: Callable[[], bool] = lambda: False,
        on_progress: Progress | None = None,
    ) -> None:
        if workers < 1:
            raise ValueError(f"workers must be at least 1, not {workers}")
        self._extractor: Final = extractor
        self._repository: Final = extractor.repository
        self._tag_keeper: Final = self._repository if isinstance(self._repository, TagKeeper) else None
        self._workers: Final = workers
        self._deadline_s: Final = deadline_s
        self._until_empty: Final = until_empty
        self._poll_s: Final = poll_s
        self._limit: Final = limit
        self._more_expected: Final = more_expected
        self._on_progress: Final = on_progress
        self._claim_lock: Final = threading.Lock()
        self._lock: Final = threading.Lock()  # guards what follows
        self._threads: list[threading.Thread] = []
        self._alive = 0
        self._error: Exception | None = None
        self._statistics = QueueStatistics()  # all but running and elapsed_s
        self._running = 0
        self._started_at = time.monotonic()
        self._claimed = 0
        self._refused = 0
        self._ask_again_at = 0.0
        self._stopping = threading.Event()
        self._finished = threading.Event()
        self._cancel = CancelToken()

    @property
    def statistics(self) -> QueueStatistics:
        """What has been done since the start."""
        with self._lock:
            elapsed_s = time.monotonic() - self._started_at
            return replace(self._statistics, running=self._running, elapsed_s=elapsed_s)

    @property
    def error(self) -> Exception | None:
        """The error that stopped the workers; None if the work was done or :meth:`stop` was called."""
        return self._error

    @property
    def running(self) -> bool:
        """Whether any worker is alive."""
        return self._alive > 0

    def start(self) -> None:
        """Start the workers; a queue that has finished starts anew."""
        with self._lock:
            if self._alive:
                raise RuntimeError("the queue is running")
            self._error, self._statistics, self._started_at = None, QueueStatistics(), time.monotonic()
            self._running, self._claimed, self._refused, self._ask_again_at = 0, 0, 0, 0.0
            self._stopping, self._finished, self._cancel = threading.Event(), threading.Event(), CancelToken()
            self._alive = self._workers
            self._threads = [
                threading.Thread(target=self._work, name=f"fingerprint-{number}", daemon=True)
                for number in range(self._workers)
            ]
            if isinstance(self._repository, ClaimKeeper):
                self._threads.append(
                    threading.Thread(
                        target=self._renew, args=(self._finished,), name="fingerprint-claims", daemon=True
                    )
                )
        for thread in self._threads:
            thread.start()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the workers have finished; return whether they have."""
        return not self.running or self._finished.wait(timeout)

    def stop(self, *, graceful: bool = True, timeout: float | None = None) -> bool:
        """Stop the workers and wait for them.

        Parameters
        ----------
        graceful : bool
            Let the running tracks finish; otherwise cancel them and release their claims.
        timeout : float, optional
            Seconds to wait.

        Returns
        -------
        bool
            Whether they have stopped.
        """
        self._stopping.set()
        if not graceful:
            self._cancel.cancel()
        return self.join(timeout)

    def _work(self) -> None:
        try:
            while (track := self._next()) is not None:
                self._process(track)
        except BaseException as error:
            self._give_up(error)
        finally:
            with self._lock:
                self._alive -= 1
                if not self._alive:
                    self._finished.set()

    def _give_up(self, error: BaseException) -> None:
        """Stop everything: what is being analysed could not be stored."""
        _log.debug("worker stopped", exc_info=error)
        if not isinstance(error, Exception):
            error = RuntimeError(f"a worker ended with {type(error).__name__}: {error}")
        with self._lock:
            self._error = self._error or error
        self._stopping.set()
        self._cancel.cancel()

    def _next(self) -> TrackLike | None:
        """Return a claimed track, waiting for one if more are expected; None ends the worker."""
        while not self._stopping.is_set():
            with self._claim_lock:  # idle workers ask one at a time
                if self._limit is not None and self._claimed >= self._limit:
                    return None
                wait_s = self._ask_again_at - time.monotonic()
                if wait_s <= 0:
                    track = self._repository.claim_next_unfingerprinted_track()
                    more = track is not None or not self._until_empty or self._more_expected()
                    if not more:  # a track that had appeared before that answer is still found
                        track = self._repository.claim_next_unfingerprinted_track()
                    if track is not None:
                        self._claimed += 1
                        return track
                    if not more:
                        return None
                    self._ask_again_at = time.monotonic() + self._poll_s
                    wait_s = self._poll_s
            self._stopping.wait(wait_s)
        return None

    def _process(self, track: TrackLike) -> None:
        with self._lock:
            self._running += 1
        extraction = None
        try:
            extraction = self._extracted(track)
        finally:
            if extraction is None and isinstance(self._repository, ClaimKeeper):
                with contextlib.suppress(Exception):  # the repository has just failed, perhaps for good
                    self._repository.release_claim(track.id)
            with self._lock:
                self._running -= 1
                if extraction is not None:
                    self._statistics = self._counted(track, extraction)
        if self._on_progress is not None:
            try:
                self._on_progress(track, extraction)
            except Exception:
                _log.exception("the progress callback failed")
        with self._lock:
            self._refused = self._refused + 1 if extraction.refused else 0
            enough = self._refused >= MOST_REFUSED
        if enough:
            raise LibraryError(
                f"none of the last {MOST_REFUSED} fingerprints was stored: {extraction.message}"
            )

    def _extracted(self, track: TrackLike) -> Extraction:
        fault = getattr(track, "fault", "")
        if fault and isinstance(fault, str):
            return Extraction(Outcome.FAILED, fault)
        track = self._described(track)
        try:
            deadline_s = self._deadline_s(track) if callable(self._deadline_s) else self._deadline_s
        except Exception:
            _log.exception("track %s: its deadline could not be determined", track.id)
            deadline_s = 60.0
        return self._extractor.extract(
            track.id,
            track.filepath,
            timeout=deadline_s,
            cancel=self._cancel,
            suspect=getattr(track, "suspect", False) is True,
        )

    def _described(self, track: TrackLike) -> TrackLike:
        """Pass on the tags of a new track; return the track with its duration."""
        if self._tag_keeper is None or not (isinstance(track, ClaimedTrack) and track.new):
            return track
        tags = read_tags(track.filepath)
        with contextlib.suppress(RefusedRow):  # missing tags are not an error
            self._tag_keeper.fill_in(track.id, tags._asdict())
        return replace(track, duration=tags.duration)

    def _counted(self, track: TrackLike, extraction: Extraction) -> QueueStatistics:
        old = self._statistics
        counter = extraction.outcome.value
        settled = extraction.stored or extraction.outcome is Outcome.FAILED
        slower = extraction.seconds > old.slowest_s
        return replace(
            old,
            **{counter: getattr(old, counter) + 1},
            bytes_done=old.bytes_done + ((as_count(getattr(track, "filesize", None)) or 0) if settled else 0),
            audio_seconds=old.audio_seconds + extraction.audio_seconds,
            slowest_s=extraction.seconds if slower else old.slowest_s,
            slowest_path=str(track.filepath) if slower else old.slowest_path,
            sidecars_unwritten=old.sidecars_unwritten + bool(extraction.sidecar_error),
        )

    def _renew(self, finished: threading.Event) -> None:
        assert isinstance(self._repository, ClaimKeeper)
        while not finished.wait(self._repository.claim_timeout_s / 4):
            try:
                self._repository.renew_claims()
            except Exception as error:  # the next try may still be in time
                _log.warning("claims could not be renewed: %s", error)


class AsyncFingerprintQueue:
    """A :class:`FingerprintQueue` for asyncio: the same threads behind methods that can be awaited.

    Parameters
    ----------
    queue : FingerprintQueue
        The queue to run.

    Examples
    --------
    >>> async def main(extractor):
    ...     queue = AsyncFingerprintQueue(FingerprintQueue(extractor))
    ...     await queue.start()
    ...     await queue.stop()
    """

    def __init__(self, queue: FingerprintQueue) -> None:
        self.queue: Final = queue

    @property
    def statistics(self) -> QueueStatistics:
        """What has been done since the start."""
        return self.queue.statistics

    async def start(self) -> None:
        """Start the workers."""
        await asyncio.to_thread(self.queue.start)

    async def join(self) -> None:
        """Wait until the workers have finished."""
        await asyncio.to_thread(self.queue.join)

    async def stop(self, *, graceful: bool = True, timeout: float | None = None) -> bool:
        """Stop the workers, as :meth:`FingerprintQueue.stop` does, without blocking the event loop."""
        return await asyncio.to_thread(self.queue.stop, graceful=graceful, timeout=timeout)

    async def __aenter__(self) -> AsyncFingerprintQueue:
        await self.start()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.stop()
