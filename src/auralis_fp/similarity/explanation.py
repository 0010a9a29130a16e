"""Why two tracks are near or far: what each dimension contributes, and a sentence that says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auralis_fp.schema import NAMES
from auralis_fp.similarity.comparison import CIRCUMFERENCE, Compared, differences, distances

__all__ = ["ALIKE", "FAR", "MOST", "NEAR", "SAME_TEMPO", "WORDS", "Explanation", "explain"]

SAME_TEMPO: Final = 0.04  # a share of the tempo: closer ones can be mixed by a small change of speed
NEAR, FAR, MOST = 0.25, 0.6, 3  # on the normal scale: not worth a word, worth one; and how many


@dataclass(frozen=True)
class Explanation:
    """Why two tracks, A and B, are as near as they are.

    Attributes
    ----------
    distance : float
        As of :meth:`Space.distances`.
    contributions : dict of str to float
        What each dimension adds to the distance, positive where B's value is the larger one; the absolute
        values add up to the distance. What is undefined in one of the tracks, or has no weight, is missing.
    sentence : str
        The same in words: what they have in common, then what tells them apart, the largest difference first.
    """

    distance: float
    contributions: Mapping[str, float]
    sentence: str

    def __str__(self) -> str:
        return self.sentence


class Word(NamedTuple):
    """What a larger and a smaller number sound like, and how both are told in parentheses."""

    more: str
    less: str
    what: str
    unit: str
    factor: float = 1
    digits: int = 0

    def values(self, b: float, a: float) -> str:
        """Return the values of B and A."""
        told = (f"{self.factor * value:.{self.digits}f}" for value in (b, a))
        return f" ({self.what} {' against '.join(told)}{self.unit})"


class Alike(NamedTuple):
    """What two tracks share if a number of theirs is nearly the same, and how it is told."""

    before: str
    after: str
    factor: float = 1
    digits: int = 0

    def of(self, value: float) -> str:
        """Return the words about a value."""
        return f"equally {self.before}{self.factor * value:.{self.digits}f}{self.after})"


# One word for each thing that can be heard. Where two dimensions say the same, such as centroid and roll-off,
# the first has the word.
WORDS: Final[dict[str, Word]] = {
    "spectral_centroid": Word("brighter", "darker", "centroid", " kHz", 8, 1),
    "stereo_width": Word("wider", "narrower", "side energy", " %", 100),
    "transient_density": Word("busier", "calmer", "onsets", " a second", 10, 1),
    "rhythm_stability": Word("steadier", "freer in rhythm", "pulse", "", 1, 2),
    "crest_db": Word("more dynamic", "more compressed", "crest", " dB"),
    "bass_pct": Word("heavier in bass", "lighter in bass", "60-250 Hz", " %"),
    "sub_bass_pct": Word("deeper", "less deep", "20-60 Hz", " %"),
    "mid_pct": Word("fuller in the middle", "thinner in the middle", "500-2000 Hz", " %"),
    "air_pct": Word("airier", "less airy", "6-20 kHz", " %", 1, 1),
    "harmonic_ratio": Word("more tonal", "more percussive", "harmonic part", " %", 100),
    "spectral_flatness": Word("noisier", "purer", "flatness", "", 1, 3),
    "pitch_stability": Word("steadier in pitch", "more restless in pitch", "steady pitch", " %", 100),
    "chroma_energy": Word("harmonically busier", "harmonically plainer", "chroma", "", 1, 2),
    "loudness_variation_std": Word("more varied in level", "more even in level", "spread", " dB", 1, 1),
    "silence_ratio": Word("more often silent", "less often silent", "silence", " %", 100),
}

ALIKE: Final[dict[str, Alike]] = {
    "spectral_centroid": Alike("bright (centroid ", " kHz", 8, 1),
    "lufs": Alike("loud (", " LUFS"),
    "stereo_width": Alike("wide (side energy ", " %", 100),
    "transient_density": Alike("busy (", " onsets a second", 10, 1),
    "crest_db": Alike("dynamic (crest ", " dB"),
    "harmonic_ratio": Alike("tonal (harmonic part ", " %", 100),
}


def explain(
    values_a: NDArray[np.float32],
    values_b: NDArray[np.float32],
    a: Compared,
    b: Compared,
    used: list[str],
    names: tuple[str, str],
) -> Explanation:
    """Return the explanation for one track against another.

    Parameters
    ----------
    values_a, values_b : ndarray of float32, shape (25,)
        What was measured.
    a, b : Compared
        The same, on the scale of a space.
    used : list of str
        The dimensions that ``a`` and ``b`` have.
    names : tuple of two str
        What the sentence calls them.
    """
    distance = float(distances(a, b)[0, 0])
    both = (a.undefined | b.undefined)[0] >> np.arange(len(a.weights), dtype=np.uint32) & 1 == 0
    apart = differences(a.scores[:, 0], b.scores[:, 0])
    if a.circle >= 0:
        apart[a.circle : a.circle + 1] = differences(
            a.scores[a.circle], b.scores[a.circle], float(a.weights[a.circle]) * CIRCUMFERENCE
        )
    total = max(float(a.weights[both].sum()), 1e-30)
    contributions = {name: float(apart[row]) / total for row, name in enumerate(used) if both[row]}
    on_scale = {name: float(apart[row] / a.weights[row]) for row, name in enumerate(used) if both[row]}
    measured_a, measured_b = (dict(zip(NAMES, row.tolist(), strict=True)) for row in (values_a, values_b))
    return Explanation(distance, contributions, _sentence(measured_a, measured_b, on_scale, names))


def _sentence(
    a: Mapping[str, float], b: Mapping[str, float], apart: Mapping[str, float], names: tuple[str, str]
) -> str:
    if not apart:
        return "they have no number in common"
    common, different = [], []
    tempo = _tempo(a["tempo_bpm"], b["tempo_bpm"])
    if tempo and tempo.startswith("both"):
        common.append(tempo)
    elif tempo:
        different.append(tempo)
    described = sorted(
        (name for name in apart if name in WORDS or name == "lufs"), key=lambda n: -abs(apart[n])
    )
    different += [
        _difference(name, a[name], b[name], apart[name]) for name in described if abs(apart[name]) >= FAR
    ]
    if not common:
        common += list(_alike(b, described, apart))[:1]
    if not different:
        common.append("alike in everything else" if common else "alike in everything")
    parts = []
    if common:
        parts.append(" and ".join(common))
    if different:
        parts.append(f"{names[1]} is {_listed(different[:MOST])}")
    return "; ".join(parts)


def _tempo(a: float, b: float) -> str:
    """Return what two tempos have to do with each other; nothing if one is undefined."""
    if not (a > 0 and b > 0):
        return ""
    octaves = np.log2(b / a)
    off = abs(octaves - np.rint(octaves))
    if off > np.log2(1 + SAME_TEMPO):
        return f"{'faster' if b > a else 'slower'} ({b:.0f} against {a:.0f} BPM)"
    if np.rint(octaves):
        return f"both on one pulse ({a:.0f} and {b:.0f} BPM)"
    return f"both near {(a + b) / 2:.0f} BPM"


def _difference(name: str, a: float, b: float, apart: float) -> str:
    if name == "lufs":
        return f"{abs(b - a):.{0 if abs(b - a) >= 1 else 1}f} LU {'louder' if b > a else 'quieter'}"
    word = WORDS[name]
    return (word.more if apart > 0 else word.less) + word.values(b, a)


def _alike(b: Mapping[str, float], described: list[str], apart: Mapping[str, float]) -> Iterator[str]:
    """Yield in words what two tracks share, the most alike first."""
    for name in reversed(described):
        if name in ALIKE and abs(apart[name]) <= NEAR:
            yield ALIKE[name].of(b[name])


def _listed(parts: list[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
