"""Bad files get the kind of error that says what is wrong, at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from support import synth
from support.encode import FORMATS, EncodedFiles, decode, encode, ffmpeg
from support.refusals import LIMIT_S, refusal

import auralis_fp
from auralis_fp import (
    AnalysisError,
    CorruptAudio,
    FileNotFound,
    NoAudio,
    Timeout,
    Unreadable,
    Unsupported,
)

# --- things that are not files ------------------------------------------------------------------------


def test_missing_file(tmp_path: Path) -> None:
    error = refusal(tmp_path / "missing.flac")
    assert (type(error), error.stage) == (FileNotFound, "open")
    assert isinstance(error, FileNotFoundError)


@pytest.mark.parametrize("name", ["", "\N{MUSICAL SYMBOL G CLEF}.mp3", "x" * 300, "a/b/c.wav"])
def test_names_that_no_file_has(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    error = refusal(name)
    assert (type(error), error.stage) == ((Unreadable if len(name) > 255 else FileNotFound), "open")


def test_a_file_used_as_a_folder(wav: Path) -> None:
    assert type(refusal(wav / "x.wav")) is FileNotFound


def test_directory(tmp_path: Path) -> None:
    error = refusal(tmp_path)
    assert (type(error), error.stage) == (Unreadable, "open")
    assert "directory" in error.cause
    assert isinstance(error, OSError)


def test_pipe_without_a_writer(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    error = refusal(pipe)
    assert (type(error), error.stage) == (Unreadable, "open")
    assert "pipe" in error.cause


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero", "/dev/urandom"])
def test_device(device: str) -> None:
    error = refusal(device)
    assert (type(error), error.stage) == (Unreadable, "open")


def test_dangling_and_circular_links(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    assert type(refusal(tmp_path / "dangling")) is FileNotFound
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert type(refusal(tmp_path / "a")) is Unreadable


def test_null_character_in_a_name(wav: Path, tmp_path: Path) -> None:
    """No file can have such a name; the part in front of the null character must not be used instead."""
    (tmp_path / "a").write_bytes(wav.read_bytes())
    with pytest.raises((AnalysisError, ValueError)):
        auralis_fp.analyze(f"{tmp_path}/a\0b.wav")


@pytest.mark.parametrize("path", [None, 3, 1.5, ["a.wav"]])
def test_arguments_that_are_no_paths(path: object) -> None:
    with pytest.raises(TypeError):
        auralis_fp.analyze(path)  # type: ignore[arg-type]


# --- bytes that are not audio -------------------------------------------------------------------------


def random_bytes(seed: int) -> bytes:
    return np.random.default_rng(seed).bytes(300_000)


TEXT = b"All work and no play makes Jack a dull boy.\n" * 500
NOT_AUDIO: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "one-byte": lambda: b"R",
    "newline": lambda: b"\n",
    "text": lambda: TEXT,
    "html": lambda: b"<!DOCTYPE html><html><body>" + TEXT + b"</body></html>",
    "zeros": lambda: bytes(200_000),
    "executable": lambda: b"\x7fELF" + bytes(range(256)) * 100,
    "zip": lambda: b"PK\x03\x04" + bytes(26) + TEXT,
    **{f"random-{seed}": partial(random_bytes, seed) for seed in range(4)},
}


@pytest.mark.parametrize("name", NOT_AUDIO)
@pytest.mark.parametrize("extension", ["mp3", "wav", "bin"])
def test_bytes_that_are_no_audio(name: str, extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{extension}"
    path.write_bytes(NOT_AUDIO[name]())
    error = refusal(path)
    assert (type(error), error.stage) == (Unsupported, "probe")


@pytest.mark.parametrize("name", [name for name in NOT_AUDIO if name != "empty"])
def test_the_cause_is_in_plain_words(name: str) -> None:
    with pytest.raises(Unsupported) as caught:
        auralis_fp.analyze_bytes(NOT_AUDIO[name]())
    cause, _, words_of_ffmpeg = caught.value.cause.partition(" (")
    assert cause == "not an audio file that auralis-fp knows, or damaged from its first byte"
    assert "Invalid data" not in words_of_ffmpeg
    assert len(words_of_ffmpeg) < 100


@pytest.mark.parametrize("name", NOT_AUDIO)
def test_bytes_in_memory_that_are_no_audio(name: str) -> None:
    with pytest.raises(Unsupported) as caught:
        auralis_fp.analyze_bytes(NOT_AUDIO[name]())
    assert (caught.value.path, caught.value.stage) == ("<bytes>", "probe")


@pytest.mark.parametrize("extension", ["png", "jpg", "gif", "bmp"])
def test_pictures(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{extension}"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x240", "-frames:v", "1", path)
    error = refusal(path)
    assert isinstance(error, Unsupported | NoAudio)
    assert "whitelist" not in error.cause  # which would list all formats


@pytest.mark.parametrize("extension", ["mp4", "mkv", "webm"])
def test_video_without_sound(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{extension}"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x48:duration=1:rate=5", path)
    error = refusal(path)
    assert (type(error), error.stage) == (NoAudio, "probe")


@pytest.mark.parametrize("name", ["wav-s16", "flac-16", "aiff-s16", "aac-m4a", "vorbis", "wavpack"])
def test_audio_of_no_samples(name: str, tmp_path: Path) -> None:
    one = FORMATS[name]
    path = tmp_path / f"x.{one.extension}"
    encode(path, np.zeros((0, 2), np.int16), 44100, *one.arguments)
    assert isinstance(refusal(path), NoAudio | Unsupported | CorruptAudio)


def test_wav_of_no_samples(tmp_path: Path) -> None:
    path = encode(tmp_path / "x.wav", np.zeros((0, 2), np.int16), 44100)
    assert type(refusal(path)) is NoAudio


# --- damage ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["wav-s16", "flac-16", "vorbis", "aac-m4a", "wavpack", "aiff-s16", "wma-2"])
@pytest.mark.parametrize("kept", [4, 12, 30])
def test_nothing_but_the_start_of_a_header(
    name: str, kept: int, encoded: EncodedFiles, tmp_path: Path
) -> None:
    path = tmp_path / f"x.{FORMATS[name].extension}"
    path.write_bytes(encoded.file(name).read_bytes()[:kept])
    assert isinstance(refusal(path), Unsupported | CorruptAudio | NoAudio)


def test_m4a_without_its_index(encoded: EncodedFiles, tmp_path: Path) -> None:
    whole = encoded.file("aac-m4a").read_bytes()
    path = tmp_path / "x.m4a"
    path.write_bytes(whole[: whole.index(b"moov") - 4])
    assert isinstance(refusal(path), Unsupported | CorruptAudio)


@pytest.mark.parametrize("name", ["flac-16", "vorbis", "alac-m4a", "wavpack", "aac-m4a-faststart"])
def test_a_header_before_nothing_but_noise(name: str, encoded: EncodedFiles, tmp_path: Path) -> None:
    whole = bytearray(encoded.file(name).read_bytes())
    start = whole.index(b"mdat") + 4 if b"mdat" in whole else 32 if name == "wavpack" else 8192
    whole[start:] = np.random.default_rng(3).bytes(len(whole) - start)
    path = tmp_path / f"x.{FORMATS[name].extension}"
    path.write_bytes(whole)
    try:
        fp = auralis_fp.analyze(path, timeout=LIMIT_S)
    except AnalysisError as error:
        assert isinstance(error, CorruptAudio | NoAudio | Unsupported)  # noqa: PT017 - either is right
    else:
        assert fp.metadata.damaged_packets > 0
        assert np.isfinite(fp.vector).all()


@pytest.mark.parametrize(
    "name",
    ["wav-s16", "aiff-s16", "flac-16", "mp3-cbr-128", "mp3-vbr-4", "aac-adts", "vorbis", "opus", "wavpack"],
)
@pytest.mark.parametrize("kept", [0.3, 0.77])
def test_truncated_file_is_measured_as_far_as_it_goes(
    name: str, kept: float, encoded: EncodedFiles, tmp_path: Path
) -> None:
    whole = encoded.file(name).read_bytes()
    path = tmp_path / f"x.{FORMATS[name].extension}"
    path.write_bytes(whole[: int(len(whole) * kept)])
    fp = auralis_fp.analyze(path, timeout=LIMIT_S)
    assert fp.metadata.duration == pytest.approx(10 * kept, abs=1.2)  # Ogg keeps a second to a page
    samples, _ = decode(path)
    assert fp.metadata.samples_decoded == pytest.approx(len(samples), abs=4608)  # one packet either way


@pytest.mark.parametrize("name", ["flac-16", "mp3-cbr-128", "aac-adts", "aac-m4a", "alac-m4a", "tta"])
def test_damaged_packets_are_skipped_and_counted(name: str, encoded: EncodedFiles, tmp_path: Path) -> None:
    whole = bytearray(encoded.file(name).read_bytes())
    middle, burst = len(whole) // 2, len(whole) // 50
    whole[middle : middle + burst] = np.random.default_rng(5).bytes(burst)
    path = tmp_path / f"x.{FORMATS[name].extension}"
    path.write_bytes(whole)
    fp, intact = auralis_fp.analyze(path), auralis_fp.analyze(encoded.file(name))
    assert fp.metadata.damaged_packets > 0
    assert fp.metadata.duration == pytest.approx(10, abs=1.1)  # a frame of TTA is a second
    assert fp.lufs == pytest.approx(intact.lufs, abs=1.5)
    assert fp.bass_pct == pytest.approx(intact.bass_pct, abs=5)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_damage_never_gives_nonsense(name: str, seed: int, encoded: EncodedFiles) -> None:
    """Bytes changed, removed and repeated, anywhere: an error, or finite numbers."""
    rng = np.random.default_rng(seed)
    data = bytearray(encoded.file(name).read_bytes())
    for at in rng.integers(0, len(data), 20):
        data[at] = rng.integers(256)
    for at in rng.integers(0, min(len(data), 4096), 3):  # headers matter most
        data[at] = rng.integers(256)
    start, length = int(rng.integers(len(data))), int(rng.integers(5000))
    if seed % 2:
        del data[start : start + length]
    else:
        data[start:start] = data[start : start + length]
    try:
        fp = auralis_fp.analyze_bytes(data, timeout=60)
    except AnalysisError as error:
        assert not isinstance(error, Timeout)  # noqa: PT017 - an error of another kind is right
    else:
        assert np.isfinite(fp.vector).all()


@pytest.mark.parametrize("wrong", ["mp3", "flac", "txt", "jpg", "m3u8", "sdp", ""])
@pytest.mark.parametrize("name", ["wav-s16", "aac-m4a", "vorbis", "mp3-cbr-128"])
def test_wrong_extension_does_not_matter(
    name: str, wrong: str, encoded: EncodedFiles, tmp_path: Path
) -> None:
    path = tmp_path / f"x.{wrong}"
    path.write_bytes(encoded.file(name).read_bytes())
    assert auralis_fp.analyze(path) == auralis_fp.analyze(encoded.file(name))


@pytest.mark.parametrize("at", [0, 1000, 43_000, -1])
@pytest.mark.parametrize("value", [np.nan, np.inf, -1e30])
def test_samples_that_are_no_numbers(at: int, value: float, tmp_path: Path) -> None:
    samples = synth.noise(1)
    samples[at] = value
    path = encode(tmp_path / "nan.wav", samples, 44100, "-c:a", "pcm_f32le")
    assert type(refusal(path)) is CorruptAudio


def test_too_many_channels(tmp_path: Path) -> None:
    path = encode(tmp_path / "x.wav", np.ones((1000, 9), np.int16), 44100)
    assert type(refusal(path)) is Unsupported


@pytest.mark.parametrize("rate", [1000, 1_000_000])
def test_rates_out_of_range(rate: int, tmp_path: Path) -> None:
    path = encode(tmp_path / "x.wav", np.ones((1000, 2), np.int16), rate)
    assert type(refusal(path)) is Unsupported
