"""How far a scan is: rates, the time left, and the line and the live display that show them."""

from __future__ import annotations

import resource
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from auralis_fp._text import printable
from auralis_fp.library.store.claims import WorkLeft
from auralis_fp.library.work.queue import QueueStatistics

__all__ = ["Display", "LiveDisplay", "Meter", "PlainDisplay", "Snapshot", "format_seconds", "memory_bytes"]

_WINDOW_S: Final = 60.0
_LINE_EVERY_S: Final = 2.0


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
        What else goes on: a folder walk, a stop.
    """

    done: int
    total: int
    tracks_per_s: float
    times_real_time: float
    eta_s: float | None
    statistics: QueueStatistics
    note: str = ""

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

    The files of a library differ in size a hundredfold, so the bytes that are left say more about the
    time that is left than the number of files does.
    """

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int, int, float]] = deque()

    def measure(
        self, statistics: QueueStatistics, left: WorkLeft, *, limit: int | None = None, note: str = ""
    ) -> Snapshot:
        """Take the counters at a moment and the work that is left after it."""
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
            running = statistics.running * mean / 2  # half done, by and large
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


class PlainDisplay:
    """One plain line every two seconds, and a last one: for logs and pipes."""

    def __init__(self) -> None:
        self._next = 0.0

    def __enter__(self) -> PlainDisplay:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def show(self, snapshot: Snapshot, *, last: bool = False) -> None:
        """Print the line if it is time for one."""
        now = time.monotonic()
        if now >= self._next or last:
            print(snapshot.line, flush=True)
            self._next = now + _LINE_EVERY_S - 0.2  # show() comes at intervals of its own


class LiveDisplay:
    """A bar and the figures, redrawn in place on a terminal."""

    def __init__(self, console: Console) -> None:
        self._live: Final = Live(console=console, auto_refresh=False, transient=False)

    def __enter__(self) -> LiveDisplay:
        self._live.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._live.__exit__(*exception)

    def show(self, snapshot: Snapshot, *, last: bool = False) -> None:
        """Redraw."""
        self._live.update(_drawn(snapshot), refresh=True)


def _drawn(snapshot: Snapshot) -> Group:
    s, counts = snapshot, snapshot.statistics
    share = 100 * s.done / s.total if s.total else 100.0
    bar = Table.grid(expand=True)  # alone, a bar has no end of line
    bar.add_row(ProgressBar(total=max(s.total, 1), completed=s.done))
    first = Text(
        f"{s.done}/{s.total} ({share:.1f} %) · {s.tracks_per_s:.1f} tracks/s · "
        f"{s.times_real_time:.0f} × real time · ETA {format_seconds(s.eta_s)}",  # noqa: RUF001
    )
    lines = [
        Text(
            f"memory {memory_bytes() / 1e6:.0f} MB · running {counts.running} · "
            f"from sidecars {counts.cached} · failed {counts.failed}",
            style="red" if counts.failed else "dim",
        )
    ]
    if counts.slowest_path:
        name = printable(Path(counts.slowest_path).name)
        lines.append(Text(f"slowest {counts.slowest_s:.1f} s: {name}", style="dim", no_wrap=True))
    if s.note:
        lines.append(Text(s.note, style="yellow"))
    return Group(bar, first, *lines)


def format_seconds(seconds: float | None) -> str:
    """Write a duration as a person says it: ``45s``, ``17m``, ``2h 05m``; ``?`` if it is not known."""
    if seconds is None:
        return "?"
    if seconds < 59.5:
        return f"{seconds:.0f}s"
    minutes = round(seconds / 60)
    return f"{minutes}m" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02d}m"


def memory_bytes() -> int:
    """Resident memory of this process (its peak, where the system does not tell the present one)."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * resource.getpagesize()
    except (OSError, IndexError, ValueError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
