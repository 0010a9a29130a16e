"""The definition of the 25 dimensions as runnable Python, with tools that anyone can check them with.

librosa, pyloudnorm, SciPy and soxr measure; this file only says what is measured. It is the yardstick in the
tests and the fallback where there is no compiled core (extra ``[reference]``), holds a whole recording in
memory and takes about a tenth of its playing time. A dimension that cannot be measured is NaN here, and gets
its undefined value in :class:`auralis_fp.Fingerprint`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from auralis_fp.schema import NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DEFAULT_LAYOUTS", "LARGEST_SAMPLE", "Array", "Check", "Layout", "Values", "measure"]

Array: TypeAlias = "NDArray[Any]"
Values: TypeAlias = dict[str, float]
Layout: TypeAlias = list[str]  # FFmpeg's channel names, in the order of the samples
Check: TypeAlias = Callable[[], None]  # raises when the caller's time is over or the caller has cancelled

NAN: Final = float("nan")
RATE_HZ: Final = 22050  # of `y`, on which everything that depends on time-frequency resolution is measured
FFT: Final = 2048
HOP: Final = 512
FRAME_RATE_HZ: Final = RATE_HZ / HOP
BAND_EDGES_HZ: Final = (20, 60, 250, 500, 2000, 4000, 6000, 20000)  # of dimensions 1-7
LARGEST_SAMPLE: Final = 1e6  # beyond it, a sum of squares says more about one sample than about the music
PULSE: Final = np.array([1, 2, 4])  # multiples of a beat's period, and of its frequency

DEFAULT_LAYOUTS: Final = {  # FFmpeg's, by number of channels
    1: ["FC"],
    2: ["FL", "FR"],
    3: ["FL", "FR", "LFE"],
    4: ["FL", "FR", "FC", "BC"],
    5: ["FL", "FR", "FC", "BL", "BR"],
    6: ["FL", "FR", "FC", "LFE", "BL", "BR"],
    7: ["FL", "FR", "FC", "LFE", "BC", "SL", "SR"],
    8: ["FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"],
}


def measure(x: Array, sr: int, layout: Layout, check: Check) -> Values:
    """Return the 25 values of samples of shape (n, channels): the algorithm at a glance."""
    import librosa
    import soxr

    duration_s = len(x) / sr
    left, right = downmix(x, layout)
    m = (left + right) / 2
    y = m if sr == RATE_HZ else soxr.resample(m, sr, RATE_HZ, quality="HQ")
    y = y if len(y) else np.zeros(1, np.float32)  # a few samples at a high rate: one frame of nothing
    check()
    with warnings.catch_warnings():  # recordings shorter than a frame are fine
        warnings.filterwarnings("ignore", message="n_fft=")
        stft = librosa.stft(y, n_fft=FFT, hop_length=HOP)
    magnitude = np.abs(stft)
    rms = librosa.feature.rms(y=y, frame_length=FFT, hop_length=HOP)[0]
    active = rms > 10 ** (-60 / 20) * rms.max()
    onset = onset_envelope(magnitude)
    families: tuple[Callable[[], Values], ...] = (
        lambda: band_balance(m, sr),
        lambda: loudness(x, sr, layout),
        lambda: rhythm(onset, duration_s),
        lambda: transients_and_silence(onset, duration_s, rms),
        lambda: spectral_shape(magnitude, active),
        lambda: harmonic_ratio(stft),
        lambda: pitch_stability(y, active),
        lambda: dynamics(m, sr),
        lambda: stereo(left, right, is_mono=x.shape[1] == 1),
    )
    values: Values = {}
    for family in families:
        check()
        values |= family()
    check()
    return values


def downmix(x: Array, layout: Layout) -> tuple[Array, Array]:
    """Left and right. More than two channels: ITU-R BS.775, centre and surrounds at √½, LFE left out."""
    if x.shape[1] <= 2:
        return x[:, 0], x[:, -1]
    left, right = np.zeros((2, len(x)), np.float32)
    for channel, role in zip(x.T, layout, strict=True):
        gain = np.float32(1 if role in ("FL", "FR", "FLC", "FRC") else np.sqrt(0.5))
        if role in ("FL", "FLC", "FC", "SL", "BL", "BC"):
            left += gain * channel
        if role in ("FR", "FRC", "FC", "SR", "BR", "BC"):
            right += gain * channel
    return left, right


# Spectrum, loudness, level ------------------------------------------------------------------------


def band_balance(m: Array, sr: int) -> Values:
    """Dimensions 1-7 and 10: where the energy lies, by an averaged spectrum of 2.7 Hz resolution."""
    import scipy.signal

    n = 2 ** round(np.log2(sr / 2.7))
    padded = np.pad(m.astype(np.float64), (n // 2, n // 2 + -len(m) % (n // 2)))
    frequency_hz, power = scipy.signal.welch(padded, fs=sr, window="hann", nperseg=n, detrend=False)

    def energy(low_hz: float, high_hz: float) -> float:
        return float(power[(frequency_hz >= low_hz) & (frequency_hz < high_hz)].sum())

    bands = [energy(*edges) for edges in pairwise(BAND_EDGES_HZ)]
    shares = {name: 100 * ratio(band, sum(bands)) for name, band in zip(NAMES, bands, strict=False)}
    return shares | {"bass_mid_ratio": float(np.clip(decibel(energy(60, 250), energy(250, 2000)), -40, 40))}


def loudness(x: Array, sr: int, layout: Layout) -> Values:
    """Dimension 8: integrated loudness, ITU-R BS.1770-5 annex 1, with pyloudnorm's filters."""
    import pyloudnorm

    filters = pyloudnorm.Meter(sr, filter_class="DeMan")._filters  # its documented way to the filters
    if filters["high_shelf_DeMan"].fc >= sr / 2:
        del filters["high_shelf_DeMan"]  # the shelf lies beyond such a recording's spectrum
    # 400 ms blocks every 100 ms, whole hops only; a shorter recording is one ungated block.
    hops = np.arange(len(x) * 10 // sr + 1) * sr // 10
    gated = len(hops) > 4
    start, end = (hops[:-4], hops[4:]) if gated else (np.array([0]), np.array([len(x)]))
    power = np.zeros(len(start))
    for channel, weight in zip(x.T, loudness_weights(layout), strict=True):
        weighted = channel.astype(np.float64)
        for stage in filters.values():
            weighted = stage.apply_filter(weighted)
        energy = np.append(0.0, np.cumsum(weighted**2))
        power += weight * (energy[end] - energy[start]) / (end - start)
    power = power[-0.691 + decibel(power, 1) > -70]
    if gated and len(power):
        power = power[decibel(power, power.mean()) > -10]
    return {"lufs": -0.691 + float(decibel(power.mean(), 1)) if len(power) else NAN}


def loudness_weights(layout: Layout) -> list[float]:
    """BS.1770-5: 1.41 for channels 60° to 120° off the front, where a back pair without sides stands too."""
    surround = ("SL", "SR") if "SL" in layout else ("BL", "BR")
    return [0.0 if role == "LFE" else 1.41 if role in surround else 1.0 for role in layout]


# Rhythm -------------------------------------------------------------------------------------------


def onset_envelope(magnitude: Array) -> Array:
    """Mean rise per frame of the mel spectrogram in dB, from 65 dB under the loudest band so far."""
    import librosa

    def mel(a: Array) -> Array:
        return np.asarray(librosa.feature.melspectrogram(S=a**2, sr=RATE_HZ, n_mels=128, fmax=RATE_HZ / 2))

    if magnitude.shape[1] == 1:
        return np.zeros(1, np.float32)  # one frame cannot rise
    power = mel(magnitude)
    sine = np.sin(2 * np.pi * 1000 / RATE_HZ * np.arange(FFT))
    silent = 1e-8 * mel(np.abs(librosa.stft(sine, n_fft=FFT, center=False))).max()
    loudest = np.maximum.accumulate(power.max(axis=0))
    floor_db = np.where(loudest > silent, decibel(loudest, 1) - 65, 1000)  # above 1000 dB, nothing rises
    db = decibel(np.maximum(power, 1e-12), 1)
    before = np.maximum(db, np.append(floor_db[1:], floor_db[-1]))  # the floor of the frame that follows
    return np.asarray(librosa.onset.onset_strength(S=db, ref=before, sr=RATE_HZ))


def rhythm(onset: Array, duration_s: float) -> Values:
    """Dimensions 11 and 12: autocorrelation of the onset envelope, times its spectrum."""
    window = min(round(16 * FRAME_RATE_HZ), len(onset))
    starts = range(0, len(onset) - window + 1, round(4 * FRAME_RATE_HZ))
    x = np.array([onset[start : start + window] for start in starts], np.float64)
    x -= x.mean(axis=1, keepdims=True)
    x = x[x.any(axis=1)]
    if duration_s < 4 or len(x) == 0:
        return {"tempo_bpm": NAN, "rhythm_stability": NAN}
    tempi = np.geomspace(40, 240, 2000)
    r = np.array([autocorrelation(one) for one in x])
    total = r.sum(axis=0) / r[:, 0].sum()
    regular = np.nansum([at_lag(total, h * 60 * FRAME_RATE_HZ / tempi) for h in (1, 2, 3, 4)], axis=0)
    spectrum = np.abs(np.fft.rfft(x * np.hanning(window), 8192)).sum(axis=0)
    frequency_hz = np.fft.rfftfreq(8192, 1 / FRAME_RATE_HZ)
    strong = np.sum([np.interp(h * tempi / 60, frequency_hz, spectrum) for h in PULSE], axis=0)
    score = np.maximum(0, regular) * strong * np.exp(-0.5 * np.log2(tempi / 120) ** 2)
    if not score.any():
        return {"tempo_bpm": NAN, "rhythm_stability": NAN}
    best = tempi[score.argmax()]
    regularity = [np.nanmean(at_lag(one / one[0], PULSE * 60 * FRAME_RATE_HZ / best)) for one in r]
    return {
        "tempo_bpm": float(best if best <= 200 else best / 2),
        "rhythm_stability": float(np.clip(np.mean(regularity), 0, 1)),
    }


def autocorrelation(x: Array) -> Array:
    """``sum x[t] x[t+k] * W / (W - k)``, for every lag k."""
    w = len(x)
    r: Array = np.correlate(x, x, mode="full")[w - 1 :] * w / (w - np.arange(w))
    return r


def at_lag(r: Array, lag: Array) -> Array:
    """``r`` at fractional lags by Catmull-Rom interpolation; NaN at or beyond ``0.75 W - 2``."""
    in_range = lag < 0.75 * len(r) - 2
    whole = np.where(in_range, np.floor(lag), 1).astype(int)
    t = lag - whole
    p0, p1, p2, p3 = (r[whole + offset] for offset in (-1, 0, 1, 2))
    cubic = p1 + t / 2 * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))
    return np.where(in_range, cubic, NAN)


