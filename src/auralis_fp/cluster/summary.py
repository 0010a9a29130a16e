"""What a run has done, from the rows of its results."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from auralis_fp.cluster.results import Results

__all__ = ["SUMMARY_COLUMNS", "Summary", "summarize"]

SUMMARY_COLUMNS: Final = ("uri", "error_kind", "error_cause", "duration", "size", "seconds", "cpu_seconds")
"""The columns of results that a summary needs."""

_SLOWEST: Final = 5


@dataclass
class Summary:
    """Sums over the rows of results.

    Attributes
    ----------
    files : int
        Rows.
    failures : Counter
        Number of failed files by the kind of error.
    examples : dict
        For each of these kinds, the URI and the cause of the first such file.
    audio_seconds : float
        Length of the recordings that were measured.
    bytes : int
        Size of the files.
    core_seconds : float
        Time for which processors were busy; where another process did the work, how long that took.
    slowest : list of (float, str)
        Seconds and URIs of the files that took longest, in descending order.
    """

    files: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    examples: dict[str, tuple[str, str]] = field(default_factory=dict)
    audio_seconds: float = 0.0
    bytes: int = 0
    core_seconds: float = 0.0
    slowest: list[tuple[float, str]] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """Files that could not be measured."""
        return self.failures.total()

    def add(self, rows: pa.Table) -> None:
        """Add results, of which :data:`SUMMARY_COLUMNS` are needed."""
        self.files += rows.num_rows
        self.audio_seconds += pc.sum(rows["duration"]).as_py() or 0.0
        self.bytes += pc.sum(rows["size"]).as_py() or 0
        self.core_seconds += pc.sum(pc.coalesce(rows["cpu_seconds"], rows["seconds"])).as_py() or 0.0
        failed = rows.select(["error_kind", "uri", "error_cause"]).filter(pc.is_valid(rows["error_kind"]))
        for kind, uri, cause in zip(*(column.to_pylist() for column in failed.columns), strict=True):
            self.failures[kind] += 1
            self.examples.setdefault(kind, (uri, cause))
        order = pc.select_k_unstable(rows, k=_SLOWEST, sort_keys=[("seconds", "descending")])
        slow = rows.select(["seconds", "uri"]).take(order)
        pairs = zip(*(column.to_pylist() for column in slow.columns), strict=True)
        self.slowest = heapq.nlargest(_SLOWEST, [*self.slowest, *pairs])


def summarize(results: Results) -> Summary:
    """Return the summary of all shards that are done, one after the other."""
    summary = Summary()
    for shard in results.finished():
        summary.add(results.read(shard, SUMMARY_COLUMNS))
    return summary
