"""The 25 dimensions of a fingerprint: the one table that says what every number means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["DIMENSIONS", "FINGERPRINT_VERSION", "NAMES", "Dimension"]

FINGERPRINT_VERSION: Final = 101
"""Version of the definitions, as stored in databases and sidecar files.

Fingerprints of different versions are not comparable. Older systems with the same 25 columns used 1 to 8.
"""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension of a fingerprint.

    Attributes
    ----------
    name : str
        Key in :class:`auralis_fp.Fingerprint` and column name in databases.
    group : str
        Family of dimensions that it belongs to; older sidecar files nest it under this name.
    unit : str
        Unit of the value; empty for plain ratios.
    minimum, maximum : float
        Range of the value. ``lufs`` may exceed its maximum in files with samples beyond full scale.
    undefined : float
        Value of the dimension where it cannot be measured; its name is then listed in
        ``Fingerprint.undefined``.
    tolerance : float
        The largest difference, in the unit of the value, between two correct implementations on the same
        samples; CPU levels, threads and block sizes agree within a tenth of it.
    meaning : str
        The definition in one line; ``docs/dimensions.md`` has it in full.
    """

    name: str
    group: str
    unit: str
    minimum: float
    maximum: float
    undefined: float
    tolerance: float
    meaning: str


DIMENSIONS: Final[tuple[Dimension, ...]] = (
    Dimension("sub_bass_pct", "frequency", "%", 0, 100, 0, 0.05, "share of the energy in 20-60 Hz"),
    Dimension("bass_pct", "frequency", "%", 0, 100, 0, 0.05, "share of the energy in 60-250 Hz"),
    Dimension("low_mid_pct", "frequency", "%", 0, 100, 0, 0.05, "share of the energy in 250-500 Hz"),
    Dimension("mid_pct", "frequency", "%", 0, 100, 0, 0.05, "share of the energy in 500-2000 Hz"),
    Dimension("upper_mid_pct", "frequency", "%", 0, 100, 0, 0.05, "share of the energy in 2-4 kHz"),
    Dimension("presence_pct", "frequency", "%", 0, 100, 0, 0.05, "share of the energy in 4-6 kHz"),
    Dimension("air_pct", "frequency", "%", 0, 100, 0, 0.05, "share of the energy in 6-20 kHz"),
    Dimension("lufs", "dynamics", "LUFS", -70, 3, -70, 0.02, "integrated loudness, ITU-R BS.1770-5"),
    Dimension("crest_db", "dynamics", "dB", 0, 100, 0, 0.02, "peak over RMS of the whole file"),
    Dimension("bass_mid_ratio", "dynamics", "dB", -40, 40, 0, 0.05, "energy of 60-250 Hz over 250-2000 Hz"),
    Dimension("tempo_bpm", "temporal", "BPM", 40, 200, 0, 0.1, "tempo"),
    Dimension("rhythm_stability", "temporal", "", 0, 1, 0, 0.01, "how regular the pulse is"),
    Dimension("transient_density", "temporal", "", 0, 1, 0, 0.01, "onsets per second / 10"),
    Dimension("silence_ratio", "temporal", "", 0, 1, 1, 0.002, "share of frames 40 dB under the loudest"),
    Dimension("spectral_centroid", "spectral", "", 0, 1, 0, 0.005, "median spectral centroid / 8 kHz"),
    Dimension("spectral_rolloff", "spectral", "", 0, 1, 0, 0.005, "median 85 % roll-off / 10 kHz"),
    Dimension("spectral_flatness", "spectral", "", 0, 1, 0, 0.005, "median spectral flatness"),
    Dimension("harmonic_ratio", "harmonic", "", 0, 1, 0, 0.005, "harmonic against percussive amplitude"),
    Dimension("pitch_stability", "harmonic", "", 0, 1, 0, 0.01, "share of frame pairs within 50 cents"),
    Dimension("chroma_energy", "harmonic", "", 1 / 12, 1, 0, 0.005, "mean chroma relative to its maximum"),
    Dimension("dynamic_range_variation", "variation", "", 0, 1, 0, 0.005, "spread of crest factors / 6 dB"),
    Dimension("loudness_variation_std", "variation", "dB", 0, 10, 0, 0.05, "spread of half-second RMS level"),
    Dimension("peak_consistency", "variation", "", 0, 1, 0, 0.005, "evenness of the half-second peaks"),
    Dimension("stereo_width", "stereo", "", 0, 1, 0, 0.005, "side energy over mid and side energy"),
    Dimension("phase_correlation", "stereo", "", -1, 1, 1, 0.005, "correlation of left and right"),
)
"""The 25 dimensions in the order of ``Fingerprint.vector``."""

NAMES: Final[tuple[str, ...]] = tuple(dimension.name for dimension in DIMENSIONS)
"""The 25 names in the order of ``Fingerprint.vector``."""