def transients_and_silence(onset: Array, duration_s: float, rms: Array) -> Values:
    """Dimensions 13 and 14: onsets per second / 10, and the share of frames 40 dB under the loudest."""
    import librosa

    if not rms.any():
        return {"transient_density": NAN, "silence_ratio": 1.0}
    onsets = librosa.onset.onset_detect(onset_envelope=onset, sr=RATE_HZ)
    return {
        "transient_density": min(len(onsets) / duration_s / 10, 1.0),
        "silence_ratio": float(np.mean(rms < 10 ** (-40 / 20) * rms.max())),
    }


# Timbre, harmony, pitch ---------------------------------------------------------------------------


def spectral_shape(magnitude: Array, active: Array) -> Values:
    """Dimensions 15-17 and 20, over the active frames."""
    from librosa import feature

    names = ("spectral_centroid", "spectral_rolloff", "spectral_flatness", "chroma_energy")
    if not active.any():
        return dict.fromkeys(names, NAN)
    a = magnitude[:, active]
    centroid = np.median(feature.spectral_centroid(S=a, sr=RATE_HZ)) / 8000
    rolloff = np.median(feature.spectral_rolloff(S=a, sr=RATE_HZ, roll_percent=0.85)) / 10_000
    flatness = np.median(feature.spectral_flatness(S=a, power=1))
    chroma = np.mean(feature.chroma_stft(S=a**2, sr=RATE_HZ, tuning=0.0), dtype=np.float64)
    return dict(zip(names, np.clip([centroid, rolloff, flatness, chroma], 0, 1).tolist(), strict=True))


