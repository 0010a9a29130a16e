"""A fingerprint as a database holds it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from auralis_fp.fingerprint import NamedVector

__all__ = ["StoredFingerprint"]


class StoredFingerprint(NamedVector):
    """A fingerprint as a database holds it: a mapping of the 25 names, each an attribute too.

    Parameters
    ----------
    track_id : int
        The track it describes.
    fingerprint_version : int
        Version of the definitions; only equal versions may be compared.
    values : iterable of 25 floats
        In the order of :data:`auralis_fp.NAMES`.
    """

    __slots__ = ("fingerprint_version", "track_id")

    def __init__(self, track_id: int, fingerprint_version: int, values: Iterable[float]) -> None:
        super().__init__(np.array([float(value) for value in values], dtype=np.float64))
        self.track_id = track_id
        self.fingerprint_version = fingerprint_version

    def to_row(self) -> dict[str, float]:
        """Return the 25 values and ``fingerprint_version``, in the form that ``upsert`` takes."""
        return {**self, "fingerprint_version": self.fingerprint_version}

    def __repr__(self) -> str:
        return f"StoredFingerprint(track {self.track_id}, version {self.fingerprint_version})"
