"""Results of the reference analyzer, which is slow: each computed once per session.

Sessions that follow each other, one for each CPU level, share them in the folder ``AURALIS_FP_REFERENCES``.
"""

from __future__ import annotations

import os
import pickle
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

from support.cases import Case, Excerpt

from auralis_fp import Fingerprint, reference


def reference_of(case: Case | Excerpt) -> Fingerprint:
    folder = os.environ.get("AURALIS_FP_REFERENCES")
    kept = Path(folder, f"{case.name}.pickle") if folder else None
    if kept is not None and kept.exists():
        result: Fingerprint = pickle.loads(kept.read_bytes())
        return result
    result = reference.analyze_samples(case.samples(), case.rate)
    if kept is not None:
        kept.write_bytes(pickle.dumps(result))
    return result


class References:
    """Reference fingerprints, computed once per session, by two processes that run ahead of the tests."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool
        self._results: dict[str, Future[Fingerprint]] = {}

    def request(self, case: Case | Excerpt) -> Future[Fingerprint]:
        if case.name not in self._results:
            self._results[case.name] = self._pool.submit(reference_of, case)
        return self._results[case.name]

    def of(self, case: Case | Excerpt) -> Fingerprint:
        return self.request(case).result()
