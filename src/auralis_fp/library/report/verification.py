"""Verification: tracks are measured again, and the results compared with their stored fingerprints."""

from __future__ import annotations

from dataclasses import dataclass

from auralis_fp._types import Analyze
from auralis_fp.errors import AnalysisError
from auralis_fp.library.store.queries import StoredTrack
from auralis_fp.schema import DIMENSIONS, NAMES

__all__ = ["Verdict", "verify_track"]


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
        """True if the stored values agree with the file."""
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
    ratios = {d.name: abs(stored[d.name] - new[d.name]) / d.tolerance for d in DIMENSIONS}
    differences = {name: pairs[name] for name in NAMES if ratios[name] > 1}
    return Verdict(track, differences, max(ratios.values()))
