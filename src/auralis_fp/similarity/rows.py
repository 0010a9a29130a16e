"""Vectors, in every form that this room takes them, as rows of float32."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from auralis_fp.fingerprint import Fingerprint
from auralis_fp.schema import DIMENSIONS, NAMES

__all__ = ["Rows", "Vectors", "as_rows", "is_single", "spaced"]

Vectors: TypeAlias = "ArrayLike | Fingerprint | Sequence[Fingerprint]"
"""25 numbers, rows of them, a fingerprint or several."""

Rows: TypeAlias = "NDArray[np.float32]"
"""Shape (n, 25), NaN where undefined."""

# Stand-ins that no measured value can be: where they are found, the number is undefined, even if whoever
# stored it kept no list of what was.
_TELLING: Final = [
    (index, dimension.undefined)
    for index, dimension in enumerate(DIMENSIONS)
    if not dimension.minimum <= dimension.undefined <= dimension.maximum
]


def as_rows(vectors: Vectors, undefined: ArrayLike | None = None) -> Rows:
    """Return vectors as rows of float32 with NaN where a number is undefined.

    Parameters
    ----------
    vectors : array_like of shape (25,) or (n, 25), Fingerprint, or sequence of Fingerprint
        NaN, infinity and stand-ins outside the range of their dimension are undefined, and so is what a
        fingerprint lists as such.
    undefined : array_like of bool, of the shape of the vectors, optional
        True for the numbers that hold a stand-in.

    Raises
    ------
    ValueError
        The shape is another.
    """
    rows = _numbers(vectors)
    if undefined is not None:
        mask = np.asarray(undefined, dtype=bool)
        if mask.ndim == 1:
            mask = mask[np.newaxis]
        if mask.shape != rows.shape:
            raise ValueError(f"undefined has the shape {mask.shape}, the vectors have {rows.shape}")
        rows = np.where(mask, np.float32(np.nan), rows)
    absent = np.isinf(rows)
    for index, stand_in in _TELLING:
        absent[:, index] |= rows[:, index] == np.float32(stand_in)
    return np.where(absent, np.float32(np.nan), rows) if absent.any() else rows  # large libraries: no copy


def is_single(vectors: Vectors) -> bool:
    """Return whether this is one vector rather than rows of them."""
    if isinstance(vectors, Fingerprint):
        return True
    if isinstance(vectors, Sequence) and any(isinstance(item, Fingerprint) for item in vectors):
        return False
    return np.ndim(cast("Any", vectors)) == 1


def spaced(length: int, at_most: int) -> NDArray[np.intp]:
    """Return indices evenly spaced over a length: the same every time, and from all parts of a library."""
    return np.linspace(0, length - 1, min(length, at_most)).astype(np.intp)


def _numbers(vectors: Vectors) -> Rows:
    if isinstance(vectors, Fingerprint):
        return _measured([vectors])
    if isinstance(vectors, Sequence) and vectors and all(isinstance(item, Fingerprint) for item in vectors):
        return _measured(cast("Sequence[Fingerprint]", vectors))
    rows = np.asarray(cast("Any", vectors), dtype=np.float32)
    if rows.size == 0 and rows.ndim <= 2:
        return np.empty((0, len(NAMES)), np.float32)
    if rows.ndim == 1:
        rows = rows[np.newaxis]
    if rows.ndim != 2 or rows.shape[1] != len(NAMES):
        raise ValueError(f"vectors have {len(NAMES)} numbers each, not the shape {rows.shape}")
    return rows


def _measured(fingerprints: Sequence[Fingerprint]) -> Rows:
    rows = np.array([fingerprint.vector for fingerprint in fingerprints], np.float32)
    for row, fingerprint in zip(rows, fingerprints, strict=True):
        row[[NAMES.index(name) for name in fingerprint.undefined]] = np.nan
    return rows
