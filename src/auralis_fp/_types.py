"""Types that several rooms use in their signatures."""

from __future__ import annotations

import os
from typing import Protocol, TypeAlias

from auralis_fp.cancel import CancelToken
from auralis_fp.fingerprint import Fingerprint

__all__ = ["Analyze", "AnyPath"]

AnyPath: TypeAlias = "str | bytes | os.PathLike[str] | os.PathLike[bytes]"
"""Every way to name a file."""


class Analyze(Protocol):
    """A function that measures a file: :func:`auralis_fp.analyze`, or one that can stand in for it."""

    def __call__(
        self, path: str, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> Fingerprint:
        """Measure ``path``; raises :class:`auralis_fp.AnalysisError`."""