def harmonic_ratio(stft: Array) -> Values:
    """Dimension 18: amplitude of the harmonic part over that of both parts."""
    import librosa

    two_sided = np.array([1] + [2] * (FFT // 2 - 1) + [1])[
        :, np.newaxis
    ]  # DC and Nyquist have no mirror image
    padded = np.pad(stft, ((0, 0), (15, 15)), mode="symmetric")  # SciPy's own mirror errs for two frames
    parts = [part[:, 15:-15] for part in librosa.decompose.hpss(padded)]
    h, p = (float(np.sqrt(np.sum(two_sided * np.square(np.abs(part), dtype=np.float64)))) for part in parts)
    return {"harmonic_ratio": ratio(h, h + p)}


def pitch_stability(y: Array, active: Array) -> Values:
    """Dimension 19: share of neighbouring active frames whose pitches lie within 50 cents."""
    import librosa

    pairs = active[:-1] & active[1:]
    if not pairs.any():
        return {"pitch_stability": NAN}
    pitch_hz = librosa.yin(y, fmin=65.406, fmax=2093.0, sr=RATE_HZ, frame_length=FFT, hop_length=HOP)
    cents = 1200 * np.abs(np.diff(np.log2(pitch_hz)))
    return {"pitch_stability": float(np.mean(cents[pairs] < 50))}


# Slow dynamics, stereo ----------------------------------------------------------------------------


def dynamics(m: Array, sr: int) -> Values:
    """Dimensions 9 and 21-23: crest factor, and how peak and RMS of half-second blocks vary."""

    def peak_and_rms(block: Array) -> tuple[float, float]:
        return float(np.abs(block).max()), float(np.sqrt(np.mean(np.square(block, dtype=np.float64))))

    blocks = np.lib.stride_tricks.sliding_window_view(m, min(int(0.5 * sr), len(m)))[:: int(0.25 * sr)]
    peak, rms = np.array([peak_and_rms(block) for block in blocks]).T
    active = rms > 10 ** (-60 / 20) * rms.max()
    spread = active.sum() >= 2
    return {
        "crest_db": 2 * float(decibel(*peak_and_rms(m))),
        "dynamic_range_variation": min(np.std(20 * np.log10(peak[active] / rms[active])) / 6, 1)
        if spread
        else NAN,
        "loudness_variation_std": min(np.std(20 * np.log10(rms[active])), 10) if spread else NAN,
        "peak_consistency": 1 / (1 + ratio(float(peak.std()), float(peak.mean()))),
    }


def stereo(left: Array, right: Array, *, is_mono: bool) -> Values:
    """Dimensions 24 and 25: side energy, and correlation of the two channels."""
    left, right = left.astype(np.float64), right.astype(np.float64)
    mid, side = (float(np.sum(np.square(one / 2))) for one in (left + right, left - right))
    constant = np.ptp(left) == 0 or np.ptp(right) == 0
    correlation = NAN if constant else 1.0 if is_mono else float(np.corrcoef(left, right)[0, 1])
    return {"stereo_width": ratio(side, mid + side), "phase_correlation": correlation}


def ratio(part: float, whole: float) -> float:
    return part / whole if whole else NAN


def decibel(power: Any, reference: Any) -> Any:
    """``10 log10(power / reference)``; NaN where both are 0, infinite where one is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return 10 * np.log10(np.divide(power, reference))
