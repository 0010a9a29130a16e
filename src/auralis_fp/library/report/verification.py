"""Measures tracks again and compares the result with their stored fingerprints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from auralis_fp.errors import AnalysisError
from auralis_fp.library.store.queries import StoredTrack
from auralis_fp.library.work.protocol import Analyze
from auralis_fp.schema import NAMES

__all__ = ["TOLERANCES", "Verdict", "verify_track"]

# The agreement that the definition of the dimensions asks of any two implementations.
_TOLERANCES_BY_UNIT: Final = {
    0.05: (*NAMES[:7], "bass_mid_ratio", "loudness_variation_std"),
    0.02: ("lufs", "crest_db"),
    0.1: ("tempo_bpm",),
    0.01: ("rhythm_stability", "transient_density", "pitch_stability"),
    0.002: ("silence_ratio",),
}
TOLERANCES: Final[dict[str, float]] = {
    **dict.fromkeys(NAMES, 0.005),
    **{name: tolerance for tolerance, names in _TOLERANCES_BY_UNIT.items() for name in names},
}
"""The largest difference between two right values of each dimension."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of verifying a track.

    Attributes
    ----------
    track : StoredTrack
        The track.
    differences : dict
        The stored and the new value of each dimension that differs by more than its tolerance.
    worst : float
        The largest difference, in tolerances.
    error : str
        Why the file could not be analysed; empty if it was.
    """

    track: StoredTrack
    differences: dict[str, tuple[float, float]]
    worst: float = 0.0
    error: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the stored values agree with the file."""
        return not self.differences and not self.error


def verify_track(track: StoredTrack, analyze: Analyze) -> Verdict:
    """Return how the stored fingerprint of a track compares with a new analysis of its file."""
    stored = track.fingerprint
    if stored is None:
        return Verdict(track, {}, error="it has no fingerprint")
    try:
        new = analyze(track.path)
    except (AnalysisError, OSError) as error:
        return Verdict(track, {}, error=str(error))
    pairs = {name: (stored[name], new[name]) for name in NAMES}
    ratios = {name: abs(a - b) / TOLERANCES[name] for name, (a, b) in pairs.items()}
    differences = {name: pairs[name] for name in NAMES if ratios[name] > 1}
    return Verdict(track, differences, max(ratios.values()))
