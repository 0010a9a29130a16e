"""Counters and gauges in Prometheus' format."""

from __future__ import annotations

import threading
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from auralis_fp.server.limiter import Limiter

__all__ = ["Metrics"]

_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Counters of what a server has done.

    Parameters
    ----------
    limiter : Limiter
        Asked for the running and the waiting requests.
    """

    def __init__(self, limiter: Limiter) -> None:
        self._registry: Final = CollectorRegistry()
        self._requests: Final = Counter(
            "auralis_fp_requests",
            "Requests by path and result: ok, a kind of error, refused, busy, or left (client disconnected).",
            ["path", "result"],
            registry=self._registry,
        )
        self._seconds: Final = Histogram(
            "auralis_fp_request_seconds",
            "Seconds from a request to its answer, by path.",
            ["path"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._work_s: Final = Counter(
            "auralis_fp_analysis_seconds", "Seconds of workers spent on analyses.", registry=self._registry
        )
        self._audio_s: Final = Counter(
            "auralis_fp_audio_seconds", "Seconds of audio measured.", registry=self._registry
        )
        self._times_real_time: Final = Gauge(
            "auralis_fp_times_real_time",
            "Audio measured per second of a worker, so far.",
            registry=self._registry,
        )
        self._lock: Final = threading.Lock()
        self._totals = (0.0, 0.0)
        for name, text, read in (
            ("in_work", "Analyses that are running.", lambda: limiter.in_work),
            ("waiting", "Requests that wait for a worker.", lambda: limiter.waiting),
        ):
            Gauge(f"auralis_fp_{name}", text, registry=self._registry).set_function(read)
        ProcessCollector(registry=self._registry)  # memory, CPU, descriptors

    def answered(self, path: str, result: str, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(path, result).inc()
        self._seconds.labels(path).observe(seconds)

    def analyzed(self, seconds: float, audio_s: float) -> None:
        """Count a fingerprint; from any thread."""
        self._work_s.inc(seconds)
        self._audio_s.inc(audio_s)
        with self._lock:
            self._totals = (self._totals[0] + seconds, self._totals[1] + audio_s)
            self._times_real_time.set(self._totals[1] / self._totals[0])

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)
