"""How much each dimension counts in a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from auralis_fp.schema import DIMENSIONS, NAMES

__all__ = ["DEFAULTS", "WORDS", "Weights", "resolve"]

Weights: TypeAlias = "Mapping[str, float]"
"""A factor for every group of dimensions, or a weight for single ones, by name."""

DEFAULTS: Final[NDArray[np.float32]] = np.array([name != "tempo_bpm" for name in NAMES], np.float32)
"""1 for every dimension but the tempo: jumps by an octave make it misleading more often than it helps."""

WORDS: Final = {"bands": "frequency", "rhythm": "temporal", "brightness": "spectral", "harmony": "harmonic"}
"""Other words for some groups of the table of dimensions."""

_GROUPS: Final = frozenset(dimension.group for dimension in DIMENSIONS)


def resolve(weights: Weights | None) -> NDArray[np.float32]:
    """Return the weight of each dimension, in the order of the table.

    Parameters
    ----------
    weights : mapping of str to float, optional
        The name of a group multiplies the default weights of its dimensions, the name of a dimension replaces
        its weight. What is not named keeps its default.

    Raises
    ------
    ValueError
        A name is unknown, a weight is negative or not finite, or nothing is left that counts.
    """
    resolved = np.array(DEFAULTS)
    given = dict(weights or {})
    for name, weight in given.items():
        if not (np.isfinite(weight) and weight >= 0):
            raise ValueError(f"the weight of {name} must be 0 or more, not {weight}")
        group = WORDS.get(name, name)
        if group in _GROUPS:
            resolved[[dimension.group == group for dimension in DIMENSIONS]] *= weight
        elif name not in NAMES:
            known = ", ".join(sorted({*_GROUPS, *WORDS}))
            raise ValueError(f"{name!r} is neither a dimension nor one of the groups {known}")
    for name in given.keys() & set(NAMES):
        resolved[NAMES.index(name)] = given[name]
    if not resolved.any():
        raise ValueError("every weight is 0: nothing is left to compare")
    return resolved
