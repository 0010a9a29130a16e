"""The 25 dimensions of a fingerprint: the one table that says what every number means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["DIMENSIONS", "FINGERPRINT_VERSION", "NAMES", "Dimension"]

FINGERPRINT_VERSION: Final = 100
"""Version of the definitions, as stored in databases and sidecar files.

Older systems that wrote the same 25 columns used 1 to 8; their numbers are not comparable.
"""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension of a fingerprint.

    Attributes
    ----------
    name : str
        Key in :class:`auralis_fp.Fingerprint` and column name in databases.
    unit : str
        Unit of the value; empty for plain ratios.
    minimum, maximum : float
        Range of the value. ``lufs`` may exceed its maximum by clipped, square-wave-like material.
    undefined : float
        Value that stands in where the dimension cannot be measured; the name is then listed in
        ``Fingerprint.undefined``.
    meaning : str
        The definition in one line; ``docs/dimensions.md`` has it in full.
    """

    name: str
    unit: str
    minimum: float
    maximum: float
    undefined: float
    meaning: str


DIMENSIONS: Final[tuple[Dimension, ...]] = (
    Dimension("sub_bass_pct", "%", 0, 100, 0, "share of the energy in 20-60 Hz"),
    Dimension("bass_pct", "%", 0, 100, 0, "share of the energy in 60-250 Hz"),
    Dimension("low_mid_pct", "%", 0, 100, 0, "share of the energy in 250-500 Hz"),
    Dimension("mid_pct", "%", 0, 100, 0, "share of the energy in 500-2000 Hz"),
    Dimension("upper_mid_pct", "%", 0, 100, 0, "share of the energy in 2-4 kHz"),
    Dimension("presence_pct", "%", 0, 100, 0, "share of the energy in 4-6 kHz"),
    Dimension("air_pct", "%", 0, 100, 0, "share of the energy in 6-20 kHz"),
    Dimension("lufs", "LUFS", -70, 3, -70, "integrated loudness, ITU-R BS.1770-5"),
    Dimension("crest_db", "dB", 0, 100, 0, "peak over RMS of the whole file"),
    Dimension("bass_mid_ratio", "dB", -40, 40, 0, "energy of 60-250 Hz over 250-2000 Hz"),
    Dimension("tempo_bpm", "BPM", 40, 200, 0, "tempo"),
    Dimension("rhythm_stability", "", 0, 1, 0, "how regular the pulse is"),
    Dimension("transient_density", "", 0, 1, 0, "onsets per second / 10"),
    Dimension("silence_ratio", "", 0, 1, 1, "share of frames 40 dB under the loudest"),
    Dimension("spectral_centroid", "", 0, 1, 0, "median spectral centroid / 8 kHz"),
    Dimension("spectral_rolloff", "", 0, 1, 0, "median 85 % roll-off / 10 kHz"),
    Dimension("spectral_flatness", "", 0, 1, 0, "median spectral flatness"),
    Dimension("harmonic_ratio", "", 0, 1, 0, "harmonic against percussive amplitude"),
    Dimension("pitch_stability", "", 0, 1, 0, "share of frame pairs within 50 cents"),
    Dimension("chroma_energy", "", 1 / 12, 1, 0, "mean chroma relative to its maximum"),
    Dimension("dynamic_range_variation", "", 0, 1, 0, "spread of the crest factor / 6 dB"),
    Dimension("loudness_variation_std", "dB", 0, 10, 0, "spread of the half-second RMS level"),
    Dimension("peak_consistency", "", 0, 1, 0, "evenness of the half-second peaks"),
    Dimension("stereo_width", "", 0, 1, 0, "side energy over mid and side energy"),
    Dimension("phase_correlation", "", -1, 1, 1, "correlation of left and right"),
)
"""The 25 dimensions in the order of ``Fingerprint.vector``."""

NAMES: Final[tuple[str, ...]] = tuple(dimension.name for dimension in DIMENSIONS)
"""The 25 names in the order of ``Fingerprint.vector``."""
