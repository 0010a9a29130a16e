"""Every format: decoded as the ffmpeg command line decodes it, to the sample."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from support import synth
from support.encode import FORMATS, LOSSLESS, EncodedFiles, decode, encode, ffmpeg
from support.every_format import every_format
from support.tolerances import BUILD, assert_agree, assert_identical

import auralis_fp


@pytest.mark.parametrize("name", FORMATS)
def test_decodes_like_the_command_line(name: str, encoded: EncodedFiles) -> None:
    path = encoded.file(name)
    samples, rate = decode(path)
    fp = auralis_fp.analyze(path)
    metadata = fp.metadata
    assert metadata.samples_decoded == len(samples)
    assert (metadata.sample_rate, metadata.channels) == (rate, samples.shape[1])
    assert metadata.duration == pytest.approx(len(samples) / rate)
    assert (metadata.codec, metadata.container) == (FORMATS[name].codec, FORMATS[name].container)
    assert metadata.damaged_packets == 0
    assert_agree(fp, auralis_fp.analyze_samples(samples, rate), BUILD)


def test_every_container_that_the_documentation_lists_is_measured(
    encoded: EncodedFiles, tmp_path: Path
) -> None:
    measured = {auralis_fp.analyze(path).metadata.container for path in every_format(encoded, tmp_path)}
    assert measured == set(auralis_fp.build_info()["demuxers"].split(","))


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_formats_give_the_samples_fingerprint(name: str, encoded: EncodedFiles) -> None:
    assert_identical(
        auralis_fp.analyze(encoded.file(name)), auralis_fp.analyze_samples(encoded.samples, encoded.rate)
    )


@pytest.mark.parametrize("name", ["mp3-cbr-320", "mp3-vbr-0", "aac-m4a", "vorbis", "opus"])
def test_encoder_delay_is_trimmed(name: str, encoded: EncodedFiles) -> None:
    """Gapless: the encoder's padding in front is gone. (The end of AAC is padded to a whole frame.)"""
    metadata = auralis_fp.analyze(encoded.file(name)).metadata
    padding_s = metadata.duration - len(encoded.samples) / encoded.rate
    assert 0 <= padding_s < (1024 / 44100 if name == "aac-m4a" else 1 / 44100)


def test_headers_are_what_the_names_say(encoded: EncodedFiles) -> None:
    """The files are what they are meant to be."""
    assert encoded.file("wav-rf64").read_bytes()[:4] == b"RF64"
    assert encoded.file("wav-s16").read_bytes()[20:22] == b"\x01\x00"
    assert encoded.file("wav-s24").read_bytes()[20:22] == b"\xfe\xff"  # WAVE_FORMAT_EXTENSIBLE
    assert b"Xing" in encoded.file("mp3-vbr-0").read_bytes()[:4096]
    assert b"Info" in encoded.file("mp3-cbr-320").read_bytes()[:4096]
    for name in ("mp3-no-xing", "mp3-vbr-no-xing"):
        start = encoded.file(name).read_bytes()[:4096]
        assert b"Xing" not in start
        assert b"Info" not in start
    late, early = (encoded.file(name).read_bytes() for name in ("aac-m4a", "aac-m4a-faststart"))
    assert late.index(b"moov") > late.index(b"mdat")
    assert early.index(b"moov") < early.index(b"mdat")
    assert b"moof" in encoded.file("aac-m4a-fragmented").read_bytes()


# --- tags and cover art ------------------------------------------------------------------------------


