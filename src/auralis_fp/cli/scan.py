"""``auralis-fp scan``: fingerprint a library."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auralis_fp._text import printable
from auralis_fp.cli.common import (
    FAILED,
    INTERRUPTED,
    absolute,
    complain,
    complaint,
    completing,
    count_option,
    database_option,
    default_database,
    give_up,
    is_new,
    progress_option,
    seconds_option,
)
from auralis_fp.cli.report import print_findings

if TYPE_CHECKING:
    from auralis_fp.library.work.scan import Scan

__all__ = ["scan"]


@click.command()
@click.argument(
    "folders",
    metavar="[DIR...]",
    nargs=-1,
    type=click.Path(path_type=Path),
    shell_complete=completing("dir"),
)
@database_option
@count_option("--workers", "Number of threads.", default=16, least=1, most=256)
@click.option("--outdated", is_flag=True, help="Also replace fingerprints of older versions.")
@click.option("--retry-failed", is_flag=True, help="Also try the tracks that failed before.")
@click.option("--no-sidecar", is_flag=True, help="Neither read nor write .25d files.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but what failed, on standard error.")
@progress_option
@click.option(
    "--watch",
    is_flag=True,
    help="Go on until Ctrl-C: measure what is new or has changed in the folders while it runs.",
)
@seconds_option("--settle", "With --watch, measure a file when it has not changed for this long.", default=5)
@seconds_option(
    "--walk-every",
    "With --watch, look through all folders this often, for what went unnoticed.",
    default=3600,
    least=1,
)
@click.option("--dry-run", is_flag=True, help="Print what a scan would do, and change nothing.")
@seconds_option(
    "--claim-timeout", "Take over the tracks of a worker silent for this long.", default=300, least=0.1
)
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="Stop after this many tracks.")
@click.option("--no-native", is_flag=True, help="Use the reference analyzer, which is many times slower.")
@click.option("--report", is_flag=True, help="Print the findings at the end, as the report command does.")
@click.option(
    "--report-to",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Print the findings, and write the whole list to a file: JSON or CSV, by its name.",
)
@click.option(
    "--isolate/--no-isolate",
    default=None,
    help="Analyse in separate processes, so that a file that crashes one does not end the scan. This is the "
    "default with --retry-failed, and for files that were being analysed when a process died.",
)
def scan(
    folders: tuple[Path, ...],
    db: str,
    workers: int,
    outdated: bool,
    retry_failed: bool,
    no_sidecar: bool,
    quiet: bool,
    progress: str,
    watch: bool,
    settle: float,
    walk_every: float,
    dry_run: bool,
    claim_timeout: float,
    limit: int | None,
    no_native: bool,
    report: bool,
    report_to: Path | None,
    isolate: bool | None,
) -> None:
    """Fingerprint every track that has none yet.

    Given folders, the scan first looks there for new, changed and moved files; otherwise, it works on the
    tracks that the database holds. It also writes each fingerprint to a small file beside the music
    (song.mp3.25d), so that no later scan has to analyse the song again.

    A scan can be stopped and run again at any time, and several can work on one database at once. Ctrl-C
    lets the running tracks finish; a second Ctrl-C cancels them.

    Exit status: 0 on success and at the end of --watch, 1 if a track failed, 2 if the scan could not run, 130
    if it was interrupted.
    """
    reports = report or report_to is not None
    if watch and not folders:
        give_up("--watch needs folders")
    if quiet and progress != "auto":
        give_up("--quiet and --progress cannot be combined")
    if progress == "json" and (reports or dry_run):
        give_up("--progress json cannot be combined with --report, --report-to or --dry-run")
    if watch and (dry_run or limit is not None or reports):
        give_up("--watch cannot be combined with --dry-run, --limit, --report or --report-to")
    roots = [absolute(folder) for folder in folders]
    for root in roots:
        if not os.path.isdir(root):  # noqa: PTH112 - which answers for a dead mount too
            give_up(f"{printable(root)}: no such folder; is its disk mounted?")
    if dry_run:
        _print_plan(db, roots, outdated=outdated, retry_failed=retry_failed)
        return

    from auralis_fp.cli.display import display_of
    from auralis_fp.cli.summary import summary_lines, summary_object, trouble_lines
    from auralis_fp.library.files.watcher import FolderWatcher
    from auralis_fp.library.store.database import Database
    from auralis_fp.library.store.repository import LibraryRepository
    from auralis_fp.library.work.extractor import FingerprintExtractor
    from auralis_fp.library.work.scan import Scan

    if watch and not sys.stdout.isatty():  # nobody sees a display: the log says what happens
        log = logging.getLogger("auralis_fp")
        log.setLevel(min(logging.WARNING if quiet else logging.INFO, log.getEffectiveLevel()))
    if db == str(default_database()):
        if not quiet and progress != "json":
            print(f"Library: {printable(db)} (name another with --db)")
        Path(db).parent.mkdir(parents=True, exist_ok=True)
    # Without folders, a new database would stay empty: its name must be a typing error.
    repository = LibraryRepository(
        Database(db, create=bool(roots)), claim_timeout_s=claim_timeout, outdated=outdated
    )
    try:
        extractor = FingerprintExtractor(
            repository,
            use_sidecar_files=not no_sidecar,
            use_native=not no_native,
            isolate=True if isolate is None and retry_failed else isolate,
        )
        if retry_failed:
            repository.retry_failed()
        watcher = FolderWatcher(roots, settle_s=settle, walk_every_s=walk_every) if watch else None
        run = Scan(
            repository,
            extractor,
            folders=roots,
            workers=workers,
            limit=limit,
            keep_metadata=reports,
            watcher=watcher,
        )
        with _stopping_on_signals(run, quiet=quiet):
            done = run.run(display_of("none" if quiet else progress))
        if progress == "json":
            print(json.dumps(summary_object(done, database=db), ensure_ascii=False), flush=True)
        elif quiet:
            for line in trouble_lines(done):
                complain(line, program="")
        else:
            for line in summary_lines(done, walked=bool(roots), sidecars=not no_sidecar, watched=watch):
                print(line)
            for line in trouble_lines(done):
                print(line)
            if done.failed_before:
                before = f"Failed in earlier scans: {done.failed_before}"
                print(f"{before} (auralis-fp status names them; try again with --retry-failed)")
            if done.interrupted and not watch:
                print("Run the same command again to continue.")
        if reports and not done.interrupted:
            print_findings(
                repository.database, done.metadata, use_sidecar_files=not no_sidecar, output=report_to
            )
    finally:
        repository.close()
    if done.interrupted:
        sys.exit(0 if watch else INTERRUPTED)
    if not done.clean:
        sys.exit(FAILED)


@contextmanager
def _stopping_on_signals(run: Scan, *, quiet: bool) -> Iterator[None]:
    text = complaint("finishing the running tracks; interrupt again to cancel them", program="")

    def interrupt(_number: int, _frame: Any) -> None:
        if not (quiet or run.interrupted or sys.stdout.isatty()):  # a live display shows this itself
            os.write(2, f"{text}\n".encode())
        run.interrupt()

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_plan(db: str, roots: list[str], *, outdated: bool, retry_failed: bool) -> None:
    from auralis_fp.cli.summary import changes_lines
    from auralis_fp.library.store.database import Database
    from auralis_fp.library.store.queries import work_ahead
    from auralis_fp.library.work.catalog import synchronize

    database = None if roots and is_new(db) else Database(db, readonly=True)
    changes = synchronize(database, roots, dry_run=True)
    if roots:
        print(*changes_lines(changes), sep="\n")
        for path, reason in changes.unreadable:
            print(f"Unreadable: {printable(path)}: {reason}")
    waiting = work_ahead(database, outdated=outdated, retry_failed=retry_failed) if database else 0
    # A changed file may be waiting already; only the scan itself can tell.
    print(f"To analyse: {waiting + changes.new} tracks, and {changes.changed} changed files")
