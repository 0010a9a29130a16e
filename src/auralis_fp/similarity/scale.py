"""The scale of one dimension: places of values among those of a library, on a normal distribution."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Scale"]

_NORMAL: Final = NormalDist()
_GRID: Final = np.array([_NORMAL.cdf(z) for z in np.linspace(-3.2, 3.2, 65)])
"""The ranks that are kept, as shares: every tenth of a standard deviation, denser where values are rare."""


@dataclass(frozen=True)
class Scale:
    """Values of a dimension in ascending order, and where each lies on a normal scale.

    Attributes
    ----------
    values, places : ndarray of float64
        Between them, places are interpolated; beyond them, they stay that of the last. Equal values have
        one place, the middle of their ranks. Empty if the dimension was never defined.
    median, spread : float
        Median, and 1.4826 times the median absolute deviation: of normal values, the standard deviation.
    """

    values: NDArray[np.float64]
    places: NDArray[np.float64]
    median: float
    spread: float

    @classmethod
    def fit(cls, values: NDArray[np.float32]) -> Scale:
        """Learn the scale from the defined values of a library."""
        ordered = np.sort(values.astype(np.float64))
        count = len(ordered)
        if not count:
            return cls(ordered, ordered, 0.0, 0.0)
        kept = np.rint(np.concatenate(([0.0], _GRID, [1.0])) * (count - 1)).astype(np.intp)
        knots = np.unique(ordered[kept])
        ranks = (np.searchsorted(ordered, knots, "left") + np.searchsorted(ordered, knots, "right")) / 2
        places = np.array([_NORMAL.inv_cdf(rank / count) for rank in ranks])
        median = float(np.median(ordered))
        return cls(knots, places, median, _spread(ordered, median))

    def place(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return where values lie on the scale; NaN where they are, or if the dimension was never defined."""
        if not len(self.values):
            return np.full(values.shape, np.nan, np.float32)
        places = np.interp(values, self.values, self.places)
        return np.where(np.isnan(values), np.nan, places).astype(np.float32)  # interp has one for NaN, too


def _spread(values: NDArray[np.float64], median: float) -> float:
    deviations = np.abs(values - median)
    # Where more than half of the values are the same, the mean takes the median's place.
    return float(1.4826 * np.median(deviations) or 1.2533 * deviations.mean())
