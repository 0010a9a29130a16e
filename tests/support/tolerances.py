"""How closely two analyses must agree, by the tolerances of the dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from auralis_fp import DIMENSIONS, NAMES, Fingerprint

# Compiled core against reference analyzer, same decoded samples.
PARITY: Final[Mapping[str, float]] = {d.name: d.tolerance for d in DIMENSIONS}

# Between CPU levels, and between the same samples handed over in other blocks.
BUILD: Final[Mapping[str, float]] = {name: tolerance / 10 for name, tolerance in PARITY.items()}


def differences(a: Fingerprint, b: Fingerprint) -> dict[str, float]:
    """Absolute difference per dimension."""
    return {name: abs(a[name] - b[name]) for name in NAMES}


def assert_agree(
    measured: Fingerprint,
    expected: Fingerprint,
    tolerance: Mapping[str, float],
    *,
    besides: frozenset[str] = frozenset(),
) -> None:
    """Fail with a table of all dimensions that differ, and of undefined ones in only one of the two."""
    assert measured.undefined == expected.undefined
    off = [
        f"{name}: {measured[name]:.9g}, {difference:.3g} from {expected[name]:.9g}, not {tolerance[name]:g}"
        for name, difference in differences(measured, expected).items()
        if name not in besides and not difference <= tolerance[name]
    ]
    assert not off, "\n" + "\n".join(off)


def assert_identical(measured: Fingerprint, expected: Fingerprint) -> None:
    """Require equal bits, and the same undefined dimensions."""
    changed = [
        f"{name}: {measured[name]!r} != {expected[name]!r}"
        for name in NAMES
        if np.float64(measured[name]).tobytes() != np.float64(expected[name]).tobytes()
    ]
    assert not changed, "\n" + "\n".join(changed)
    assert measured.undefined == expected.undefined
