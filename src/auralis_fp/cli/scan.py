"""``auralis-fp scan``: give every track of a library its fingerprint."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from auralis_fp._text import printable
from auralis_fp.cli.common import FAILED, INTERRUPTED, DatabaseOption, absolute, ending_well, give_up, is_new
from auralis_fp.cli.report import print_findings
from auralis_fp.library.store.database import Database
from auralis_fp.library.store.queries import work_ahead
from auralis_fp.library.store.repository import CLAIM_TIMEOUT_S, LibraryRepository
from auralis_fp.library.work.catalog import Changes, synchronize
from auralis_fp.library.work.extractor import FingerprintExtractor
from auralis_fp.library.work.progress import Display, LiveDisplay, PlainDisplay, format_seconds, memory_bytes
from auralis_fp.library.work.scan import Scan, ScanSummary

__all__ = ["scan"]


@ending_well
def scan(
    db: DatabaseOption,
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[DIR...]", help="Folders to look for new, changed and moved files in."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Threads.")] = 16,
    outdated: Annotated[
        bool, typer.Option("--outdated", help="Also tracks with a fingerprint of an older version.")
    ] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Also tracks that failed.")] = False,
    no_sidecar: Annotated[
        bool, typer.Option("--no-sidecar", help="Neither read nor write .25d files.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what there is to do; change nothing.")
    ] = False,
    claim_timeout: Annotated[
        float,
        typer.Option(
            metavar="S", min=0.1, help="Seconds after which the track of a dead worker is taken over."
        ),
    ] = CLAIM_TIMEOUT_S,
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="Stop after so many tracks.")] = None,
    no_native: Annotated[
        bool, typer.Option("--no-native", help="Use the Python reference analyzer (rollback; very slow).")
    ] = False,
    report: Annotated[
        bool,
        typer.Option("--report", help="Then tell what is to be said of the recordings, as `report` does."),
    ] = False,
    report_to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The same, and the whole list to a .json or CSV file.")
    ] = None,
    isolate: Annotated[
        bool | None,
        typer.Option(
            "--isolate/--no-isolate",
            help="Analyse in other processes, which a bad file may kill. Without either, so it is done with "
            "--retry-failed, and to files that were in work when a process died.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Give every track without a fingerprint one.

    With DIRs, they are walked first; without, the tracks in the database are worked on. May be
    stopped and started again at any time, and may run several times at once on one database.
    Ctrl-C lets the running tracks finish; a second one cancels them.

    Exit status: 0, 1 if some failed, 2 if it could not run, 130 if it was interrupted.
    """
    roots = [absolute(folder) for folder in folders or ()]
    for root in roots:
        if not Path(root).is_dir():
            give_up(f"{printable(root)}: no such folder; is its disk there?")
    if dry_run:
        _tell_what_to_do(db, roots, outdated=outdated, retry_failed=retry_failed)
        return
    repository = LibraryRepository(db, claim_timeout_s=claim_timeout, outdated=outdated)
    try:
        extractor = FingerprintExtractor(
            repository,
            use_sidecar_files=not no_sidecar,
            use_native=not no_native,
            isolate=True if isolate is None and retry_failed else isolate,
        )
        if retry_failed:
            repository.retry_failed()
        reports = report or report_to is not None
        run = Scan(repository, extractor, folders=roots, workers=workers, limit=limit, keep_metadata=reports)
        with _stopping_on_signals(run):
            done = run.run(_display())
        _print_summary(done, walked=bool(roots))
        if reports and not done.interrupted:
            print_findings(
                repository.database, done.metadata, use_sidecar_files=not no_sidecar, output=report_to
            )
    finally:
        repository.close()
    if done.interrupted:
        raise typer.Exit(INTERRUPTED)
    if not done.clean:
        raise typer.Exit(FAILED)


def _display() -> Display:
    return LiveDisplay(Console()) if sys.stdout.isatty() else PlainDisplay()


@contextmanager
def _stopping_on_signals(run: Scan) -> Iterator[None]:
    def interrupt(_number: int, _frame: Any) -> None:
        if not (run.interrupted or sys.stdout.isatty()):  # a live display says so itself
            os.write(2, b"finishing the running tracks; interrupt again to cancel them\n")
        run.interrupt()

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell_what_to_do(db: str, roots: list[str], *, outdated: bool, retry_failed: bool) -> None:
    database = None if is_new(db) else Database(db, readonly=True)
    changes = synchronize(database, roots, dry_run=True)
    if roots:
        _print_changes(changes)
    waiting = work_ahead(database, outdated=outdated, retry_failed=retry_failed) if database else 0
    # A changed file may be among those that wait anyway; which are not is for the scan to see.
    print(f"To analyse: {waiting + changes.new} tracks, and {changes.changed} changed files")


def _print_changes(changes: Changes) -> None:
    print(
        f"Folders: {changes.files} audio files, {changes.new} new, {changes.changed} changed, "
        f"{changes.moved} moved, {changes.missing} missing, {changes.other_names} other names of files"
    )
    for path in changes.missing_paths:
        print(f"  missing: {printable(path)}")
    if changes.missing > len(changes.missing_paths):
        print(f"  and {changes.missing - len(changes.missing_paths)} more; their tracks are kept")
    for path in changes.not_followed[:20]:
        print(f"  not followed: {printable(path)}: it leads above the folders, or into /dev, /proc or /sys")
    if len(changes.not_followed) > 20:
        print(f"  and {len(changes.not_followed) - 20} more links that were not followed")
    for path, reason in changes.unreadable:
        print(f"  unreadable: {printable(path)}: {reason}")


def _print_summary(summary: ScanSummary, *, walked: bool) -> None:
    s = summary.statistics
    elapsed = max(s.elapsed_s, 1e-6)
    ended = "Interrupted" if summary.interrupted else "Done"
    print(
        f"{ended}: {s.analyzed} analysed, {s.cached} from sidecars, "
        f"{s.failed} failed in {format_seconds(s.elapsed_s)} ({s.done / elapsed:.1f} tracks/s, "
        f"{s.audio_seconds / elapsed:.0f} × real time, memory {memory_bytes() / 1e6:.0f} MB)"  # noqa: RUF001
    )
    if walked:
        _print_changes(summary.changes)
    if s.slowest_path:
        print(f"Slowest: {s.slowest_s:.1f} s, {printable(s.slowest_path)}")
    if s.sidecars_unwritten:
        print(f"Sidecars: {s.sidecars_unwritten} not written; their fingerprints are in the database")
        for reason, count in sorted(summary.sidecars_unwritten.items()):
            print(f"  {count}: {printable(reason)}")
    if s.lost:
        print(f"Left to another process: {s.lost}")
    if summary.failures:
        print(f"Failed: {len(summary.failures)} (try again with --retry-failed)")
        for path, reason in sorted(summary.failures):
            print(f"  {printable(path)}: {printable(reason)}")
    for folder, count in sorted(summary.unavailable.items()):
        print(f"Not there: {printable(folder)} ({count} tracks wait for it)")
    if summary.elsewhere:
        print(f"Claimed by another process: {summary.elsewhere}; scan again if that process is gone")
    if summary.interrupted:
        print("Run the same command again to go on.")
