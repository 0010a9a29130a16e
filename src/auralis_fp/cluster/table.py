"""Analysis of the files that a table names: Arrow in, Arrow out, whatever the engine."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pyarrow as pa

from auralis_fp._native import core
from auralis_fp._types import Analyze
from auralis_fp.analysis import analyze as compiled
from auralis_fp.analysis import analyze_bytes
from auralis_fp.cluster.rows import RESULT_SCHEMA, row_of
from auralis_fp.cluster.storage import (
    ARROW_ERRORS,
    WHOLE_BYTES,
    locate,
    patiently,
    read_error,
    spooled,
)
from auralis_fp.errors import AnalysisError, Unreadable
from auralis_fp.fingerprint import Fingerprint
from auralis_fp.isolation import MEMORY_LIMIT, IsolatedAnalyzer

__all__ = ["DEADLINE_S", "analyze_batches", "analyze_table"]

DEADLINE_S: Final = 600.0
"""Seconds that the analysis of a file may take, by default: the longest recordings need a third of it."""


def analyze_table(
    table: pa.Table | pa.RecordBatch,
    *,
    threads: int = 1,
    timeout: float | None = DEADLINE_S,
    isolate: bool = False,
    analyze: Analyze | None = None,
) -> pa.Table:
    """Measure the files that a table names, on this machine or in object stores.

    Engines such as Ray Data, Spark and Dask take it as it is: it needs no state, and files that cannot be
    measured are rows as well.

    Parameters
    ----------
    table : pyarrow.Table or pyarrow.RecordBatch
        With a column ``uri``: paths on the machine that runs this, and URIs with the schemes ``file``,
        ``s3``, ``gs``, ``abfss`` and ``hdfs``. Other columns are ignored.
    threads : int
        Number of files that are analysed at a time; as many again may be read ahead.
    timeout : float, optional
        Seconds for each file.
    isolate : bool
        Analyse in worker processes, so that a file that crashes its process is a row with ``Crashed``.
    analyze : callable, optional
        What measures a file, in place of :func:`auralis_fp.analyze`. With ``isolate``, it is imported by its
        name.

    Returns
    -------
    pyarrow.Table
        A row for each row of ``table``, in the same order, with the columns of :data:`RESULT_SCHEMA`. The
        numbers are those of :func:`auralis_fp.analyze`, to the last bit.

    Raises
    ------
    KeyError
        There is no column ``uri``.

    Notes
    -----
    Objects of up to 64 MB are read into memory as a whole, larger ones into a temporary file, of which all
    processes of a machine have four together. Reading is tried again for some seconds while a server fails
    or is busy.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from auralis_fp.cluster import analyze_table
    >>> rows = analyze_table(pa.table({"uri": ["/no/such/song.mp3", "http://example.org/song.mp3"]}))
    >>> rows.column("error_kind").to_pylist()
    ['FileNotFound', 'Unsupported']
    """
    if threads < 1:
        raise ValueError(f"threads must be at least 1, not {threads}")
    uris: list[str | None] = table.column("uri").to_pylist()
    measure = _Measurer(threads, timeout, isolate, analyze)
    waits = any(uri and "://" in uri for uri in uris)  # for the network, in which time others can work
    with ThreadPoolExecutor(2 * threads if waits else threads, thread_name_prefix="auralis-fp") as pool:
        try:
            rows = list(pool.map(measure, uris))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return pa.Table.from_pylist(rows, schema=RESULT_SCHEMA)


def analyze_batches(batches: Iterable[pa.RecordBatch], **options: Any) -> Iterator[pa.RecordBatch]:
    """Yield the results of :func:`analyze_table` for batches, as Spark's ``mapInArrow`` wants it.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Each with a column ``uri``.
    **options
        Those of :func:`analyze_table`.
    """
    for batch in batches:
        yield from analyze_table(batch, **options).combine_chunks().to_batches()


class _Measurer:
    """Makes the row of a file."""

    def __init__(self, threads: int, timeout: float | None, isolate: bool, analyze: Analyze | None) -> None:
        self._gate: Final = threading.Semaphore(threads)
        self._timeout: Final = timeout
        self._isolates: Final = isolate
        here: Any = analyze or compiled
        self._analyze_file: Final[Analyze] = _isolated(here, threads) if isolate else here
        # Only what runs here can be given the bytes themselves.
        self._analyze_bytes: Final = None if isolate or analyze else analyze_bytes

    def __call__(self, uri: str | None) -> dict[str, Any]:
        started, busy = time.monotonic(), time.thread_time()
        size: int | None = None
        result: Fingerprint | AnalysisError
        try:
            if not uri:
                raise Unreadable("no URI", stage="open", path="")
            location = locate(uri)
            if location.filesystem is None:
                with contextlib.suppress(OSError, ValueError):
                    size = os.stat(location.path).st_size  # noqa: PTH116
                result = self._of_file(location.path)
            else:
                with patiently(lambda: location.filesystem.open_input_file(location.path)) as file:
                    size = file.size()
                    result = self._of_object(file, size, uri)
        except AnalysisError as error:
            result = error
        except (*ARROW_ERRORS, MemoryError) as error:
            result = read_error(uri or "", error)
        return row_of(
            uri or "",
            result,
            size=size,
            seconds=time.monotonic() - started,
            cpu_seconds=None if self._isolates else time.thread_time() - busy,
        )

    def _of_object(self, file: Any, size: int, uri: str) -> Fingerprint:
        if self._analyze_bytes is None or size > WHOLE_BYTES:
            with spooled(file, size, uri) as path:
                return self._of_file(path)
        content = patiently(lambda: file.read_at(size, 0))
        with self._gate:
            return self._analyze_bytes(content, timeout=self._timeout)

    def _of_file(self, path: str) -> Fingerprint:
        with self._gate:
            return self._analyze_file(path, timeout=self._timeout)


@functools.lru_cache(maxsize=4)
def _isolated(analyze: Any, processes: int) -> IsolatedAnalyzer:
    """Return the worker processes of this process, which serve one table after the other."""
    memory_limit = MEMORY_LIMIT if core is not None and analyze is compiled else None
    return IsolatedAnalyzer(analyze, processes=processes, memory_limit=memory_limit)
