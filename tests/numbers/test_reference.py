"""The yardstick itself: the reference analyzer against pyloudnorm, by construction, and on files."""

from __future__ import annotations

import shutil
from pathlib import Path

import librosa
import numpy as np
import pyloudnorm
import pytest
from support import synth
from support.encode import EncodedFiles, encode
from support.processes import run_program
from support.tolerances import PARITY, assert_agree, assert_identical

import auralis_fp
from auralis_fp import DIMENSIONS, NAMES, CancelToken, Fingerprint, reference
from auralis_fp.reference import definition

pytestmark = [pytest.mark.any_level, pytest.mark.unsanitized("measures with the reference analyzer")]


def test_import_is_light() -> None:
    """librosa and the like are imported only when something is measured."""
    heavy = ("librosa", "pyloudnorm", "scipy", "soundfile", "soxr")
    loaded = run_program("imports/loaded", "auralis_fp.reference").stdout.split()
    assert not set(heavy) & set(loaded)


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_loudness_is_pyloudnorms(rate: int, channels: int) -> None:
    swell = np.abs(np.sin(synth.times(7.3, rate)))[:, np.newaxis]
    noise = np.stack([synth.noise(7.3, rate, seed=seed) for seed in range(channels)], axis=1)
    x = (noise * swell).astype(np.float32)
    whole_hops = len(x) * 10 // rate * rate // 10  # pyloudnorm itself would round the last block up
    meter = pyloudnorm.Meter(rate, filter_class="DeMan")
    expected = meter.integrated_loudness(x[:whole_hops].astype(np.float64))
    measured = definition.loudness(x, rate, definition.DEFAULT_LAYOUTS[channels])["lufs"]
    assert measured == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6])
def test_ebu_tech_3341(number: int) -> None:
    samples = synth.ebu(number)
    layout = definition.DEFAULT_LAYOUTS[samples.shape[1]]
    expected = synth.EBU_EXPECTED_LUFS - (10 if number == 2 else 0)
    assert definition.loudness(samples, synth.EBU_RATE, layout)["lufs"] == pytest.approx(expected, abs=0.1)


def test_loudness_below_the_shelf_filter() -> None:
    """At rates whose spectrum ends below the K-weighting's shelf the filter would be unstable."""
    for rate in (2000, 3000, 3363):
        fp = reference.analyze_samples(synth.tone(300, 5, rate), rate)
        assert fp.lufs == pytest.approx(-3.2, abs=0.5)


def test_mirrored_edges_of_very_short_recordings() -> None:
    """The median filter's edges, against a plain reading of "mirrored", for every small number of frames."""
    rng = np.random.default_rng(1)
    for frames in (1, 2, 3, 15, 16, 31, 40):
        stft = rng.standard_normal((1025, frames)) + 1j * rng.standard_normal((1025, frames))
        a = np.abs(stft)

        def medians(a: synth.Signal) -> synth.Signal:
            n = a.shape[1]
            mirror = [min(i % (2 * n), 2 * n - 1 - i % (2 * n)) for i in range(-15, n + 15)]
            return np.median(np.lib.stride_tricks.sliding_window_view(a[:, mirror], 31, axis=1), axis=-1)

        harmonic, percussive = medians(a), medians(a.T).T
        mask = harmonic**2 / (harmonic**2 + percussive**2)
        weight = np.full((1025, 1), 2.0)
        weight[[0, -1]] = 1
        h, p = (np.sqrt(np.sum(weight * (a * part) ** 2)) for part in (mask, 1 - mask))
        measured = definition.harmonic_ratio(stft.astype(np.complex64))["harmonic_ratio"]
        assert measured == pytest.approx(h / (h + p), abs=1e-5)


def test_interpolated_autocorrelation_is_exact_for_a_parabola() -> None:
    lag = np.linspace(3, 60, 50)
    r = (np.arange(100) - 20.0) ** 2
    assert definition.at_lag(r, lag) == pytest.approx((lag - 20) ** 2)
    assert np.isnan(definition.at_lag(r, np.array([73.0, 90.0]))).all()
    assert not np.isnan(definition.at_lag(r, np.array([72.9]))).any()


def test_silence_before_the_first_onset() -> None:
    """What is heard begins 80 dB under full scale: a 1 kHz sine 75 dB down shows, one 90 dB down does not."""
    for level_db, shows in ((-75, True), (-90, False)):
        sine = 10 ** (level_db / 20) * synth.tone(1000, 2, 22050)
        sine[:22050] = 0
        envelope = definition.onset_envelope(np.abs(librosa.stft(sine)))
        assert envelope.any() == shows


@pytest.mark.parametrize("bpm", [90, 120, 165])
def test_tempo_of_clicks(bpm: float) -> None:
    fp = reference.analyze_samples(synth.clicks(bpm, 20, 22050), 22050)
    assert fp.tempo_bpm == pytest.approx(bpm, rel=0.003)


def test_silence() -> None:
    fp = reference.analyze_samples(np.zeros((44100, 2), np.int16), 44100)
    assert dict(fp) == {d.name: d.undefined for d in DIMENSIONS}
    assert fp.undefined == frozenset(NAMES) - {"silence_ratio"}


# --- files -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    samples = synth.to_int16(synth.surround("rock", 2, 6))
    return encode(tmp_path_factory.mktemp("reference") / "x.wav", samples, 48000, layout="5.1(side)")


def test_file_agrees_with_the_core(short: Path) -> None:
    expected, measured = auralis_fp.analyze(short), reference.analyze(short)
    assert_agree(measured, expected, PARITY)
    assert measured.metadata == expected.metadata


@pytest.mark.parametrize("name", ["flac-16", "vorbis"])
def test_without_ffmpeg_soundfile_decodes(
    name: str, encoded: EncodedFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = encoded.file(name)
    expected: Fingerprint = reference.analyze(path)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert_agree(reference.analyze(path), expected, PARITY)


def test_bad_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.mp3").write_text("no audio\n" * 100)
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nx.wav\n")
    encode(tmp_path / "x.wav", synth.noise(1), 44100)
    for which in (shutil.which, lambda name: None):
        monkeypatch.setattr(shutil, "which", which)
        for name, kind in (
            ("missing.wav", auralis_fp.FileNotFound),
            (".", auralis_fp.Unreadable),
            ("text.mp3", auralis_fp.Unsupported),
            ("empty.wav", auralis_fp.Unsupported),
            ("list.m3u8", auralis_fp.Unsupported),
        ):
            with pytest.raises(kind) as caught:
                reference.analyze(tmp_path / name)
            assert caught.value.path == str(tmp_path / name)


def test_timeout_and_cancel(short: Path) -> None:
    with pytest.raises(auralis_fp.Timeout):
        reference.analyze(short, timeout=0)
    token = CancelToken()
    assert_identical(reference.analyze(short, cancel=token), reference.analyze(short, timeout=600))
    token.cancel()
    with pytest.raises(auralis_fp.Cancelled):
        reference.analyze(short, cancel=token)
