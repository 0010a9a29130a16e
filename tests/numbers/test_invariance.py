"""What must not change a fingerprint: codec, sample rate, level, the cut into blocks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from support import synth
from support.encode import EncodedFiles, encode
from support.tolerances import assert_agree

import auralis_fp
from auralis_fp import NAMES, Fingerprint

# How far a fingerprint may move, about twice what was measured on generated and real music. Tempo may move by
# a step of its search; the encoders themselves change the level (lufs), the peaks (crest_db) and what is
# above their low-pass filter or filled with noise (spectral_flatness). FFmpeg 7's AAC encoder changes the
# peaks more than that of 5.1.
SHIFT: Final[Mapping[str, tuple[float, float, float]]] = {  # 320 kbit/s, 96 to 128 kbit/s, sample rate
    "sub_bass_pct": (0.02, 0.8, 0.8),
    "bass_pct": (0.05, 1.3, 1.4),
    "low_mid_pct": (0.05, 0.7, 0.8),
    "mid_pct": (0.02, 0.5, 0.5),
    "upper_mid_pct": (0.02, 0.3, 0.15),
    "presence_pct": (0.01, 0.2, 0.15),
    "air_pct": (0.01, 0.6, 0.3),
    "lufs": (0.005, 0.6, 0.05),
    "crest_db": (0.12, 1.5, 0.6),
    "bass_mid_ratio": (0.005, 0.25, 0.25),
    "tempo_bpm": (1e-9, 0.12, 1e-9),
    "rhythm_stability": (0.005, 0.08, 0.0002),
    "transient_density": (0.011, 0.06, 0.001),
    "silence_ratio": (0.002, 0.005, 0.001),
    "spectral_centroid": (0.001, 0.025, 0.0002),
    "spectral_rolloff": (0.003, 0.04, 0.002),
    "spectral_flatness": (0.02, 0.1, 0.005),
    "harmonic_ratio": (0.0005, 0.01, 0.00001),
    "pitch_stability": (0.003, 0.02, 0.001),
    "chroma_energy": (0.0005, 0.005, 0.00001),
    "dynamic_range_variation": (0.006, 0.06, 0.015),
    "loudness_variation_std": (0.001, 0.08, 0.0002),
    "peak_consistency": (0.002, 0.02, 0.008),
    "stereo_width": (0.0002, 0.003, 0.00002),
    "phase_correlation": (0.0003, 0.006, 0.00002),
}
HIGH_BIT_RATE, LOW_BIT_RATE, SAMPLE_RATE = (
    {name: shifts[column] for name, shifts in SHIFT.items()} for column in range(3)
)
LOSSY: Final = {
    "mp3-cbr-320": HIGH_BIT_RATE,
    "mp3-cbr-128": LOW_BIT_RATE,
    "aac-m4a": LOW_BIT_RATE,
    "vorbis": LOW_BIT_RATE,
    "opus": LOW_BIT_RATE,
}


@pytest.fixture(scope="module", params=["rock", "house", "ballad"])
def recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> EncodedFiles:
    samples = synth.to_int16(synth.song(request.param, 10, bpm=124, seed=11))
    return EncodedFiles(tmp_path_factory.mktemp(request.param), samples, 44100)


@pytest.fixture(scope="module")
def original(recording: EncodedFiles) -> Fingerprint:
    return auralis_fp.analyze_samples(recording.samples, recording.rate)


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_codecs(name: str, recording: EncodedFiles, original: Fingerprint) -> None:
    assert_agree(auralis_fp.analyze(recording.file(name)), original, LOSSY[name])


@pytest.mark.parametrize("rate", [48000, 88200, 96000, 192000])
def test_sample_rate(rate: int, recording: EncodedFiles, original: Fingerprint, tmp_path: Path) -> None:
    path = encode(tmp_path / "x.flac", recording.samples, 44100, "-ar", str(rate), "-sample_fmt", "s32")
    measured = auralis_fp.analyze(path)
    assert measured.metadata.sample_rate == rate
    assert_agree(measured, original, SAMPLE_RATE)


@pytest.mark.parametrize("gain_db", [-40.0, -20.0, -6.0, 1.0])
@pytest.mark.parametrize("style", ["rock", "house", "ballad"])
def test_gain_moves_loudness_alone(style: str, gain_db: float) -> None:
    samples = synth.song(style, 10)
    gain = np.float32(10 ** (gain_db / 20))
    original, measured = (auralis_fp.analyze_samples(x, 44100) for x in (samples, samples * gain))
    assert measured.lufs - original.lufs == pytest.approx(gain_db, abs=1e-3)
    # The geometric mean has a lower bound, so what is close to it counts a little more at a lower level.
    tolerance = dict.fromkeys(NAMES, 0.0001) | {"spectral_flatness": 0.001}
    assert_agree(measured, original, tolerance, besides=frozenset({"lufs"}))


def test_swapped_channels() -> None:
    samples = synth.song("rock", 8)
    original, swapped = (auralis_fp.analyze_samples(x, 44100) for x in (samples, samples[:, ::-1]))
    assert_agree(swapped, original, dict.fromkeys(NAMES, 1e-06))


def test_inverted_polarity() -> None:
    samples = synth.song("rock", 8)
    original, inverted = (auralis_fp.analyze_samples(x, 44100) for x in (samples, -samples))
    assert_agree(inverted, original, dict.fromkeys(NAMES, 1e-06))


def test_mono_as_one_channel_or_two() -> None:
    mono = synth.song("rock", 8)[:, 0].copy()
    one, two = (auralis_fp.analyze_samples(x, 44100) for x in (mono, np.stack([mono, mono], axis=1)))
    assert two.lufs - one.lufs == pytest.approx(
        10 * np.log10(2), abs=1e-6
    )  # BS.1770 adds the channels' power
    assert_agree(two, one, dict.fromkeys(NAMES, 1e-06), besides=frozenset({"lufs"}))


def test_silent_channels_beside_a_stereo_pair() -> None:
    stereo = synth.song("rock", 8)
    surround = np.zeros((len(stereo), 6), np.float32)
    surround[:, :2] = stereo
    surround[:, 3] = 0.5  # LFE does not count
    original, measured = (auralis_fp.analyze_samples(x, 44100) for x in (stereo, surround))
    assert_agree(measured, original, dict.fromkeys(NAMES, 1e-06))


@pytest.mark.parametrize("repeats", [2, 5])
def test_length(repeats: int) -> None:
    """Four bars over and over: what describes the music does not depend on how often it is played."""
    bars = synth.song("rock", 8 * 60 / 120 * 4, bpm=120)
    once, often = (auralis_fp.analyze_samples(np.tile(bars, (n, 1)), 44100) for n in (2, 2 * repeats))
    assert_agree(often, once, LOW_BIT_RATE)
