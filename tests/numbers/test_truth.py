"""Signals whose fingerprint is known by construction."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from support import synth
from support.synth import Samples

import auralis_fp
from auralis_fp import DIMENSIONS, NAMES, Fingerprint

RATE = 44100
BANDS = NAMES[:7]


def analyze(samples: Samples, rate: int = RATE) -> Fingerprint:
    return auralis_fp.analyze_samples(samples, rate)


# --- where the energy lies ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("band", "frequency_hz"), list(zip(BANDS, (35, 120, 350, 1000, 3000, 5000, 11000), strict=True))
)
@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_sine_lies_in_its_band(band: str, frequency_hz: float, rate: int) -> None:
    fp = analyze(synth.tone(frequency_hz, 4, rate, peak=0.5), rate)
    assert fp[band] == pytest.approx(100, abs=0.1)
    assert sum(fp[name] for name in BANDS) == pytest.approx(100, abs=1e-9)


def test_bands_share_the_energy_of_two_sines() -> None:
    fp = analyze(synth.tone(100, 5, peak=0.6) + synth.tone(1000, 5, peak=0.3))  # 4 : 1 in power
    assert fp.bass_pct == pytest.approx(80, abs=0.1)
    assert fp.mid_pct == pytest.approx(20, abs=0.1)
    assert fp.bass_mid_ratio == pytest.approx(10 * np.log10(4), abs=0.02)


def test_pink_noise_has_equal_energy_per_octave() -> None:
    fp = analyze(synth.pink_noise(40))
    octaves = [np.log2(high / low) for low, high in pairwise((20, 60, 250, 500, 2000, 4000, 6000, 20000))]
    for band, share in zip(BANDS, octaves, strict=True):
        assert fp[band] == pytest.approx(100 * share / sum(octaves), abs=0.6)


def test_bass_mid_ratio_is_clipped() -> None:
    assert analyze(synth.tone(100, 3)).bass_mid_ratio == 40
    assert analyze(synth.tone(1000, 3)).bass_mid_ratio == -40


# --- level -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6])
def test_ebu_tech_3341(number: int) -> None:
    expected = synth.EBU_EXPECTED_LUFS - (10 if number == 2 else 0)
    assert analyze(synth.ebu(number), synth.EBU_RATE).lufs == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 96000, 192000])
def test_full_scale_sine_is_minus_3_lufs(rate: int) -> None:
    tolerance = 0.01 if rate in (44100, 48000) else 0.05  # away from 48 kHz the filter's design drifts
    sine = synth.tone(997, 5, rate)
    assert analyze(sine, rate).lufs == pytest.approx(-3.01, abs=tolerance)
    assert analyze(np.stack([sine, sine], axis=1), rate).lufs == pytest.approx(0.0, abs=tolerance)


@pytest.mark.parametrize(
    ("channels", "weights"),
    [
        (3, (1, 1, 0)),
        (4, (1, 1, 1, 1)),
        (5, (1, 1, 1, 1.41, 1.41)),
        (6, (1, 1, 1, 0, 1.41, 1.41)),
        (7, (1, 1, 1, 0, 1, 1.41, 1.41)),
        (8, (1, 1, 1, 0, 1, 1, 1.41, 1.41)),
    ],
)
def test_loudness_weight_of_every_channel(channels: int, weights: tuple[float, ...]) -> None:
    sine = synth.tone(997, 3, 48000, peak=0.5)
    mono = analyze(sine, 48000).lufs
    for channel, weight in enumerate(weights):
        samples = np.zeros((len(sine), channels), np.float32)
        samples[:, channel] = sine
        fp = analyze(samples, 48000)
        if weight:
            assert fp.lufs == pytest.approx(mono + 10 * np.log10(weight), abs=1e-3)
        else:
            assert fp.lufs == -70
            assert "lufs" in fp.undefined


def test_loudness_below_the_absolute_gate_is_undefined() -> None:
    fp = analyze(synth.tone(997, 3, peak=10 ** (-70 / 20)))
    assert fp.lufs == -70
    assert "lufs" in fp.undefined
    assert analyze(synth.tone(997, 3, peak=10 ** (-66 / 20))).lufs == pytest.approx(-69.01, abs=0.02)


def test_a_short_recording_is_one_loudness_block() -> None:
    noise = synth.noise(0.399)
    padded = np.concatenate([np.zeros(RATE, np.float32), noise])  # the same energy and nothing else
    assert analyze(noise).lufs == pytest.approx(analyze(padded[-len(noise) :]).lufs)
    assert analyze(noise).lufs == pytest.approx(analyze(synth.noise(0.5)).lufs, abs=0.5)


@pytest.mark.parametrize(
    ("samples", "crest_db"),
    [
        (synth.tone(1000, 5), 3.0103),
        (np.sign(synth.tone(100.5, 5) + np.float32(1e-9)), 0.0),
        (np.full(5 * RATE, 0.25, np.float32), 0.0),
        ((2 * (100.5 * synth.times(5, RATE) % 1) - 1).astype(np.float32), 4.7712),
    ],
    ids=["sine", "square", "constant", "sawtooth"],
)
def test_crest_factor(samples: Samples, crest_db: float) -> None:
    assert analyze(samples).crest_db == pytest.approx(crest_db, abs=0.005)


def test_loudness_variation_of_a_step() -> None:
    """Two levels 20 dB apart, half the time each: 10 dB either way of the mean."""
    sine = synth.tone(1000, 20)
    sine[10 * RATE :] *= np.float32(0.1)
    fp = analyze(sine)
    assert fp.loudness_variation_std == pytest.approx(9.9, abs=0.15)
    assert fp.dynamic_range_variation == pytest.approx(0.055, abs=0.02)  # from the two blocks on the step


def test_steady_level_has_no_variation() -> None:
    fp = analyze(synth.tone(1000, 10))
    assert fp.loudness_variation_std == pytest.approx(0, abs=1e-3)
    assert fp.dynamic_range_variation == pytest.approx(0, abs=1e-3)
    assert fp.peak_consistency == pytest.approx(1, abs=1e-3)


def test_peak_consistency_of_two_levels() -> None:
    """Half the block peaks at 1, half at 0.5: std/mean = 0.25/0.75."""
    sine = synth.tone(1000, 60)
    sine[30 * RATE :] *= np.float32(0.5)
    assert analyze(sine).peak_consistency == pytest.approx(1 / (1 + 1 / 3), abs=0.005)


# --- rhythm ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bpm", [85, 90, 100, 110, 120, 128, 140, 150, 165])
def test_tempo_of_clicks(bpm: float) -> None:
    fp = analyze(synth.clicks(bpm, 20))
    assert fp.tempo_bpm == pytest.approx(bpm, rel=0.003)
    assert fp.rhythm_stability > 0.8
    assert fp.transient_density == pytest.approx(bpm / 600, abs=0.01)


@pytest.mark.parametrize("style", ["house", "rock", "breaks", "waltz"])
@pytest.mark.parametrize("bpm", [92, 118, 133])
def test_tempo_of_music(style: str, bpm: float) -> None:
    fp = analyze(synth.song(style, 16, bpm=bpm))
    octave = 2 if (style, bpm) == ("house", 92) else 1  # hi-hats between slow beats are a pulse of their own
    assert fp.tempo_bpm == pytest.approx(octave * bpm, rel=0.005)
    assert fp.rhythm_stability > 0.5


def test_noise_has_no_steady_rhythm() -> None:
    assert analyze(synth.noise(16)).rhythm_stability < 0.2


def test_no_tempo_in_less_than_four_seconds() -> None:
    almost = analyze(synth.clicks(120, 4)[: 4 * RATE - 1])
    assert {"tempo_bpm", "rhythm_stability"} <= almost.undefined
    assert almost.tempo_bpm == 0
    assert "tempo_bpm" not in analyze(synth.clicks(120, 4)).undefined


def test_silence_ratio_counts_quiet_frames() -> None:
    noise = synth.noise(20)
    noise[5 * RATE :] *= np.float32(10 ** (-43 / 20))
    assert analyze(noise).silence_ratio == pytest.approx(0.75, abs=0.005)
    noise = synth.noise(20)
    noise[5 * RATE :] *= np.float32(10 ** (-37 / 20))
    assert analyze(noise).silence_ratio == 0


# --- timbre, pitch, harmony --------------------------------------------------------------------------


@pytest.mark.parametrize("frequency_hz", [500, 1000, 3000, 6000])
def test_spectral_shape_of_a_sine(frequency_hz: float) -> None:
    fp = analyze(synth.tone(frequency_hz, 4))
    assert fp.spectral_centroid == pytest.approx(frequency_hz / 8000, abs=0.002)
    assert fp.spectral_rolloff == pytest.approx(frequency_hz / 10_000, abs=0.002)
    assert fp.spectral_flatness < 0.001


def test_spectral_shape_of_white_noise() -> None:
    """Of Rayleigh-distributed magnitudes; geometric over arithmetic mean is 0.847 for a whole band."""
    fp = analyze(synth.noise(10, 22050), 22050)
    assert fp.spectral_centroid == pytest.approx(5512 / 8000, abs=0.005)
    assert fp.spectral_rolloff == pytest.approx(0.85 * 11025 / 10_000, abs=0.005)
    assert fp.spectral_flatness == pytest.approx(0.8455, abs=0.005)


def test_centroid_and_rolloff_are_clipped() -> None:
    fp = analyze(synth.tone(10_500, 3))
    assert fp.spectral_centroid == 1
    assert fp.spectral_rolloff == 1


def test_harmonic_ratio_separates_tones_from_clicks() -> None:
    assert analyze(synth.tone(1000, 6)).harmonic_ratio > 0.95
    assert analyze(synth.clicks(100, 6)).harmonic_ratio < 0.05
    assert analyze(synth.noise(6)).harmonic_ratio == pytest.approx(0.5, abs=0.05)


def test_pitch_stability() -> None:
    assert analyze(synth.tone(440, 5)).pitch_stability == 1
    assert analyze(synth.noise(8)).pitch_stability < 0.4
    t = synth.times(8, RATE)
    octaves_per_second = 2.0  # 2400 cents a second: 56 per frame
    sweep = np.sin(
        2 * np.pi * 100 * (2 ** (octaves_per_second * (t % 2)) - 1) / (octaves_per_second * np.log(2))
    )
    assert analyze(sweep.astype(np.float32)).pitch_stability < 0.2


def test_chroma_energy_counts_pitch_classes() -> None:
    """A pure pitch class is 1/12 but for what leaks into its neighbours; twelve sines an equal share each."""
    one, three, twelve = (
        analyze(synth.chord(notes, 5)).chroma_energy for notes in ((69,), (72, 76, 79), tuple(range(72, 84)))
    )
    assert 1 / 12 < one < 0.13
    assert 3 / 12 < three < 0.34
    assert twelve > 0.7


# --- stereo ------------------------------------------------------------------------------------------


def stereo(left: Samples, right: Samples) -> Fingerprint:
    return analyze(np.stack([left, right], axis=1))


def test_mono_has_no_width() -> None:
    sine = synth.tone(1000, 2)
    for fp in (analyze(sine), stereo(sine, sine)):
        assert fp.stereo_width == 0
        assert fp.phase_correlation == pytest.approx(1, abs=1e-9)


def test_antiphase_is_all_side() -> None:
    noise = synth.noise(5)
    fp = stereo(noise, -noise)
    assert fp.stereo_width == 1
    assert fp.phase_correlation == pytest.approx(-1, abs=1e-9)
    assert fp.lufs == pytest.approx(stereo(noise, noise).lufs)
    assert fp.silence_ratio == 1  # the middle is silent
    assert fp.undefined == frozenset(NAMES) - {"lufs", "silence_ratio", "stereo_width", "phase_correlation"}


def test_one_sided() -> None:
    fp = stereo(synth.noise(5), np.zeros(5 * RATE, np.float32))
    assert fp.stereo_width == pytest.approx(0.5, abs=1e-9)
    assert fp.undefined == {"phase_correlation"}
    assert fp.phase_correlation == 1


def test_independent_channels() -> None:
    fp = stereo(synth.noise(20, seed=1), synth.noise(20, seed=2))
    assert fp.stereo_width == pytest.approx(0.5, abs=0.005)
    assert fp.phase_correlation == pytest.approx(0, abs=0.005)


def test_correlation_ignores_constant_offsets() -> None:
    noise = synth.noise(5)
    assert stereo(noise + np.float32(0.5), -noise).phase_correlation == pytest.approx(-1, abs=1e-6)


@pytest.mark.parametrize(
    ("channels", "channel", "left", "right"),
    [
        (6, 0, 1, 0),
        (6, 1, 0, 1),
        (6, 2, 0.5**0.5, 0.5**0.5),
        (6, 3, 0, 0),
        (6, 4, 0.5**0.5, 0),
        (6, 5, 0, 0.5**0.5),
        (4, 3, 0.5**0.5, 0.5**0.5),
        (8, 6, 0.5**0.5, 0),
        (8, 5, 0, 0.5**0.5),
    ],
)
def test_downmix(channels: int, channel: int, left: float, right: float) -> None:
    """A channel next to a sine of another frequency on the left: their shares tell the channel's gains."""
    samples = np.zeros((5 * 48000, channels), np.float32)
    samples[:, 0] += synth.tone(100, 5, 48000, peak=0.5)
    samples[:, channel] += synth.tone(1000, 5, 48000, peak=0.5)
    fp = analyze(samples, 48000)
    mid = (left + right) ** 2
    assert fp.mid_pct == pytest.approx(100 * mid / (1 + mid), abs=0.05)
    power = np.array([[1 + left**2, left * right], [left * right, right**2]])  # covariance of L and R
    middle, side = power.sum(), power[0, 0] + power[1, 1] - 2 * power[0, 1]
    assert fp.stereo_width == pytest.approx(side / (middle + side), abs=0.001)


