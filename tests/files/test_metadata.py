"""Metadata of the recording: what is declared, and the findings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support import synth
from support.encode import FORMATS, EncodedFiles, encode, ffmpeg
from support.synth import Samples

import auralis_fp
from auralis_fp import Metadata
from auralis_fp import _native as _core
from auralis_fp.metadata import DC_OFFSET, SILENT_PEAK, TRUNCATED_SAMPLES
from auralis_fp.reference.metadata import metadata_of

FULL = 1 - 2.0**-15  # the largest positive sample of 16 bits
DECLARES_NOTHING = {"aac-adts", "ac3", "mp2", "mp3-no-xing", "mp3-vbr-no-xing"}
INDEX_AT_THE_END = {"aac-m4a", "alac-m4a", "alac-caf"}  # once they are cut off, nothing can be decoded
OGG = {name for name, one in FORMATS.items() if one.container == "ogg"}


def measured(samples: Samples | NDArray[np.int16], rate: int = 44100) -> Metadata:
    """Return the core's metadata, once the reference analyzer's are found to be the same."""
    core = auralis_fp.analyze_samples(samples, rate).metadata
    floats = samples / np.float32(32768) if samples.dtype == np.int16 else samples
    plain = metadata_of(floats.reshape(len(samples), -1), rate, "samples", "samples", 0)
    assert replace(core, dc_offset=0) == replace(plain, dc_offset=0)
    assert core.dc_offset == pytest.approx(plain.dc_offset, abs=2**-22)
    return core


# --- declared length -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_a_whole_file_is_without_findings(name: str, encoded: EncodedFiles) -> None:
    m = auralis_fp.analyze(encoded.file(name)).metadata
    assert m.findings == ()
    if name in DECLARES_NOTHING | OGG:
        assert m.declared_duration is None
    else:
        assert m.declared_duration is not None
        assert m.declared_duration == pytest.approx(10, abs=0.05)
        # The threshold of "truncated" is four times what any of these formats needs.
        assert m.declared_duration * m.sample_rate - m.samples_decoded < TRUNCATED_SAMPLES / 4


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in INDEX_AT_THE_END])
@pytest.mark.parametrize("kept", [0.9, 0.5])
def test_a_truncated_file_is_found(name: str, kept: float, encoded: EncodedFiles) -> None:
    data = encoded.file(name).read_bytes()
    whole = auralis_fp.analyze_bytes(data).metadata
    m = auralis_fp.analyze_bytes(data[: int(kept * len(data))]).metadata
    assert m.duration < 0.95 * whole.duration
    if name in DECLARES_NOTHING:
        assert m.declared_duration is None
        assert "truncated" not in m.findings
    elif name in OGG:  # which declares nothing either, but marks its last page
        assert m.declared_duration is None
        assert m.findings == ("damaged_packets",)
    elif name == "aac-m4a-fragmented":  # each fragment declares its own length, and only one is cut
        assert m.declared_duration is not None
        assert whole.declared_duration is not None
        assert m.duration < m.declared_duration < whole.declared_duration
        assert "damaged_packets" in m.findings
    else:
        assert m.declared_duration == pytest.approx(whole.declared_duration)
        assert "truncated" in m.findings


@pytest.mark.parametrize("name", ["wav-s16", "wav-rf64", "w64", "flac-16", "mp3-vbr-0", "wma-2"])
def test_a_tag_in_front_does_not_hide_the_declared_length(name: str, encoded: EncodedFiles) -> None:
    data = encoded.file(name).read_bytes()
    tag = b"ID3\x03\0\0\0\0\x10\0" + bytes(2048)
    m = auralis_fp.analyze_bytes(tag + data[: len(data) // 2]).metadata
    assert m.declared_duration == pytest.approx(10, abs=0.05)
    assert "truncated" in m.findings


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x7FFF_F000])
def test_a_wav_whose_writer_did_not_know_the_length_declares_nothing(size: int, wav: Path) -> None:
    data = bytearray(wav.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = size.to_bytes(4, "little")
    m = auralis_fp.analyze_bytes(data).metadata
    assert m.declared_duration is None
    assert m.samples_decoded == 441_000
    assert m.findings == ()


def test_a_film_longer_than_its_sound_is_not_truncated(encoded: EncodedFiles, tmp_path: Path) -> None:
    """Matroska declares one length for all streams, which says nothing about this one."""
    film = tmp_path / "film.mkv"
    video = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=5:duration=20"]
    ffmpeg(*video, "-i", encoded.file("aac-mka"), *["-c:v", "mpeg4", "-c:a", "copy"], film)
    m = auralis_fp.analyze(film).metadata
    assert m.declared_duration is None
    assert m.findings == ()


@pytest.mark.parametrize("name", ["mp3-vbr-0", "aac-m4a", "opus-webm", "wma-2"])
@pytest.mark.parametrize("rate", [8000, 48000])
def test_padding_at_other_rates_is_not_truncation(name: str, rate: int, tmp_path: Path) -> None:
    one = FORMATS[name]
    samples = synth.to_int16(synth.song("rock", 3, rate))
    arguments = [a for a in one.arguments if not a.endswith("k") and a != "-b:a"]
    m = auralis_fp.analyze(encode(tmp_path / f"x.{one.extension}", samples, rate, *arguments)).metadata
    assert m.declared_duration == pytest.approx(3, abs=0.4)
    assert m.findings == ()


# --- damage that FFmpeg skips silently ----------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(OGG))
def test_an_ogg_page_with_a_wrong_checksum_counts(name: str, encoded: EncodedFiles) -> None:
    data = bytearray(encoded.file(name).read_bytes())
    data[len(data) // 2] ^= 0xFF
    m = auralis_fp.analyze_bytes(data).metadata
    assert m.duration < 9.9
    assert m.damaged_packets == 1
    assert m.findings == ("damaged_packets",)


def test_an_ogg_file_with_a_tag_behind_it_is_whole(encoded: EncodedFiles) -> None:
    data = encoded.file("vorbis").read_bytes() + b"TAG" + bytes(125)
    assert auralis_fp.analyze_bytes(data).metadata.findings == ()


# --- the signal --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1, 2, 3, 4, 100])
@pytest.mark.parametrize("at", [0, 5, 1020, 4094, 4096, 9_900])
@pytest.mark.parametrize("level", [FULL, -1.0, 1.5, -1e5])
def test_a_run_at_full_scale_is_counted_once(length: int, at: int, level: float) -> None:
    """Also where it crosses the end of a block, and at both ends of a recording."""
    samples = synth.noise(10_000 / 44100)
    samples[at : at + length] = level
    m = measured(samples)
    assert m.clipped_runs == (length >= 3)
    assert m.peak == pytest.approx(abs(level))
    assert ("clipping" in m.findings) == (length >= 3)


def test_clipped_runs_of_all_channels_are_added() -> None:
    samples = np.zeros((50_000, 3), np.float32)
    for channel, runs in enumerate((2, 0, 7)):
        for run in range(runs):
            samples[100 + 20 * run : 103 + 20 * run, channel] = -1
    assert measured(samples).clipped_runs == 9


def test_just_below_full_scale_is_not_clipping() -> None:
    loud = np.full(44100, 32766, np.int16)
    assert measured(loud).clipped_runs == 0
    assert measured(loud + np.int16(1)).clipped_runs == 1
    assert measured(-loud - np.int16(2)).clipped_runs == 1


@pytest.mark.parametrize("gain", [0.3, 1.0, 3.0])
def test_clipped_music(gain: float) -> None:
    """Against the plain way to count, in the reference analyzer."""
    song = np.clip(synth.song("rock", 3) * np.float32(gain / 0.6), -1, 1)
    m = measured(song)
    assert (m.clipped_runs > 100) == (gain > 1)
    assert measured(synth.to_int16(song)).clipped_runs == pytest.approx(m.clipped_runs, rel=0.05)


@pytest.mark.parametrize("offset", [0.25, -0.25, 0.005])
def test_dc_offset_is_that_of_the_channel_farthest_off(offset: float) -> None:
    samples = np.stack([synth.noise(3, seed=1), synth.noise(3, seed=2)], axis=1)
    samples -= samples.mean(axis=0)
    samples[:, 1] += np.float32(offset)
    m = measured(samples)
    assert m.dc_offset == pytest.approx(offset, abs=1e-6)
    assert m.findings == (("dc_offset",) if abs(offset) >= DC_OFFSET else ())


def test_dc_offset_of_huge_samples() -> None:
    assert measured(np.full(50_000, 1e5, np.float32)).dc_offset == 1e5


def test_silence() -> None:
    for samples in (np.zeros((44100, 2), np.int16), np.zeros(44100, np.float32)):
        m = measured(samples)
        assert (m.peak, m.dc_offset, m.identical_channels, m.findings) == (0, 0, False, ("silent",))
    click = np.zeros(44100, np.float32)
    click[7] = SILENT_PEAK
    assert measured(click).findings == ("silent",)
    click[7] = 2 * SILENT_PEAK
    assert measured(click).findings == ()


@pytest.mark.parametrize("channels", [2, 3, 8])
def test_identical_channels(channels: int) -> None:
    mono = synth.to_int16(synth.song("rock", 3))[:, :1]
    same = np.repeat(mono, channels, axis=1)
    assert measured(same).identical_channels
    assert measured(same).findings == ("identical_channels",)
    for place in (0, 70_001, len(same) - 1):  # one sample of the last channel, by one step of 16 bits
        other = same.copy()
        other[place, -1] += 1
        assert not measured(other).identical_channels
    assert not measured(mono).identical_channels


@pytest.mark.parametrize("name", ["flac-24", "mp3-vbr-0", "mp3-cbr-128", "vorbis", "wma-2", "alac-m4a"])
def test_mono_in_stereo_is_found_in_files(name: str, tmp_path: Path) -> None:
    """(Codecs that add noise to each channel, such as Opus and some AAC encoders, give two signals.)"""
    one = FORMATS[name]
    mono = synth.to_int16(synth.song("rock", 3))[:, :1]
    path = encode(tmp_path / f"x.{one.extension}", np.repeat(mono, 2, axis=1), 44100, *one.arguments)
    assert auralis_fp.analyze(path).metadata.findings == ("identical_channels",)


@pytest.mark.parametrize("frames", [1, 7, 1000, 100_000])
@pytest.mark.parametrize(
    "make",
    [
        lambda: np.clip(4 * synth.song("rock", 2), -1, 1),
        lambda: np.repeat(synth.song("house", 2)[:, :1], 2, axis=1),
        lambda: synth.song("ballad", 2) * np.float32(1e5),
    ],
)
def test_block_size(frames: int, make: Callable[[], Samples]) -> None:
    """Not a bit changes with the size of the core's blocks."""
    samples = np.ascontiguousarray(make(), np.float32)
    assert _core.core is not None
    _, found = _core.core.analyze_samples(samples, 44100, None, None, False, frames)
    assert found == asdict(auralis_fp.analyze_samples(samples, 44100).metadata)


def test_findings_come_in_order() -> None:
    everything = Metadata(1, 44100, 2, "c", "c", 44100, 1, 2.0, 5, 1e-5, 0.5, True)
    names = ("truncated", "damaged_packets", "clipping", "silent", "identical_channels", "dc_offset")
    assert everything.findings == names
    assert Metadata(1, 44100, 2, "c", "c", 44100, 0, peak=0.5).findings == ()
    nearly = 1 + TRUNCATED_SAMPLES / 44100
    assert replace(everything, declared_duration=nearly).findings == names[1:]
