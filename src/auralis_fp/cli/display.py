"""The display of a running scan: lines for logs and pipes, or figures that are redrawn in place."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, Final

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from auralis_fp._text import printable
from auralis_fp.library.work.progress import Display, Snapshot, format_seconds, memory_bytes

__all__ = ["JsonDisplay", "LiveDisplay", "NoDisplay", "PlainDisplay", "display_of"]

_LINE_EVERY_S: Final = 2.0


class NoDisplay:
    """Shows nothing."""

    def __enter__(self) -> NoDisplay:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def show(self, snapshot: Snapshot, *, last: bool = False) -> None:
        """Do nothing."""


class _Lines(NoDisplay):
    """Says when a line is due: every two seconds, and at the end."""

    def __init__(self) -> None:
        self._next = 0.0

    def _is_due(self, last: bool) -> bool:
        now = time.monotonic()
        if now < self._next and not last:
            return False
        self._next = now + _LINE_EVERY_S - 0.2  # show() is called at intervals of its own
        return True


class JsonDisplay(_Lines):
    """A JSON object on a line of its own every two seconds and at the end: for other programs."""

    def show(self, snapshot: Snapshot, *, last: bool = False) -> None:
        """Print an object if one is due."""
        if not self._is_due(last):
            return
        s, counts = snapshot, snapshot.statistics
        state = {
            "type": "progress",
            "done": s.done,
            "total": s.total,
            "running": counts.running,
            "analyzed": counts.analyzed,
            "cached": counts.cached,
            "failed": counts.failed,
            "tracks_per_s": round(s.tracks_per_s, 3),
            "times_real_time": round(s.times_real_time, 1),
            "eta_s": None if s.eta_s is None else round(s.eta_s, 1),
            "note": s.note,
            "waiting": s.waiting,
        }
        print(json.dumps(state), flush=True)


class PlainDisplay(_Lines):
    """A plain line every two seconds and one at the end: for logs and pipes."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = ""

    def show(self, snapshot: Snapshot, *, last: bool = False) -> None:
        """Print a line if one is due, and what the scan is waiting for once the wait begins."""
        if snapshot.waiting != self._waiting:
            self._waiting = snapshot.waiting
            if self._waiting:
                print(f"Waiting: {self._waiting}", flush=True)
        if self._is_due(last):
            print(snapshot.line, flush=True)


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
        """Redraw the figures."""
        self._live.update(_drawn(snapshot), refresh=True)


def display_of(kind: str) -> Display:
    """Return the display of a choice of ``--progress``, or none at all for ``none``."""
    if kind == "auto" and sys.stdout.isatty():
        return LiveDisplay(Console())
    displays: dict[str, type[NoDisplay]] = {"json": JsonDisplay, "none": NoDisplay}
    return displays.get(kind, PlainDisplay)()


def _drawn(snapshot: Snapshot) -> Group:
    s, counts = snapshot, snapshot.statistics
    share = 100 * s.done / s.total if s.total else 100.0
    bar = Table.grid(expand=True)  # rich does not end the line of a bar
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
    lines += [Text(note, style="yellow") for note in (s.waiting and f"waiting: {s.waiting}", s.note) if note]
    return Group(bar, first, *lines)
