"""A fingerprint as a database holds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from auralis_fp.schema import NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["StoredFingerprint"]

_INDEX = {name: index for index, name in enumerate(NAMES)}


class StoredFingerprint(Mapping[str, float]):
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

    __slots__ = ("_vector", "fingerprint_version", "track_id")

    def __init__(self, track_id: int, fingerprint_version: int, values: Iterable[float]) -> None:
        vector = np.array([float(value) for value in values], dtype=np.float64)
        if vector.shape != (len(NAMES),):
            raise ValueError(f"a fingerprint has {len(NAMES)} values, not {len(vector)}")
        vector.setflags(write=False)
        self.track_id = track_id
        self.fingerprint_version = fingerprint_version
        self._vector: NDArray[np.float64] = vector

    @property
    def vector(self) -> NDArray[np.float64]:
        """The values as a read-only float64 array of shape (25,), as in :class:`auralis_fp.Fingerprint`."""
        return self._vector

    def to_row(self) -> dict[str, float]:
        """Return the 25 values and ``fingerprint_version``, in the form that ``upsert`` takes."""
        return {**self, "fingerprint_version": self.fingerprint_version}

    def __getitem__(self, name: str) -> float:
        return float(self._vector[_INDEX[name]])

    def __getattr__(self, name: str) -> float:
        if name in _INDEX:
            return self[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)

    def __repr__(self) -> str:
        return f"StoredFingerprint(track {self.track_id}, version {self.fingerprint_version})"