# --- what cannot be measured -------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8000, 44100, 192000])
@pytest.mark.parametrize("seconds", [0.01, 1, 6])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_silence(rate: int, seconds: float, channels: int) -> None:
    fp = analyze(np.zeros((round(seconds * rate), channels), np.float32), rate)
    assert dict(fp) == {d.name: d.undefined for d in DIMENSIONS}
    assert fp.undefined == frozenset(NAMES) - {"silence_ratio"}


@pytest.mark.parametrize("rate", [8000, 44100, 192000])
def test_one_sample(rate: int) -> None:
    fp = analyze(np.array([0.5], np.float32), rate)
    assert fp.metadata.samples_decoded == 1
    assert fp.crest_db == pytest.approx(0, abs=1e-6)
    assert fp.peak_consistency == 1
    assert fp.stereo_width == 0
    assert {"tempo_bpm", "rhythm_stability", "loudness_variation_std", "phase_correlation"} <= fp.undefined
    assert np.isfinite(fp.vector).all()


def test_constant_signal() -> None:
    fp = analyze(np.full((5 * RATE, 2), 0.25, np.float32))
    assert fp.undefined == {"tempo_bpm", "rhythm_stability", "phase_correlation"}
    assert fp.crest_db == pytest.approx(0, abs=1e-6)
    assert fp.stereo_width == 0


@pytest.mark.parametrize("style", list(synth.STYLES))
def test_every_value_lies_in_its_range(style: str) -> None:
    fp = analyze(synth.song(style, 8))
    assert not fp.undefined
    for d in DIMENSIONS:
        assert d.minimum <= fp[d.name] <= d.maximum, d.name
