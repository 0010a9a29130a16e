"""The core's vector kernels against plain twins: NumPy, SciPy and librosa on the same input."""

from __future__ import annotations

from typing import Any

import librosa
import numpy as np
import pytest
import scipy.signal
import soxr
from numpy.typing import NDArray
from support import synth

from auralis_fp._native import core

Array = NDArray[Any]
assert core is not None
kernels: Any = core.testing


def noise(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def test_log2_is_right_over_the_whole_range_of_normal_floats() -> None:
    exponents = np.random.default_rng(1).uniform(-125, 127, 80_000)
    x = np.exp2(exponents).astype(np.float32).reshape(-1, 8)
    expected = np.log2(x.astype(np.float64))
    # 2e-6 of 127 octaves is float's own resolution there; near 0 the error is absolute.
    np.testing.assert_allclose(kernels.log2(x), expected, rtol=2e-7, atol=5e-7)


def test_log2_of_powers_of_two_and_of_the_seam_between_exponents() -> None:
    powers = np.exp2(np.arange(-120, 120)).astype(np.float32).reshape(-1, 8)
    np.testing.assert_array_equal(kernels.log2(powers), np.log2(powers))
    seam = np.float32(np.sqrt(0.5)) * np.linspace(1 - 1e-5, 1 + 1e-5, 8, dtype=np.float32).reshape(1, 8)
    np.testing.assert_allclose(kernels.log2(seam), np.log2(seam.astype(np.float64)), atol=2e-7)


def test_decibels() -> None:
    x = np.exp2(np.random.default_rng(2).uniform(-60, 60, 800)).astype(np.float32).reshape(-1, 8)
    np.testing.assert_allclose(kernels.decibels(x), 10 * np.log10(x.astype(np.float64)), atol=3e-5)


def test_shuffles_move_every_value_where_it_belongs() -> None:
    block = np.arange(64, dtype=np.float32).reshape(8, 8)
    np.testing.assert_array_equal(kernels.transpose(block), block.T)
    np.testing.assert_array_equal(kernels.reverse(block), block[:, ::-1])


def test_values_of_16_bits_are_floats_rounded_to_a_thousandth_in_the_same_order() -> None:
    ascending = np.sort(np.exp2(np.random.default_rng(3).uniform(-90, 34, 1600))).astype(np.float32)
    low, high = ascending[:800].reshape(-1, 8), ascending[800:].reshape(-1, 8)
    shorts = kernels.shorten(low, high)
    assert shorts.shape == (100, 16)
    in_order = np.concatenate([shorts[:, :8].ravel(), shorts[:, 8:].ravel()])
    assert (np.diff(in_order.astype(int)) >= 0).all()
    first, last = kernels.widen(shorts)
    np.testing.assert_allclose(np.hstack([first[:, :4], last[:, :4]]), low, rtol=2**-10)
    np.testing.assert_allclose(np.hstack([first[:, 4:], last[:, 4:]]), high, rtol=2**-10)


def test_values_of_16_bits_keep_zero_and_powers_of_two() -> None:
    exact = np.concatenate([np.zeros(8), np.exp2(np.arange(-85, 35))]).astype(np.float32).reshape(-1, 8)
    first, last = kernels.widen(kernels.shorten(exact, exact))
    np.testing.assert_array_equal(np.hstack([first[:, :4], last[:, :4]]), exact)


def test_transpose_of_values_of_16_bits() -> None:
    block = np.arange(256, dtype=np.uint16).reshape(16, 16) * 257
    np.testing.assert_array_equal(kernels.transpose_short(block), block.T)


@pytest.mark.parametrize("outputs", [1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 1025])
@pytest.mark.parametrize("kind", ["noise", "ties", "rising", "falling", "zeros", "spikes"])
def test_sliding_median_equals_sorting_every_window(outputs: int, kind: str) -> None:
    shape = outputs + 30, 16
    noise = np.random.default_rng(4).integers(0, 1 << 16, shape)
    order = np.arange(shape[0] * shape[1]).reshape(shape)
    x = {
        "noise": noise,
        "ties": noise % 3,
        "rising": order,
        "falling": 65535 - order,
        "zeros": np.zeros(shape),
        "spikes": np.where(noise > 60000, 65535, 0),
    }[kind].astype(np.uint16)
    windows = np.lib.stride_tricks.sliding_window_view(x, 31, axis=0)
    np.testing.assert_array_equal(kernels.median_31(x), np.median(windows, axis=-1))


@pytest.mark.parametrize("position", range(31))
def test_sliding_median_gives_every_place_in_the_window_its_weight(position: int) -> None:
    """Windows of distinct values whose median is at each place in turn."""
    order = np.roll(np.arange(31), position - 15)
    x = np.repeat(order[:, np.newaxis], 16, axis=1)
    assert kernels.median_31(x)[0].tolist() == [15] * 16


@pytest.mark.parametrize("n", [16, 32, 64, 512, 1024, 2048, 4096])
def test_real_fft_and_its_inverse(n: int) -> None:
    x = noise(n, 8, seed=n)
    re, im = kernels.real_fft(x)
    expected = np.fft.rfft(x.astype(np.float64), axis=0)
    scale = np.sqrt(n)
    np.testing.assert_allclose(re, expected.real, atol=2e-6 * scale)
    np.testing.assert_allclose(im, expected.imag, atol=2e-6 * scale)
    np.testing.assert_allclose(kernels.inverse_real_fft(re, im) / n, x, atol=3e-6)


@pytest.mark.parametrize("rate", [22050, 44100, 48000, 8000])
@pytest.mark.parametrize("n", [1, 2, 191, 192, 193, 3711, 3712, 7424, 7425, 7616, 7617, 50_000])
def test_resampling_is_that_of_soxr(rate: int, n: int) -> None:
    x = noise(1, n, seed=n).ravel()
    expected = soxr.resample(x, rate, 22050, quality="HQ")
    y = kernels.resample(x, rate, 4096)
    assert len(y) == len(expected)
    np.testing.assert_allclose(y, expected, atol=3e-6)


@pytest.mark.parametrize("piece", [1000, 4096, 7424, 1 << 20])
def test_resampling_in_pieces_gives_the_same_bits(piece: int) -> None:
    x = noise(1, 60_000).ravel()
    assert kernels.resample(x, 44100, piece) == kernels.resample(x, 44100, 333)


def test_halving_the_rate_keeps_what_is_heard_and_nothing_else() -> None:
    t = np.arange(1 << 17) / 44100
    for hz, gain in ((30, 1), (5000, 1), (10_000, 1), (11_100, 0), (15_000, 0), (21_000, 0)):
        y = np.array(kernels.resample(np.sin(2 * np.pi * hz * t).astype(np.float32), 44100, 4096))[1000:-1000]
        assert np.sqrt(2 * np.mean(y**2)) == pytest.approx(gain, abs=1e-6, rel=1e-3), hz


@pytest.mark.parametrize("n", [1024, 2048, 4096, 8192, 16384, 32768, 65536, 262144])
def test_power_spectrum_sum(n: int) -> None:
    pairs = noise(2, 2, n, seed=n)
    spectra = np.fft.rfft(pairs.astype(np.float64) * scipy.signal.get_window("hann", n))
    expected = (np.abs(spectra) ** 2).sum(axis=(0, 1))
    power = np.array(kernels.power_spectrum_sum(pairs))
    np.testing.assert_allclose(power, expected, rtol=1e-3, atol=1e-6 * n)
    assert power.sum() == pytest.approx(expected.sum(), rel=1e-6)


def test_power_spectrum_sum_of_many() -> None:
    pair = np.stack([noise(1024), np.zeros(1024, np.float32)])[np.newaxis]
    once = np.array(kernels.power_spectrum_sum(pair))
    often = np.array(kernels.power_spectrum_sum(np.repeat(pair, 200, axis=0)))  # more than floats sum
    np.testing.assert_allclose(often, 200 * once, rtol=1e-5)


def test_filter_banks_equal_librosas() -> None:
    power = noise(1025, 8) ** 2
    mel = librosa.filters.mel(sr=22050, n_fft=2048)
    np.testing.assert_allclose(kernels.mel(power), mel @ power, rtol=2e-5, atol=1e-9)
    chroma = librosa.filters.chroma(sr=22050, n_fft=2048, tuning=0.0)
    ours = np.roll(kernels.chroma(power), -3, axis=0)  # librosa counts classes from C, the kernel from A
    np.testing.assert_allclose(ours, chroma @ power, rtol=2e-5, atol=1e-9)


@pytest.mark.parametrize("piece", [100, 4096])
@pytest.mark.parametrize("seconds", [0.001, 0.05, 1.0, 10.0])
def test_yin_periods_equal_librosas(seconds: float, piece: int) -> None:
    y = synth.song("house", seconds, 22050).mean(axis=1, dtype=np.float32)
    f0 = librosa.yin(y, fmin=65.406, fmax=2093.0, sr=22050, frame_length=2048, hop_length=512)
    periods = np.array(kernels.yin_periods(y, piece))
    assert len(periods) == len(f0)
    active = librosa.feature.rms(y=y, frame_length=2048, hop_length=512)[0] > 1e-3 * np.abs(y).max()
    # Where two lags are equally good, rounding decides; that is rare.
    close = np.abs(periods * f0 / 22050 - 1)[active] < 1e-3
    assert close.mean() >= 0.995


@pytest.mark.parametrize("piece", [100, 4096])
@pytest.mark.parametrize("seconds", [0.001, 0.05, 1.0, 10.0])
def test_onset_envelope_equals_librosas(seconds: float, piece: int) -> None:
    y = synth.song("house", seconds, 22050).mean(axis=1, dtype=np.float32)
    y[: len(y) // 2] *= np.float32(0.03)  # so that the floor rises
    mel = librosa.feature.melspectrogram(y=y, sr=22050, n_fft=2048, hop_length=512)
    db = 10 * np.log10(np.maximum(mel, 1e-12))
    floor = np.maximum.accumulate(db.max(axis=0)) - 65
    above = np.maximum(db, np.append(floor[1:], floor[-1]))
    expected = librosa.onset.onset_strength(S=db, ref=above, sr=22050)
    np.testing.assert_allclose(kernels.onset_envelope(y, piece), expected, atol=2e-4)


@pytest.mark.parametrize(("above_db", "heard"), [(-0.1, False), (0.1, True)])
def test_nothing_rises_before_a_recording_is_heard(above_db: float, heard: bool) -> None:
    """What counts as heard begins 80 dB under a full-scale 1 kHz sine."""
    sine = np.zeros(44100, np.float32)
    sine[22050:] = 10 ** ((above_db - 80) / 20) * np.sin(2 * np.pi * 1000 * np.arange(22050) / 22050)
    assert np.any(kernels.onset_envelope(sine, 4096)) == heard
