"""Results of the reference analyzer, which is slow: each computed once per session."""

from __future__ import annotations

from concurrent.futures import Future, ProcessPoolExecutor

from cases import Case, Excerpt

from auralis_fp import Fingerprint, reference


def reference_of(case: Case | Excerpt) -> Fingerprint:
    return reference.analyze_samples(case.samples(), case.rate)


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
