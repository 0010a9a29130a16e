"""A run on Ray: what has no shard yet is measured in tasks, and written shard by shard."""

from __future__ import annotations

import importlib
import logging
import os
import platform
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from auralis_fp._garbage import uncollected
from auralis_fp._types import Analyze
from auralis_fp.cluster.results import Manifest, Results
from auralis_fp.cluster.rows import RESULT_SCHEMA, row_of
from auralis_fp.cluster.storage import StorageError
from auralis_fp.cluster.summary import Summary
from auralis_fp.cluster.table import DEADLINE_S, analyze_table
from auralis_fp.errors import Crashed
from auralis_fp.schema import FINGERPRINT_VERSION

__all__ = ["Progress", "Run", "on_ray"]

_log = logging.getLogger(__name__)

_TASK_FILES: Final = 100  # of a task at most: what a worker that is killed costs
_TASKS_PER_SLOT: Final = 8  # at least, as far as files go round, so that all end at about the same time
_WRITERS: Final = 2
_DEATHS: Final = 2  # of workers that had one file alone, before it is at fault
_TICK_S: Final = 0.2
_SLOTS_S: Final = 2.0
_OBJECT_STORE_BYTES: Final = 128 << 20  # of a Ray that is started here: results are sent without it


@dataclass(frozen=True)
class Progress:
    """The state of a run at one moment.

    Attributes
    ----------
    files : int
        What this run has to measure.
    running : int
        Files that are being measured, or are about to be.
    summary : Summary
        What has been measured.
    elapsed_s : float
        Seconds since the start.
    note : str
        What the run is waiting for.
    last : bool
        Whether the run is at its end.
    """

    files: int
    running: int
    summary: Summary
    elapsed_s: float
    note: str = ""
    last: bool = False


@dataclass
class _Shard:
    """A shard that is being worked on: the parts of its results in any order, and how many files are left."""

    number: int
    again: bool  # whether it is there already, and only its failures are measured again
    left: int
    parts: list[pa.Buffer] = field(default_factory=list)


@dataclass
class _Task:
    """Files of a shard that a worker measures, and how many workers have died with them."""

    shard: _Shard
    uris: list[str]
    isolate: bool
    deaths: int = 0


