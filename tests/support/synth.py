"""A small synthesiser: signals whose tempo, key, level and structure are known by construction.

Everything is deterministic: the same arguments give the same samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float32]
Signal: TypeAlias = NDArray[np.float64]

MAJOR: Final = (0, 2, 4, 5, 7, 9, 11)
PROGRESSION: Final = (0, 5, 3, 4)  # I vi IV V, as degrees of the scale


# --- elementary signals: mono unless said otherwise --------------------------------------------------


def times(seconds: float, rate: int) -> Signal:
    return np.arange(round(seconds * rate)) / rate


def tone(frequency_hz: float, seconds: float, rate: int = 44100, *, peak: float = 1.0) -> Samples:
    """A sine that starts at phase 0."""
    return np.asarray(peak * np.sin(2 * np.pi * frequency_hz * times(seconds, rate)), np.float32)


def clicks(bpm: float, seconds: float, rate: int = 44100) -> Samples:
    """5 ms bursts of 2 kHz, one per beat."""
    signal = np.zeros(round(seconds * rate))
    t = times(0.005, rate)
    burst = 0.8 * np.sin(2 * np.pi * min(2000.0, 0.3 * rate) * t) * np.exp(-t / 0.0015)
    for beat in np.arange(0, seconds, 60 / bpm):
        _add(signal, burst, round(beat * rate))
    return signal.astype(np.float32)


def noise(seconds: float, rate: int = 44100, *, seed: int = 0, rms: float = 0.1) -> Samples:
    """White Gaussian noise."""
    return np.asarray(rms * np.random.default_rng(seed).standard_normal(round(seconds * rate)), np.float32)


def pink_noise(seconds: float, rate: int = 44100, *, seed: int = 0, rms: float = 0.1) -> Samples:
    """Noise of equal power per octave from 10 Hz up."""
    n = round(seconds * rate)
    frequency = np.fft.rfftfreq(n, 1 / rate)
    gain = np.where(frequency >= 10, 1 / np.sqrt(np.maximum(frequency, 10)), 0)
    pink = np.fft.irfft(np.fft.rfft(np.random.default_rng(seed).standard_normal(n)) * gain, n)
    return np.asarray(pink * rms / np.sqrt(np.mean(pink**2)), np.float32)


def chord(midi_notes: tuple[int, ...], seconds: float, rate: int = 44100, *, peak: float = 0.8) -> Samples:
    """Sines of equal level, one per note."""
    t = times(seconds, rate)
    mix = np.sum([np.sin(2 * np.pi * note_hz(note) * t) for note in midi_notes], axis=0)
    return np.asarray(peak * mix / len(midi_notes), np.float32)


def note_hz(midi: float) -> float:
    return float(440 * 2 ** ((midi - 69) / 12))


def to_int16(samples: Samples) -> NDArray[np.int16]:
    return np.clip(np.round(samples * 32768.0), -32768, 32767).astype(np.int16)


# --- EBU Tech 3341, table 1: signals 1 to 6 ----------------------------------------------------------

EBU_RATE: Final = 48000
EBU_EXPECTED_LUFS: Final = -23.0
_EBU_STEREO: Final[dict[int, tuple[tuple[float, float], ...]]] = {  # (dBFS peak, seconds), both channels
    1: ((-23.0, 20.0),),
    2: ((-33.0, 20.0),),
    3: ((-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)),
    4: ((-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)),
    5: ((-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)),
}
_EBU_SURROUND_DB: Final = (-28.0, -28.0, -24.0, -30.0, -30.0)  # signal 6: L R C Ls Rs


def ebu(number: int) -> Samples:
    """EBU Tech 3341 signal 1 to 6 at 48 kHz, shape (n, 2) or (n, 5)."""
    if number == 6:
        sine = tone(1000, 20, EBU_RATE)
        return np.stack([sine * np.float32(10 ** (db / 20)) for db in _EBU_SURROUND_DB], axis=1)
    steps = [np.full(round(seconds * EBU_RATE), 10 ** (db / 20)) for db, seconds in _EBU_STEREO[number]]
    level = np.concatenate(steps)
    sine = (level * tone(1000, len(level) / EBU_RATE, EBU_RATE)).astype(np.float32)
    return np.stack([sine, sine], axis=1)


# --- music -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Style:
    """Which sixteenth notes of a bar each instrument plays, and how the chords sound."""

    kick: tuple[int, ...] = ()
    snare: tuple[int, ...] = ()
    hat: tuple[int, ...] = ()
    bass: tuple[int, ...] = ()
    sixteenths: int = 16  # per bar
    chord_gain: float = 0.10
    brightness: float = 1.5  # exponent at which the harmonics of chords fall off
    attack_s: float = 0.02


STYLES: Final = {
    "house": Style(
        kick=(0, 4, 8, 12), snare=(4, 12), hat=(2, 6, 10, 14), bass=(2, 6, 10, 14), brightness=1.0
    ),
    "rock": Style(kick=(0, 6, 8), snare=(4, 12), hat=(0, 2, 4, 6, 8, 10, 12, 14), bass=(0, 4, 6, 8, 12)),
    "breaks": Style(
        kick=(0, 10), snare=(4, 7, 12, 15), hat=tuple(range(16)), bass=(0, 3, 10), chord_gain=0.05
    ),
    "waltz": Style(kick=(0,), snare=(), hat=(4, 8), bass=(0,), sixteenths=12, attack_s=0.005),
    "ballad": Style(kick=(0,), snare=(8,), bass=(0, 8), chord_gain=0.16, attack_s=0.15),
    "ambient": Style(chord_gain=0.2, brightness=2.5, attack_s=0.6),
}


def song(
    style: str, seconds: float, rate: int = 44100, *, bpm: float = 120, key: int = 48, seed: int = 0
) -> Samples:
    """Stereo music, shape (n, 2): a steady tempo, a I-vi-IV-V progression in ``key`` (MIDI) major.

    The first quarter is chords and hi-hat only; kick, snare and bass join after it; the last eighth is
    played at half the level. Chords are detuned between the channels, the hi-hat stands on the right.
    """
    s, rng, n = STYLES[style], np.random.default_rng(seed), round(seconds * rate)
    left, right = np.zeros(n), np.zeros(n)
    sixteenth_s = 15 / bpm
    kick, snare, hat = _kick(rate), _snare(rate, rng), _hat(rate, rng)
    bar_s = sixteenth_s * s.sixteenths
    for bar in range(int(np.ceil(seconds / bar_s))):
        degree = PROGRESSION[bar % len(PROGRESSION)]
        triad = [key + 12 + _scale(degree + third) for third in (0, 2, 4)]
        for channel, detune in ((left, 1.0007), (right, 0.9993)):
            pad = _pad(triad, bar_s, rate, s, detune, rng)
            _add(channel, s.chord_gain * pad, round(bar * bar_s * rate))
        root = note_hz(key - 12 + _scale(degree))
        for step in range(s.sixteenths):
            start_s = bar * bar_s + step * sixteenth_s
            at, full = round(start_s * rate), start_s >= seconds / 4
            accent = 1.0 + 0.1 * rng.standard_normal()
            if step in s.hat:
                _add(left, 0.05 * accent * hat, at)
                _add(right, 0.14 * accent * hat, at)
            for part, steps, gain in ((kick, s.kick, 0.45), (snare, s.snare, 0.25)):
                if full and step in steps:
                    _add(left, gain * accent * part, at)
                    _add(right, gain * accent * part, at)
            if full and step in s.bass:
                bass = 0.14 * accent * _bass(root, 1.8 * sixteenth_s, rate)
                _add(left, bass, at)
                _add(right, bass, at)
    mix = 0.6 * np.stack([left, right], axis=1)
    mix[round(7 / 8 * n) :] *= 0.5
    return mix.astype(np.float32)


def surround(style: str, seconds: float, channels: int, rate: int = 48000, *, seed: int = 0) -> Samples:
    """Music on any number of channels: delayed, differently weighted copies of a song and its parts."""
    stereo = song(style, seconds, rate, seed=seed)
    source = np.concatenate([stereo, stereo.mean(axis=1, keepdims=True)], axis=1)
    out = np.stack(
        [np.roll(source[:, c % 3], 37 * c * (c > 1)) * (1.0 - 0.09 * c) for c in range(channels)], axis=1
    )
    return out.astype(np.float32)


def _add(track: Signal, sound: Signal, at: int) -> None:
    end = min(at + len(sound), len(track))
    if end > at:
        track[at:end] += sound[: end - at]


def _scale(degree: int) -> int:
    return 12 * (degree // 7) + MAJOR[degree % 7]


def _kick(rate: int) -> Signal:
    t = times(0.3, rate)
    phase = 2 * np.pi * (48 * t + 110 * 0.03 * (1 - np.exp(-t / 0.03)))
    return np.sin(phase) * np.exp(-t / 0.09)


def _snare(rate: int, rng: np.random.Generator) -> Signal:
    t = times(0.2, rate)
    return _band_noise(len(t), rate, 300, 9000, rng) * np.exp(-t / 0.05) + 0.5 * np.sin(
        2 * np.pi * 190 * t
    ) * np.exp(-t / 0.04)


def _hat(rate: int, rng: np.random.Generator) -> Signal:
    t = times(0.08, rate)
    return _band_noise(len(t), rate, 5000, 15000, rng) * np.exp(-t / 0.02)


def _band_noise(n: int, rate: int, low_hz: float, high_hz: float, rng: np.random.Generator) -> Signal:
    """White noise between two frequencies, of RMS 1 where the band lies below the Nyquist frequency."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    frequency = np.fft.rfftfreq(n, 1 / rate)
    inside = (frequency >= low_hz) & (frequency < high_hz)
    band = np.fft.irfft(np.where(inside, spectrum, 0), n)
    return band / np.sqrt(np.mean(band**2)) if inside.any() else band


