"""What a scan did, as lines or as an object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from auralis_fp._text import printable
from auralis_fp.library.work.catalog import Changes
from auralis_fp.library.work.progress import format_seconds, memory_bytes
from auralis_fp.library.work.scan import ScanSummary

__all__ = ["changes_lines", "summary_lines", "summary_object", "trouble_lines"]


def changes_lines(changes: Changes) -> Iterator[str]:
    """Yield what a walk found."""
    yield (
        f"Folders: {changes.files} audio files, {changes.new} new, {changes.changed} changed, "
        f"{changes.moved} moved, {changes.missing} missing, {changes.other_names} duplicate links"
    )
    yield from (f"  missing: {printable(path)}" for path in changes.missing_paths)
    if changes.missing > len(changes.missing_paths):
        yield f"  and {changes.missing - len(changes.missing_paths)} more; their tracks are kept"
    for path in changes.not_followed[:20]:
        yield f"  not followed: {printable(path)}: it leads to a folder above, or into /dev, /proc or /sys"
    if len(changes.not_followed) > 20:
        yield f"  and {len(changes.not_followed) - 20} more links"


def summary_lines(summary: ScanSummary, *, walked: bool, sidecars: bool, watched: bool) -> Iterator[str]:
    """Yield what was done."""
    s = summary.statistics
    elapsed = max(s.elapsed_s, 1e-6)
    if not s.done and not summary.interrupted:
        yield "Nothing to do: no track was waiting"
    else:
        yield (
            f"{'Interrupted' if summary.interrupted and not watched else 'Done'}: {s.analyzed} analysed, "
            f"{s.cached} from sidecars, {s.failed} failed in {format_seconds(s.elapsed_s)} "
            f"({s.done / elapsed:.1f} tracks/s, {s.audio_seconds / elapsed:.0f} × real time, "  # noqa: RUF001
            f"memory {memory_bytes() / 1e6:.0f} MB)"
        )
    if walked:
        yield from changes_lines(summary.changes)
    if s.slowest_path:
        yield f"Slowest: {s.slowest_s:.1f} s, {printable(s.slowest_path)}"
    if sidecars and (written := s.analyzed - s.sidecars_unwritten):
        text = ".25d files written beside the music; --no-sidecar leaves its folders alone"
        yield f"Sidecars: {written} {text}"


def trouble_lines(summary: ScanSummary) -> Iterator[str]:
    """Yield what went wrong, or was left to others."""
    s = summary.statistics
    for path, reason in summary.changes.unreadable:
        yield f"Unreadable: {printable(path)}: {reason}"
    if s.sidecars_unwritten:
        yield f"Sidecars: {s.sidecars_unwritten} not written; the fingerprints are in the database"
        for reason, count in sorted(summary.sidecars_unwritten.items()):
            yield f"  {count}: {printable(reason)}"
    if s.lost:
        yield f"Taken over by another process: {s.lost}"
    if summary.failures:
        yield f"Failed: {len(summary.failures)} (try again with --retry-failed)"
        for path, reason in sorted(summary.failures):
            yield f"  {printable(path)}: {printable(reason)}"
    for folder, count in sorted(summary.unavailable.items()):
        yield f"Unavailable: {printable(folder)} ({count} tracks are waiting for it)"
    if summary.elsewhere:
        yield f"Claimed or locked by another process: {summary.elsewhere}; scan again if that process is gone"
        yield from (f"  {printable(path)}" for path in summary.elsewhere_paths)


def summary_object(summary: ScanSummary, *, database: str) -> dict[str, Any]:
    """Return the last object of ``--progress json``."""
    s, c = summary.statistics, summary.changes
    counts = ("files", "new", "changed", "moved", "missing", "other_names")
    return {
        "type": "summary",
        "database": printable(database),
        "interrupted": summary.interrupted,
        **{name: value for name, value in asdict(s).items() if name not in ("running", "slowest_path")},
        "slowest_path": printable(s.slowest_path),
        "folders": {name: getattr(c, name) for name in counts},
        "unreadable": [{"path": printable(path), "reason": reason} for path, reason in c.unreadable],
        "failures": [
            {"path": printable(path), "reason": printable(reason)} for path, reason in summary.failures
        ],
        "unavailable": {printable(folder): count for folder, count in summary.unavailable.items()},
        "claimed_by_others": summary.elsewhere,
        "failed_before": summary.failed_before,
    }
