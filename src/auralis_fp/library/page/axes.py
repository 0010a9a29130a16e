"""The two directions in which the tracks of a library differ most, and words for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from auralis_fp.schema import NAMES
from auralis_fp.similarity.explanation import WORDS
from auralis_fp.similarity.space import Space
from auralis_fp.similarity.weights import DEFAULTS

__all__ = ["Axis", "principal_axes"]

_WORDS_AN_END: Final = 3
_LOUDER: Final = ("louder", "quieter")


@dataclass(frozen=True)
class Axis:
    """A principal component of the places of all tracks on the scale of a space.

    Attributes
    ----------
    low, high : str
        What the tracks at its two ends sound like, compared with those at the other.
    share : float
        The share of all differences that lie along it, 0 to 1.
    loadings : ndarray of float64, shape (25,)
        How much each number moves a track along it; 0 for the tempo, which is on a circle.
    offset : float
        Where the middle of the library is: 0 on the axis.
    """

    low: str
    high: str
    share: float
    loadings: NDArray[np.float64]
    offset: float


def principal_axes(space: Space, values: NDArray[np.float32], count: int = 2) -> list[Axis]:
    """Return the principal axes of a library, the one with the largest share first.

    Parameters
    ----------
    space : Space
        Its scale is what differences are measured on.
    values : ndarray of float32, shape (n, 25)
        NaN where undefined, which counts as the middle.
    """
    used = np.flatnonzero(DEFAULTS)
    places = space.compared(values, DEFAULTS).scores.astype(np.float64)
    middle = places.mean(axis=1)
    away = places - middle[:, np.newaxis]
    variances, directions = np.linalg.eigh(away @ away.T / away.shape[1])
    total = max(float(variances.sum()), 1e-30)
    return [
        _axis(used, directions[:, -1 - rank], middle, float(variances[-1 - rank]) / total)
        for rank in range(count)
    ]


def _axis(
    used: NDArray[np.intp], direction: NDArray[np.float64], middle: NDArray[np.float64], share: float
) -> Axis:
    # The sign of a component is anyone's choice: the number with the largest part rises along it.
    direction = direction * np.sign(direction[np.argmax(np.abs(direction))])
    loadings = np.zeros(len(NAMES))
    loadings[used] = direction
    ends: tuple[list[str], list[str]] = ([], [])
    for dimension in np.argsort(-np.abs(loadings), kind="stable"):
        words = _words(NAMES[dimension])
        if words and len(ends[0]) < _WORDS_AN_END:
            more, less = words if loadings[dimension] > 0 else words[::-1]
            ends[1].append(more)
            ends[0].append(less)
    return Axis(", ".join(ends[0]), ", ".join(ends[1]), share, loadings, float(direction @ middle))


def _words(name: str) -> tuple[str, str] | None:
    if name == "lufs":
        return _LOUDER
    return (WORDS[name].more, WORDS[name].less) if name in WORDS else None