def id3v2(frame_id: bytes, content: bytes) -> bytes:
    """An ID3v2.3 tag of one frame."""
    frame = frame_id + len(content).to_bytes(4, "big") + b"\0\0" + content
    size = bytes((len(frame) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\0\0" + size + frame


@pytest.mark.parametrize("megabytes", [0.1, 2, 20])
def test_mp3_behind_a_large_tag(megabytes: float, encoded: EncodedFiles, tmp_path: Path) -> None:
    plain = encoded.file("mp3-no-id3")
    # A picture whose bytes look like MP3 frames: a reader that does not skip the tag finds audio in it.
    picture = (plain.read_bytes() * 200)[: round(megabytes * 1e6)]
    tagged = tmp_path / "tagged.mp3"
    tagged.write_bytes(id3v2(b"APIC", b"\0image/jpeg\0\x03\0" + picture) + plain.read_bytes())
    assert auralis_fp.analyze(tagged) == auralis_fp.analyze(plain)


def test_mp3_before_an_id3v1_tag(encoded: EncodedFiles, tmp_path: Path) -> None:
    plain = encoded.file("mp3-no-id3")
    tagged = tmp_path / "tagged.mp3"
    tagged.write_bytes(plain.read_bytes() + b"TAG" + b"title".ljust(125, b"\0"))
    assert auralis_fp.analyze(tagged) == auralis_fp.analyze(plain)


def test_flac_behind_an_id3_tag(encoded: EncodedFiles, tmp_path: Path) -> None:
    plain = encoded.file("flac-16")
    tagged = tmp_path / "tagged.flac"
    tagged.write_bytes(id3v2(b"TIT2", b"\0title") + plain.read_bytes())
    assert auralis_fp.analyze(tagged) == auralis_fp.analyze(plain)


@pytest.mark.parametrize("name", ["mp3-cbr-128", "flac-16", "aac-m4a", "alac-m4a"])
@pytest.mark.parametrize("picture", ["png", "jpg"])
def test_cover_art_is_ignored(name: str, picture: str, encoded: EncodedFiles, tmp_path: Path) -> None:
    plain = encoded.file(name)
    cover, covered = tmp_path / f"cover.{picture}", tmp_path / f"covered{plain.suffix}"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=600x600", "-frames:v", "1", cover)
    streams = ["-map", "0:a", "-map", "1:v", "-c", "copy", "-disposition:v", "attached_pic"]
    ffmpeg("-i", plain, "-i", cover, *streams, covered)
    assert covered.stat().st_size > plain.stat().st_size + cover.stat().st_size // 2
    assert_identical(auralis_fp.analyze(covered), auralis_fp.analyze(plain))


def test_video_is_ignored(encoded: EncodedFiles, tmp_path: Path) -> None:
    sound, film = encoded.file("aac-mka"), tmp_path / "film.mkv"
    video = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=5:duration=10"]
    ffmpeg(*video, "-i", sound, *["-map", "0:v", "-map", "1:a", "-c:v", "mpeg4", "-c:a", "copy"], film)
    assert_agree(auralis_fp.analyze(film), auralis_fp.analyze(sound), BUILD)


def test_the_default_stream_is_measured(encoded: EncodedFiles, tmp_path: Path) -> None:
    music, both = encoded.file("wav-s16"), tmp_path / "both.mka"
    other = encode(tmp_path / "tone.wav", synth.tone(1000, 10), 44100)
    streams = ["-map", "0:a", "-map", "1:a", "-disposition:a:0", "0", "-disposition:a:1", "default"]
    ffmpeg("-i", other, "-i", music, *streams, "-c:a", "flac", both)
    assert_agree(auralis_fp.analyze(both), auralis_fp.analyze(music), BUILD)


# --- rates, channels, widths -------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 32000, 48000, 88200, 96000, 192000])
@pytest.mark.parametrize("extension", ["wav", "flac"])
def test_sample_rates(rate: int, extension: str, tmp_path: Path) -> None:
    samples = synth.to_int16(synth.song("house", 3, rate))
    path = encode(tmp_path / f"x.{extension}", samples, rate, "-sample_fmt", "s16")
    fp = auralis_fp.analyze(path)
    assert fp.metadata.sample_rate == rate
    assert_identical(fp, auralis_fp.analyze_samples(samples, rate))


LAYOUTS = {3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


@pytest.mark.parametrize("channels", LAYOUTS)
@pytest.mark.parametrize("extension", ["wav", "flac", "caf"])
def test_surround_channels(channels: int, extension: str, tmp_path: Path) -> None:
    samples = synth.to_int16(synth.surround("rock", 3, channels))
    layout, arguments = LAYOUTS[channels], ["-c:a", "flac"] if extension == "flac" else []
    path = encode(tmp_path / f"x.{extension}", samples, 48000, *arguments, layout=layout)
    fp = auralis_fp.analyze(path)
    assert fp.metadata.channels == channels
    libavformat = int(auralis_fp.build_info()["ffmpeg"]["libavformat"].partition(".")[0])
    if (extension, channels) == ("caf", 8) and libavformat >= 61:  # docs/recordings.md, Versions of FFmpeg
        samples = np.ascontiguousarray(samples[:, [0, 1, 2, 3, 6, 7, 4, 5]])
    assert_agree(fp, auralis_fp.analyze_samples(samples, 48000), BUILD)


def test_side_channels_weigh_like_back_channels_in_5_1(tmp_path: Path) -> None:
    samples = synth.to_int16(synth.surround("rock", 3, 6))
    back, side = (
        auralis_fp.analyze(encode(tmp_path / f"{layout}.wav", samples, 48000, layout=layout))
        for layout in ("5.1", "5.1(side)")
    )
    assert_identical(side, back)


def test_a_layout_unlike_the_default_for_its_count_is_respected(tmp_path: Path) -> None:
    """Four channels: quadraphonic (back pair) against 4.0 (centre and back centre)."""
    samples = synth.to_int16(synth.surround("rock", 3, 4))
    quad = auralis_fp.analyze(encode(tmp_path / "quad.wav", samples, 48000, layout="quad"))
    five = np.zeros((len(samples), 5), np.int16)  # the same as FL FR FC BL BR with an empty centre
    five[:, [0, 1, 3, 4]] = samples
    assert_agree(quad, auralis_fp.analyze_samples(five, 48000), BUILD)
    assert abs(quad.lufs - auralis_fp.analyze_samples(samples, 48000).lufs) > 0.05


@pytest.mark.parametrize("extension", ["wav", "flac", "mp3", "ogg", "opus", "m4a"])
def test_mono(extension: str, tmp_path: Path) -> None:
    samples = synth.song("rock", 5, 48000)[:, 0]
    path = encode(tmp_path / f"x.{extension}", samples, 48000)
    fp = auralis_fp.analyze(path)
    assert fp.metadata.channels == 1
    assert (fp.stereo_width, fp.phase_correlation) == (0, 1)
    assert_agree(fp, auralis_fp.analyze_samples(*decode(path)), BUILD)


def test_full_scale_of_every_integer_width(tmp_path: Path) -> None:
    """Full scale is ±1.0 in every width: a square wave at half of it has the same loudness in all."""
    square = (0.5 * np.sign(synth.tone(1000.5, 3, 48000) + np.float32(1e-9))).astype(np.float32)
    expected = auralis_fp.analyze_samples(square, 48000)
    for codec in ("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_s64le", "pcm_f32le", "pcm_f64le"):
        fp = auralis_fp.analyze(encode(tmp_path / f"{codec}.wav", square, 48000, "-c:a", codec))
        assert_agree(fp, expected, BUILD)


def test_chained_ogg_streams_are_one_recording(tmp_path: Path) -> None:
    # Of music, the encoder leaves holes in the spectrum, and its flatness shows a decoder's last bit. The
    # command ffmpeg may have another.
    noise = np.random.default_rng(5).integers(-9999, 9999, (441_000, 2)).astype(np.int16)
    one = EncodedFiles(tmp_path, noise, 44100).file("vorbis").read_bytes()
    chained = tmp_path / "chained.ogg"
    chained.write_bytes(one + one)
    samples, rate = decode(chained)
    fp = auralis_fp.analyze(chained)
    assert fp.metadata.samples_decoded == len(samples)
    assert fp.metadata.duration == pytest.approx(20, abs=0.1)
    assert_agree(fp, auralis_fp.analyze_samples(samples, rate), BUILD)


def test_ffmpeg_is_the_command_line_of_the_tests() -> None:
    """Sample counts above are those of this ffmpeg: it must be the version whose libraries are linked."""
    version = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, check=True).stdout
    libavcodec = next(line for line in version.splitlines() if line.startswith("libavcodec"))
    major = libavcodec.split()[1].rstrip(".").split(".")[0]
    assert major in str(auralis_fp.build_info()["ffmpeg"])
