"""``auralis-fp doctor``: what is installed, and whether it measures correctly."""

from __future__ import annotations

import importlib.metadata
import io
import platform
import sys
import wave
from collections.abc import Callable, Iterator
from typing import Any, Final

import click
import numpy as np
from numpy.typing import NDArray

from auralis_fp._build import build_info
from auralis_fp._native import core, import_error
from auralis_fp._version import __version__
from auralis_fp.analysis import analyze_bytes, analyze_samples
from auralis_fp.cli.common import FAILED
from auralis_fp.fingerprint import Fingerprint
from auralis_fp.schema import FINGERPRINT_VERSION

__all__ = ["doctor"]

_RATE_HZ: Final = 48_000
_PACKAGES: Final = ("numpy", "SQLAlchemy", "mutagen", "rich", "click", "pyarrow", "librosa", "psycopg")


@click.command()
def doctor() -> None:
    """Check the installation: versions, formats, and known measurements.

    Prints what is installed and which formats can be opened, then measures generated audio whose numbers
    are known.

    Exit status: 0 on success, 1 if a measurement is wrong or the compiled core cannot be imported.
    """
    info = build_info()
    formats = info.pop("demuxers", ())
    print(f"auralis-fp {__version__}, fingerprint version {FINGERPRINT_VERSION}")
    print(f"Python {platform.python_version()} on {platform.platform()} ({platform.machine()})")
    for name, value in info.items():
        if name not in ("version", "fingerprint_version"):
            print(f"{name}: {_text(value)}")
    if formats:
        print(f"formats: {_text(formats)}")
    print(f"packages: {', '.join(map(_package, _PACKAGES))}")
    if core is None:
        print(f"the compiled core cannot be imported: {import_error}")
        sys.exit(FAILED)
    print("self-test:")
    wrong = 0
    for what, passed, detail in _self_test():
        print(f"  {'ok  ' if passed else 'FAIL'}  {what}: {detail}")
        wrong += not passed
    if wrong:
        print(f"{wrong} measurements are wrong: do not use this installation")
        sys.exit(FAILED)
    print("all measurements are right")


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(part)}" for name, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple | set | frozenset) else str(value)


def _package(name: str) -> str:
    try:
        return f"{name} {importlib.metadata.version(name)}"
    except importlib.metadata.PackageNotFoundError:
        return f"{name} (not installed)"


def _self_test() -> Iterator[tuple[str, bool, str]]:
    """Yield the measurements of audio whose numbers follow from how it is made."""
    sine, clicks = _sine(), _clicks(120)
    # A 1 kHz sine at -20 dBFS in both channels has -20 LUFS: EBU Tech 3341, signal 1.
    expected_sine = (("lufs", -20.0, 0.1), ("crest_db", 3.01, 0.05), ("spectral_centroid", 0.125, 0.005),
                     ("mid_pct", 100.0, 0.1), ("phase_correlation", 1.0, 0.001))  # fmt: skip
    expected_clicks = (("tempo_bpm", 120.0, 0.5), ("transient_density", 0.2, 0.03))
    yield from _compare("sine, samples", lambda: analyze_samples(sine, _RATE_HZ), expected_sine)
    yield from _compare("sine, WAV file", lambda: analyze_bytes(_wav(sine)), expected_sine)
    yield from _compare("clicks", lambda: analyze_samples(clicks, _RATE_HZ), expected_clicks)


def _compare(
    signal: str, measure: Callable[[], Fingerprint], expected: tuple[tuple[str, float, float], ...]
) -> Iterator[tuple[str, bool, str]]:
    try:
        fingerprint = measure()
    except Exception as error:
        yield signal, False, f"{type(error).__name__}: {error}"
        return
    for name, value, tolerance in expected:
        measured = fingerprint[name]
        detail = f"{measured:.4g}, expected {value:.4g} within {tolerance:g}"
        yield f"{signal}, {name}", abs(measured - value) <= tolerance, detail


def _sine() -> NDArray[np.float32]:
    time_s = np.arange(5 * _RATE_HZ) / _RATE_HZ
    mono = 0.1 * np.sin(2 * np.pi * 1000 * time_s)
    return np.stack([mono, mono], axis=1).astype(np.float32)


def _clicks(per_minute: float) -> NDArray[np.float32]:
    """Return short bursts of decaying noise."""
    samples = np.zeros(20 * _RATE_HZ)
    burst = np.random.default_rng(1).standard_normal(1200) * np.exp(-np.arange(1200) / 200.0) * 0.2
    for start in np.arange(0, len(samples) - len(burst), 60 / per_minute * _RATE_HZ):
        samples[int(start) : int(start) + len(burst)] += burst
    return samples.astype(np.float32)


def _wav(samples: NDArray[np.float32]) -> bytes:
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(_RATE_HZ)
        file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
    return data.getvalue()