@contextmanager
def on_ray(address: str | None = None, *, cpus: int | None = None) -> Iterator[Any]:
    """Connect to Ray, or start it on this machine; disconnect at the end.

    Parameters
    ----------
    address : str, optional
        Of a cluster, such as ``auto`` or ``ray://head:10001``; None or ``local`` starts Ray here.
    cpus : int, optional
        Processors to use, if it is started here.

    Raises
    ------
    ImportError
        Ray is not installed.
    StorageError
        There is no such cluster.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        ray: Any = importlib.import_module("ray")
    except ImportError as error:
        raise ImportError("runs on clusters need Ray: pip install 'auralis-fp[ray]'") from error
    here = address in (None, "local")
    if address is not None:
        _check_there(address)
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if here:
        options |= {"num_cpus": cpus, "include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}
    try:
        ray.init("local" if here else address, **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise StorageError(f"no Ray at {address}: {str(error).splitlines()[0]}") from error
    try:
        yield ray
    finally:
        # Ray ends the process, without a word, if one of its objects is freed in the middle of this.
        with uncollected():
            ray.shutdown()


def _check_there(address: str) -> None:
    """Raise an error at once if nothing answers at an address; Ray itself would try for minutes."""
    host, separator, port = address.rpartition("://")[2].rpartition(":")
    if separator and port.isdigit():
        try:
            socket.create_connection((host, int(port)), timeout=10).close()
        except OSError as error:
            raise StorageError(f"no Ray at {address}: {error.strerror or error}") from error


class Run:
    """Measures the files of a manifest whose shards are missing, and writes these shards.

    Parameters
    ----------
    results : Results
        Where shards go.
    manifest : Manifest
        What there is to measure.
    cpus_per_task : int
        Processors of a task, which measures so many files at a time.
    retry_failed : bool
        Also measure the failed files of finished shards again.
    isolate : bool
        Analyse every file in a process of its own; otherwise, only those whose worker has died.
    timeout : float, optional
        Seconds for each file.
    analyze : callable, optional
        In place of :func:`auralis_fp.analyze`; see :func:`auralis_fp.cluster.analyze_table`.
    """

    def __init__(
        self,
        results: Results,
        manifest: Manifest,
        *,
        cpus_per_task: int = 1,
        retry_failed: bool = False,
        isolate: bool = False,
        timeout: float | None = DEADLINE_S,
        analyze: Analyze | None = None,
    ) -> None:
        self._results: Final = results
        self._cpus: Final = cpus_per_task
        self._isolate: Final = isolate
        self._options: Final = {"threads": cpus_per_task, "timeout": timeout, "analyze": analyze}
        self._missing: Final = results.missing(manifest)
        self._failed: Final = self._shards_with_failures() if retry_failed else {}
        last = manifest.files - (manifest.shards - 1) * manifest.shard_files
        sizes = [last if one == manifest.shards - 1 else manifest.shard_files for one in self._missing]
        self.files: Final = sum(sizes) + sum(map(len, self._failed.values()))
        """Files to measure."""
        self.shards: Final = len(self._missing) + len(self._failed)
        """Shards that they are in."""
        self.summary: Final = Summary()
        """What has been measured."""
        self._again: Final = deque[_Task]()  # tasks whose workers have died
        self._writing: Final = deque[Future[None]]()
        self._readable = False
        self._slots_known, self._slots_until = 0, 0.0

    def run(self, ray: Any, show: Callable[[Progress], None] = lambda progress: None) -> Summary:
        """Do the work; return the summary of what was measured.

        Parameters
        ----------
        ray : module
            What :func:`on_ray` yields.
        show : callable
            Is called several times a second.

        Raises
        ------
        StorageError
            No file can be read, or a shard cannot be written; what is finished stays.
        """
        started, shown = time.monotonic(), 0.0
        died = _deaths_of(ray.exceptions)
        measure = ray.remote(num_cpus=self._cpus, max_retries=0)(_measure)
        tasks, running = self._tasks(self._slots(ray)), dict[Any, _Task]()
        with ThreadPoolExecutor(_WRITERS, thread_name_prefix="auralis-fp") as writers:
            try:
                while True:
                    slots = self._slots(ray)
                    while len(running) < max(2 * slots, 2):  # one waits for each that runs
                        task = self._again.popleft() if self._again else next(tasks, None)
                        if task is None:
                            break
                        arguments = task.uris, task.isolate, self._options, FINGERPRINT_VERSION
                        running[measure.remote(*arguments)] = task
                    if not running:
                        break
                    ready, _rest = ray.wait(list(running), timeout=_TICK_S)
                    for reference in ready:
                        task = running.pop(reference)
                        try:
                            part = ray.get(reference)
                        except died as death:
                            _log.warning("a worker died with %d files: %s", len(task.uris), death)
                            self._bury(task, writers)
                        else:
                            self._take(task, pa.py_buffer(part), writers)
                    if time.monotonic() >= shown + _TICK_S:
                        shown = time.monotonic()
                        note = "" if slots else f"waiting for a node with {self._cpus} processors"
                        show(self._progress(running.values(), started, note))
                while self._writing:
                    self._writing.popleft().result()
            except BaseException as error:
                for reference in running:
                    ray.cancel(reference, force=True)
                if isinstance(error, ray.exceptions.RayTaskError) and isinstance(error.cause, Exception):
                    raise error.cause from error
                raise
        show(self._progress((), started, last=True))
        return self.summary

    def _slots(self, ray: Any) -> int:
        """Return how many tasks the cluster can run at a time, which changes, as it was a moment ago."""
        now = time.monotonic()
        if now >= self._slots_until:
            self._slots_known = int(ray.cluster_resources().get("CPU", 0) // self._cpus)
            self._slots_until = now + _SLOTS_S
        return self._slots_known

    def _tasks(self, slots: int) -> Iterator[_Task]:
        """Yield the work, shard by shard, in order."""
        size = max(1, min(_TASK_FILES, self.files // max(1, slots * _TASKS_PER_SLOT)))
        for number in (*self._missing, *self._failed):
            again = number in self._failed
            uris = self._failed[number] if again else self._results.files(number)["uri"].to_pylist()
            shard = _Shard(number, again, len(uris))
            for start in range(0, len(uris), size):
                yield _Task(shard, uris[start : start + size], self._isolate)

    def _bury(self, task: _Task, writers: ThreadPoolExecutor) -> None:
        """Have the files measured again whose worker has died: of one of them, or killed with its node.

        Each of them is then analysed in a process of its own, and if workers still die, one file at a time.
        A file that was alone with two workers that died is at fault.
        """
        deaths = task.deaths + 1
        if not task.isolate:
            self._again.append(_Task(task.shard, task.uris, isolate=True))
        elif deaths < _DEATHS:
            self._again.append(_Task(task.shard, task.uris, isolate=True, deaths=deaths))
        elif len(task.uris) > 1:
            self._again.extend(_Task(task.shard, [uri], isolate=True) for uri in task.uris)
        else:
            (uri,) = task.uris
            error = Crashed("the processes that analysed it were killed", path=uri)
            row = row_of(uri, error, size=None, seconds=0.0, cpu_seconds=0.0)
            self._take(task, _packed(pa.Table.from_pylist([row], schema=RESULT_SCHEMA)), writers)

    def _take(self, task: _Task, part: pa.Buffer, writers: ThreadPoolExecutor) -> None:
        """Take the results of a task; write its shard if they were the last ones."""
        rows, shard = _unpacked(part), task.shard
        self.summary.add(rows)
        shard.parts.append(part)
        shard.left -= rows.num_rows
        self._check_readable(rows, whole_shard=not shard.left)
        if not shard.left:
            while len(self._writing) > 2 * _WRITERS or (self._writing and self._writing[0].done()):
                self._writing.popleft().result()
            self._writing.append(writers.submit(self._write, shard))

    def _check_readable(self, rows: pa.Table, *, whole_shard: bool) -> None:
        """Raise an error if no object can be opened: then it is not the objects that are at fault."""
        if self._readable:
            return
        refused = pc.equal(pc.fill_null(rows["error_kind"], ""), "Unreadable")
        remote = pc.match_substring(rows["uri"], "://")
        self._readable = not pc.all(pc.and_(pc.and_(refused, remote), pc.is_null(rows["size"]))).as_py()
        if not self._readable and (whole_shard or self.summary.files >= _TASK_FILES):
            first = rows.slice(0, 1).to_pylist()[0]
            raise StorageError(f"{first['uri']}: {first['error_cause']}")

    def _write(self, shard: _Shard) -> None:
        rows = pa.concat_tables(map(_unpacked, shard.parts))
        if shard.again:
            before = self._results.read(shard.number).cast(RESULT_SCHEMA)
            kept = before.filter(pc.invert(pc.is_in(before["uri"], rows["uri"].combine_chunks())))
            rows = pa.concat_tables([kept, rows])
        self._results.write(shard.number, rows.sort_by("uri"))

    def _shards_with_failures(self) -> dict[int, list[str]]:
        """Return the failed files of finished shards."""
        found = {}
        for number in self._results.finished():
            rows = self._results.read(number, ["uri", "error_kind"])
            uris = rows["uri"].filter(pc.is_valid(rows["error_kind"])).to_pylist()
            if uris:
                found[number] = uris
        return found

    def _progress(
        self, running: Iterable[_Task], started: float, note: str = "", *, last: bool = False
    ) -> Progress:
        return Progress(
            self.files,
            sum(len(task.uris) for task in running),
            self.summary,
            time.monotonic() - started,
            note,
            last,
        )


def _measure(uris: list[str], isolate: bool, options: dict[str, Any], version: int) -> bytes:
    """Measure files in a task; compressed, the results are small enough to come with Ray's answer."""
    if version != FINGERPRINT_VERSION:
        raise ImportError(
            f"the node {platform.node()} has fingerprints of version {FINGERPRINT_VERSION}, not {version}: "
            "install the same version of auralis_fp everywhere"
        )
    part: bytes = _packed(analyze_table(pa.table({"uri": uris}), isolate=isolate, **options)).to_pybytes()
    return part


def _packed(rows: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, RESULT_SCHEMA, options=options) as writer:
        writer.write_table(rows)
    return sink.getvalue()


def _unpacked(part: pa.Buffer) -> pa.Table:
    return pa.ipc.open_stream(part).read_all()


def _deaths_of(exceptions: Any) -> tuple[type[Exception], ...]:
    """Return the errors of tasks whose worker or node is gone, or whose results went with it."""
    names = (
        "WorkerCrashedError", "OutOfMemoryError", "NodeDiedError", "LocalRayletDiedError", "ObjectLostError"
    )  # fmt: skip
    return tuple(getattr(exceptions, name) for name in names if hasattr(exceptions, name))