def _harmonics(root_hz: float, seconds: float, rate: int, falloff: float, top_hz: float) -> Signal:
    """A sine and its harmonics up to ``top_hz``, read from a table of one period."""
    last = int(min(top_hz, 0.45 * rate) / root_hz)
    position = np.arange(4097) / 4096
    period = np.zeros(len(position))
    for k in range(1, last + 1):
        period += np.sin(2 * np.pi * k * position) / k**falloff
    return np.interp(times(seconds, rate) * root_hz % 1, position, period)


def _bass(root_hz: float, seconds: float, rate: int) -> Signal:
    return _harmonics(root_hz, seconds, rate, 1.0, 700) * np.exp(-times(seconds, rate) / 0.25)


def _pad(
    notes: list[int], seconds: float, rate: int, style: Style, detune: float, rng: np.random.Generator
) -> Signal:
    t = times(seconds, rate)
    envelope = np.minimum(1, t / style.attack_s) * np.minimum(1, (seconds - t) / 0.03)
    tremolo = 1 + 0.1 * np.sin(2 * np.pi * rng.uniform(3, 6) * t)
    voices = [_harmonics(note_hz(note) * detune, seconds, rate, style.brightness, 5000) for note in notes]
    return np.asarray(np.sum(voices, axis=0) * envelope * tremolo)
