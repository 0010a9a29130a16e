"""The progress of a scan: rates, the time left, and the line for logs."""

from __future__ import annotations

import resource
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol

from auralis_fp.library.store.backlog import WorkLeft
from auralis_fp.library.work.queue import QueueStatistics

__all__ = ["Display", "Meter", "Snapshot", "format_seconds", "memory_bytes"]

_WINDOW_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a scan at one moment.

    Attributes
    ----------
    done, total : int
        Tracks.
    tracks_per_s, times_real_time : float
        Speed over the last minute; the latter in seconds of audio per second.
    eta_s : float or None
        Seconds left, from the bytes left and the speed in bytes.
    statistics : QueueStatistics
        The counters behind it.
    note : str
        What else is going on: a folder walk, a stop.
    waiting : str
        What the scan is waiting for, if it waits for another program.
    """

    done: int
    total: int
    tracks_per_s: float
    times_real_time: float
    eta_s: float | None
    statistics: QueueStatistics
    note: str = ""
    waiting: str = ""

    @property
    def line(self) -> str:
        """The line for logs."""
        share = 100 * self.done / self.total if self.total else 100.0
        return (
            f"Progress: {self.done}/{self.total} ({share:.1f}%) | Rate: {self.tracks_per_s:.1f} tracks/s | "
            f"ETA: {format_seconds(self.eta_s)}"
        )


class Meter:
    """Speed over the last minute, and from it the time left.

    The sizes of files in a library differ by a factor of a hundred, so the bytes left predict the time left
    better than the number of files does.
    """

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int, int, float]] = deque()

    def measure(
        self,
        statistics: QueueStatistics,
        left: WorkLeft,
        *,
        limit: int | None = None,
        note: str = "",
        waiting: str = "",
    ) -> Snapshot:
        """Return a snapshot, from the counters at a moment and the work that is left then."""
        tracks_left = statistics.running + left.tracks
        share = 1.0
        if limit is not None and statistics.done + tracks_left > limit:
            allowed = max(0, limit - statistics.done)
            share, tracks_left = allowed / tracks_left, allowed
        now = statistics.elapsed_s
        self._samples.append((now, statistics.done, statistics.bytes_done, statistics.audio_seconds))
        while len(self._samples) > 2 and self._samples[0][0] < now - _WINDOW_S:
            self._samples.popleft()
        then, done, size, audio = self._samples[0] if len(self._samples) > 1 else (0.0, 0, 0, 0.0)
        elapsed = max(now - then, 1e-6)
        tracks_per_s = (statistics.done - done) / elapsed
        bytes_per_s = (statistics.bytes_done - size) / elapsed
        eta_s = None
        if not tracks_left:
            eta_s = 0.0
        elif left.sized_tracks and bytes_per_s > 0:
            mean = left.bytes / left.sized_tracks
            unsized = left.tracks - left.sized_tracks
            running = statistics.running * mean / 2  # half done, on average
            eta_s = (left.bytes + unsized * mean + running) * share / bytes_per_s
        elif tracks_per_s > 0:
            eta_s = tracks_left / tracks_per_s
        return Snapshot(
            statistics.done,
            statistics.done + tracks_left,
            tracks_per_s,
            (statistics.audio_seconds - audio) / elapsed,
            eta_s,
            statistics,
            note,
            waiting,
        )


class Display(Protocol):
    """Shows a scan while it runs."""

    def __enter__(self) -> Display:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""

    def show(self, snapshot: Snapshot, *, last: bool = False) -> None:
        """Show a snapshot; called several times a second."""


def format_seconds(seconds: float | None) -> str:
    """Return a duration as people write it: ``45s``, ``17m``, ``2h 05m``; ``?`` if it is not known."""
    if seconds is None:
        return "?"
    if seconds < 59.5:
        return f"{seconds:.0f}s"
    minutes = round(seconds / 60)
    return f"{minutes}m" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02d}m"


def memory_bytes() -> int:
    """Return the resident memory of this process, or its peak where the system shows only that."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * resource.getpagesize()
    except (OSError, IndexError, ValueError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
