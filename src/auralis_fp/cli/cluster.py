"""``auralis-fp cluster``: measure millions of files on a cluster."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from auralis_fp._text import printable
from auralis_fp.cli.common import (
    FAILED,
    INTERRUPTED,
    absolute,
    complain,
    completing,
    count_option,
    give_up,
    progress_option,
)

if TYPE_CHECKING:
    from auralis_fp.cluster import Manifest, Results, Summary
    from auralis_fp.cluster.run import Progress
    from auralis_fp.library.work.progress import Meter, Snapshot

__all__ = ["cluster"]

_SHARD_FILES: Final = 10_000


@click.command()
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, shell_complete=completing("dir"))
@click.option(
    "--output", "-o", metavar="URI", required=True, help="Folder of the results, here or in an object store."
)
@click.option(
    "--address",
    metavar="ADDRESS",
    default="local",
    help="Ray cluster to work on, such as auto or ray://head:10001; local starts Ray on this machine.",
)
@count_option(
    "--cpus-per-task", "Files that a worker measures at a time, each on a processor.", default=1, least=1
)
@count_option("--shard-files", "Files of each shard of the results.", default=_SHARD_FILES, least=1)
@click.option("--retry-failed", is_flag=True, help="Also measure again what failed before.")
@click.option(
    "--isolate",
    is_flag=True,
    help="Analyse every file in a process of its own, and not only those whose worker has died.",
)
@progress_option
@click.option("--dry-run", is_flag=True, help="Print what there is to do, and change nothing.")
def cluster(
    sources: tuple[str, ...],
    output: str,
    address: str,
    cpus_per_task: int,
    shard_files: int,
    retry_failed: bool,
    isolate: bool,
    progress: str,
    dry_run: bool,
) -> None:
    """Measure files by the million, on a Ray cluster or on all processors of this machine.

    SOURCE is a folder of music, or a list of files: a .parquet or .csv file with a column uri, or a .txt
    file. Folders, lists and files may be on disks that all machines share, or in object stores: s3://,
    gs://, abfss:// or hdfs://. The results are Parquet files, a row for each file, in the folder that
    --output names: auralis-fp import puts them into a database.

    The sources are listed once, and cut into shards. The command can be stopped and run again at any time;
    it then does what has no results yet.

    Exit status: 0 on success, 1 if a file failed, 2 if nothing could be done, 130 if it was interrupted.
    """
    from auralis_fp.cluster import Results, StorageError

    sources = tuple(one if "://" in one else absolute(one) for one in sources)
    if progress == "json" and dry_run:
        give_up("--progress json cannot be combined with --dry-run")
    try:
        results = Results(output)
        manifest = results.manifest()
        if manifest is not None and manifest.sources and manifest.sources != sources:
            listed = " ".join(manifest.sources)
            give_up(f"{output}: holds results of {listed}; name another folder, or these sources")
        if not dry_run:
            results.check_writable()
        if manifest is None:
            manifest = _listed(results, sources, shard_files, dry_run=dry_run)
        if dry_run:
            _print_plan(results, manifest, retry_failed=retry_failed)
            return
        summary = _run(results, manifest, address, progress, cpus_per_task, retry_failed, isolate)
    except StorageError as error:
        give_up(printable(str(error)))
    except KeyboardInterrupt:
        complain("interrupted; run the same command again to continue", program="")
        sys.exit(INTERRUPTED)
    if summary.failed:
        sys.exit(FAILED)


def _listed(results: Results, sources: Sequence[str], shard_files: int, *, dry_run: bool) -> Manifest:
    from auralis_fp.cluster import Manifest, StorageError, list_files

    files = list_files(sources)
    if not files.num_rows:
        raise StorageError(f"{' '.join(sources)}: no audio files")
    if dry_run:
        return Manifest.of(files, sources=sources, shard_files=shard_files)
    return results.begin(files, sources=sources, shard_files=shard_files)


def _print_plan(results: Results, manifest: Manifest, *, retry_failed: bool) -> None:
    from auralis_fp.cluster.run import Run

    run = Run(results, manifest, retry_failed=retry_failed)
    print(f"Listed: {manifest.files} files in {manifest.shards} shards, at {manifest.created}")
    print(f"To measure: {run.files} files in {run.shards} shards")


def _run(
    results: Results,
    manifest: Manifest,
    address: str,
    progress: str,
    cpus_per_task: int,
    retry_failed: bool,
    isolate: bool,
) -> Summary:
    """Do what there is to do; return the summary of all results."""
    from auralis_fp.cli.display import display_of
    from auralis_fp.cluster import summarize
    from auralis_fp.cluster.run import Run, on_ray
    from auralis_fp.library.work.progress import Meter

    run = Run(results, manifest, cpus_per_task=cpus_per_task, retry_failed=retry_failed, isolate=isolate)
    if progress != "json":
        print(
            f"Manifest: {manifest.files} files in {manifest.shards} shards, listed at {manifest.created}; "
            f"to measure: {run.files} files in {run.shards} shards"
        )
    elapsed_s = 0.0
    if run.files:
        meter = Meter()
        with on_ray(address) as ray, display_of(progress) as display:

            def show(state: Progress) -> None:
                nonlocal elapsed_s
                elapsed_s = state.elapsed_s
                display.show(_snapshot(meter, state), last=state.last)

            run.run(ray, show)
    whole = run.summary if run.summary.files == manifest.files else summarize(results)
    if progress == "json":
        print(json.dumps(_summary_object(results, run.summary, whole, elapsed_s), ensure_ascii=False))
        return whole
    for line in _summary_lines(results, run.summary, whole, elapsed_s):
        print(line)
    if whole.failed:
        print(f"Try them again with: {_command_to_retry()}")
    return whole


def _snapshot(meter: Meter, state: Progress) -> Snapshot:
    from auralis_fp.library.store.backlog import WorkLeft
    from auralis_fp.library.work.queue import QueueStatistics

    summary = state.summary
    slowest_s, slowest = summary.slowest[0] if summary.slowest else (0.0, "")
    statistics = QueueStatistics(
        analyzed=summary.files - summary.failed,
        failed=summary.failed,
        running=state.running,
        bytes_done=summary.bytes,
        audio_seconds=summary.audio_seconds,
        slowest_s=slowest_s,
        slowest_path=slowest,
        elapsed_s=state.elapsed_s,
    )
    left = WorkLeft(state.files - summary.files - state.running, 0, 0)
    return meter.measure(statistics, left, waiting=state.note)


def _summary_lines(results: Results, done: Summary, whole: Summary, elapsed_s: float) -> Iterator[str]:
    from auralis_fp.library.work.progress import format_seconds, memory_bytes

    if done.files:
        elapsed = max(elapsed_s, 1e-6)
        yield (
            f"Done: {done.files} files, {done.failed} of them failed, in {format_seconds(elapsed_s)} "
            f"({done.files / elapsed:.1f} files/s, {done.audio_seconds / elapsed:.0f} × real time, "  # noqa: RUF001
            f"memory {memory_bytes() / 1e6:.0f} MB)"
        )
    else:
        yield "Nothing to do: every file has its row"
    yield f"Results: {whole.files} rows, {whole.core_seconds:.1f} core-seconds, in {printable(results.uri)}"
    for seconds, uri in whole.slowest:
        yield f"Slow: {seconds:.1f} s, {printable(uri)}"
    for kind, count in whole.failures.most_common():
        uri, cause = whole.examples[kind]
        yield f"Failed: {count} {kind}, such as {printable(uri)}: {printable(cause)}"


def _summary_object(results: Results, done: Summary, whole: Summary, elapsed_s: float) -> dict[str, Any]:
    """Return the last object of ``--progress json``."""
    return {
        "type": "summary",
        "output": printable(results.uri),
        "measured": done.files,
        "elapsed_s": round(elapsed_s, 3),
        "files": whole.files,
        "failures": dict(whole.failures.most_common()),
        "core_seconds": round(whole.core_seconds, 3),
        "audio_seconds": round(whole.audio_seconds, 3),
        "slowest": [{"uri": printable(uri), "seconds": round(seconds, 3)} for seconds, uri in whole.slowest],
    }


def _command_to_retry() -> str:
    given = sys.argv[1:]
    return shlex.join(["auralis-fp", *given, *(() if "--retry-failed" in given else ("--retry-failed",))])
