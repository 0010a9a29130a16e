"""Bad input gets the kind of error that tells what is wrong, at once, and opens nothing else."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import synth
from encode import FORMATS, Library, decode, encode, ffmpeg
from tolerances import assert_identical

import auralis_fp
from auralis_fp import (
    AnalysisError,
    CorruptAudio,
    FileNotFound,
    InvalidSamples,
    NoAudio,
    Timeout,
    Unreadable,
    Unsupported,
)

LIMIT_S = 1.0  # every refusal must come sooner: a Timeout is not the error that is expected


def refusal(path: str | bytes | os.PathLike[str]) -> AnalysisError:
    with pytest.raises(AnalysisError) as caught:
        auralis_fp.analyze(path, timeout=LIMIT_S)
    error = caught.value
    assert error.path == os.fsdecode(path)
    assert error.cause
    assert str(error) == f"{error.path}: {error.stage}: {error.cause}"
    return error


# --- things that are no files ------------------------------------------------------------------------


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
    """No file has such a name; the part in front of the null character is not meant."""
    (tmp_path / "a").write_bytes(wav.read_bytes())
    with pytest.raises((AnalysisError, ValueError)):
        auralis_fp.analyze(f"{tmp_path}/a\0b.wav")


@pytest.mark.parametrize("path", [None, 3, 1.5, ["a.wav"]])
def test_arguments_that_are_no_paths(path: object) -> None:
    with pytest.raises(TypeError):
        auralis_fp.analyze(path)  # type: ignore[arg-type]


# --- bytes that are no audio -------------------------------------------------------------------------


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


@pytest.mark.parametrize("name", NOT_AUDIO)
def test_bytes_in_memory_that_are_no_audio(name: str) -> None:
    with pytest.raises(Unsupported) as caught:
        auralis_fp.analyze_bytes(NOT_AUDIO[name]())
    assert (caught.value.path, caught.value.stage) == ("<bytes>", "probe")


@pytest.mark.parametrize("extension", ["png", "jpg", "gif", "bmp"])
def test_pictures(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"x.{extension}"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x240", "-frames:v", "1", path)
    assert isinstance(refusal(path), Unsupported | NoAudio)


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
def test_nothing_but_the_start_of_a_header(name: str, kept: int, library: Library, tmp_path: Path) -> None:
    path = tmp_path / f"x.{FORMATS[name].extension}"
    path.write_bytes(library.file(name).read_bytes()[:kept])
    assert isinstance(refusal(path), Unsupported | CorruptAudio | NoAudio)


def test_m4a_without_its_index(library: Library, tmp_path: Path) -> None:
    whole = library.file("aac-m4a").read_bytes()
    path = tmp_path / "x.m4a"
    path.write_bytes(whole[: whole.index(b"moov") - 4])
    assert isinstance(refusal(path), Unsupported | CorruptAudio)


@pytest.mark.parametrize("name", ["flac-16", "vorbis", "alac-m4a", "wavpack", "aac-m4a-faststart"])
def test_a_header_before_nothing_but_noise(name: str, library: Library, tmp_path: Path) -> None:
    whole = bytearray(library.file(name).read_bytes())
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
    name: str, kept: float, library: Library, tmp_path: Path
) -> None:
    whole = library.file(name).read_bytes()
    path = tmp_path / f"x.{FORMATS[name].extension}"
    path.write_bytes(whole[: int(len(whole) * kept)])
    fp = auralis_fp.analyze(path, timeout=LIMIT_S)
    assert fp.metadata.duration == pytest.approx(10 * kept, abs=1.2)  # Ogg keeps a second to a page
    samples, _ = decode(path)
    assert fp.metadata.samples_decoded == pytest.approx(len(samples), abs=4608)  # one packet either way


@pytest.mark.parametrize("name", ["flac-16", "mp3-cbr-128", "aac-adts", "aac-m4a", "alac-m4a", "tta"])
def test_damaged_packets_are_skipped_and_counted(name: str, library: Library, tmp_path: Path) -> None:
    whole = bytearray(library.file(name).read_bytes())
    middle, burst = len(whole) // 2, len(whole) // 50
    whole[middle : middle + burst] = np.random.default_rng(5).bytes(burst)
    path = tmp_path / f"x.{FORMATS[name].extension}"
    path.write_bytes(whole)
    fp, intact = auralis_fp.analyze(path), auralis_fp.analyze(library.file(name))
    assert fp.metadata.damaged_packets > 0
    assert fp.metadata.duration == pytest.approx(10, abs=1.1)  # a frame of TTA is a second
    assert fp.lufs == pytest.approx(intact.lufs, abs=1.5)
    assert fp.bass_pct == pytest.approx(intact.bass_pct, abs=5)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_damage_never_gives_nonsense(name: str, seed: int, library: Library) -> None:
    """Bytes changed, cut out and put in twice, anywhere: an error, or numbers that are numbers."""
    rng = np.random.default_rng(seed)
    data = bytearray(library.file(name).read_bytes())
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
def test_wrong_extension_does_not_matter(name: str, wrong: str, library: Library, tmp_path: Path) -> None:
    path = tmp_path / f"x.{wrong}"
    path.write_bytes(library.file(name).read_bytes())
    assert auralis_fp.analyze(path) == auralis_fp.analyze(library.file(name))


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


# --- names and files that point elsewhere ------------------------------------------------------------


@contextmanager
def opened(folder: Path) -> Iterator[set[str]]:
    """Names of the files in ``folder`` that anyone opens meanwhile (Linux inotify)."""
    in_open = 0x20
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_NONBLOCK)
    assert watch >= 0
    assert libc.inotify_add_watch(watch, os.fsencode(folder), in_open) >= 0
    names: set[str] = set()
    try:
        yield names
        try:
            events = os.read(watch, 1 << 16)
        except BlockingIOError:
            events = b""
        while events:
            _, _, _, length = struct.unpack_from("iIII", events)
            names.add(os.fsdecode(events[16 : 16 + length].rstrip(b"\0")))
            events = events[16 + length :]
    finally:
        os.close(watch)


def test_the_watch_sees_what_is_opened(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with opened(tmp_path) as names:
        (tmp_path / "a").read_bytes()
    assert names == {"a"}


def alias_reference(target: Path) -> bytes:
    """A QuickTime data reference that says: the media is in that file."""
    name = os.fsencode(target)
    record = bytes(10) + b"\x04disk".ljust(28, b"\0") + bytes(12) + bytes([len(target.name)])
    record += os.fsencode(target.name).ljust(63, b"\0") + bytes(16) + bytes(4) + bytes(16)
    for kind, text in ((2, b"disk:" + name.lstrip(b"/").replace(b"/", b":")), (18, name)):
        record += struct.pack(">hH", kind, len(text)) + text + bytes(len(text) % 2)
    record += struct.pack(">hH", -1, 0)
    return struct.pack(">I4sI", 12 + len(record), b"alis", 0) + record


def m4a_with_media_elsewhere(m4a: bytes, target: Path) -> bytes:
    """The index of an M4A file whose data reference points at ``target``, without the media itself."""
    at = m4a.index(b"moov") - 4
    moov = m4a[at : at + int.from_bytes(m4a[at : at + 4], "big")]
    own = struct.pack(">I4sI", 12, b"url ", 1)
    assert moov.count(own) == 1
    place, foreign = moov.index(own), alias_reference(target)
    grown = bytearray(moov.replace(own, foreign))
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        box = moov.rindex(name, 0, place) - 4
        size = int.from_bytes(grown[box : box + 4], "big") + len(foreign) - len(own)
        grown[box : box + 4] = size.to_bytes(4, "big")
    head = m4a[: int.from_bytes(m4a[:4], "big")]
    return head + bytes(grown)


def pointers(target: Path, m4a: bytes) -> dict[str, tuple[str, bytes]]:
    """Files that hold no audio but the place of some: name → (file name, content)."""
    uri, name = target.as_uri(), target.name
    return {
        "m3u8": (
            "list.m3u8",
            f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{name}\n#EXT-X-ENDLIST\n".encode(),
        ),
        "m3u8-uri": ("list.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{uri}\n".encode()),
        "m3u8-as-mp3": ("list.mp3", f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{name}\n".encode()),
        "m3u": ("list.m3u", f"{name}\n".encode()),
        "pls": ("list.pls", f"[playlist]\nFile1={name}\nNumberOfEntries=1\n".encode()),
        "concat": ("list.ffconcat", f"ffconcat version 1.0\nfile {name}\n".encode()),
        "concat-absolute": ("list.txt", f"ffconcat version 1.0\nfile '{target}'\n".encode()),
        "sdp": (
            "x.sdp",
            b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
        ),
        "dash": (
            "x.mpd",
            f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
            f'<Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="1">'
            f"<BaseURL>{name}</BaseURL></Representation></AdaptationSet></Period></MPD>".encode(),
        ),
        "cue": ("x.cue", f'FILE "{name}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n'.encode()),
        "xspf": (
            "x.xspf",
            f'<?xml version="1.0"?><playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList><track>'
            f"<location>{uri}</location></track></trackList></playlist>".encode(),
        ),
        "asx": ("x.asx", f'<asx version="3.0"><entry><ref href="{uri}"/></entry></asx>'.encode()),
        "ram": ("x.ram", f"{uri}\n".encode()),
        "quicktime-reference": ("x.m4a", m4a_with_media_elsewhere(m4a, target)),
        "imf": ("ASSETMAP.xml", f"<AssetMap><Path>{name}</Path></AssetMap>".encode()),
    }


POINTERS = (
    *(
        "m3u8",
        "m3u8-uri",
        "m3u8-as-mp3",
        "m3u",
        "pls",
        "concat",
        "concat-absolute",
        "sdp",
        "dash",
        "cue",
        "xspf",
    ),
    *("asx", "ram", "quicktime-reference", "imf"),
)


@pytest.mark.parametrize("kind", POINTERS)
def test_files_that_point_at_others(kind: str, library: Library, tmp_path: Path) -> None:
    target = tmp_path / ("media.m4a" if kind == "quicktime-reference" else "media.wav")
    source = library.file("aac-m4a" if kind == "quicktime-reference" else "wav-s16")
    target.write_bytes(source.read_bytes())
    name, content = pointers(target, library.file("aac-m4a").read_bytes())[kind]
    (tmp_path / name).write_bytes(content)
    with opened(tmp_path) as names:
        error = refusal(tmp_path / name)
    assert isinstance(error, Unsupported | CorruptAudio | NoAudio)
    assert names == {name}


@pytest.mark.parametrize(
    "name",
    [
        "http://127.0.0.1:9/x.mp3",
        "https://127.0.0.1:9/x.mp3",
        "file:media.wav",
        "concat:media.wav|media.wav",
        "subfile,,start,0,end,0,,:media.wav",
        "crypto:media.wav",
        "data:audio/wav;base64,UklGRg==",
        "async:media.wav",
        "cache:media.wav",
        "pipe:0",
        "-",
        "fd:0",
        "tcp://127.0.0.1:9",
        "lavfi:sine",
        "media.wav?x=1",
        "media.wav#t=1",
        "%6Dedia.wav",
    ],
)
def test_names_that_look_like_addresses(
    name: str, wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without such a file there is none; with one, it is that file that is measured."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "media.wav").write_bytes(synth.to_int16(synth.tone(1000, 1)).tobytes())
    error = refusal(name)
    assert (type(error), error.stage) == (FileNotFound, "open")
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(wav.read_bytes())
    assert_identical(auralis_fp.analyze(name), auralis_fp.analyze(wav))


# --- samples in memory -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("samples", "rate"),
    [
        (np.zeros(100), 44100),
        (np.zeros(100, np.int32), 44100),
        (np.zeros(100, np.uint8), 44100),
        (np.zeros(100, np.complex64), 44100),
        (np.zeros(100, ">f4"), 44100),
        (np.zeros((), np.float32), 44100),
        (np.zeros((10, 10, 2), np.float32), 44100),
        (np.zeros((100, 9), np.float32), 44100),
        (np.zeros((100, 0), np.float32), 44100),
        (np.full(100, np.nan, np.float32), 44100),
        (np.array([0, np.inf], np.float32), 44100),
        (np.array([0, -2e6], np.float32), 44100),
        (np.array([0, -np.inf] * 30_000, np.float32).reshape(-1, 2), 44100),
        (np.zeros(100, np.float32), 0),
        (np.zeros(100, np.float32), -44100),
        (np.zeros(100, np.float32), 1999),
        (np.zeros(100, np.float32), 768_001),
        (np.zeros(100, np.float32), 1 << 40),
    ],
    ids=lambda value: f"{value.dtype}{value.shape}" if isinstance(value, np.ndarray) else str(value),
)
def test_unusable_samples(samples: synth.Samples, rate: int) -> None:
    with pytest.raises(InvalidSamples) as caught:
        auralis_fp.analyze_samples(samples, rate)
    assert isinstance(caught.value, ValueError)
    assert caught.value.path == "<samples>"


def test_a_late_sample_that_is_no_number() -> None:
    samples = synth.noise(20)
    samples[-1] = np.nan
    with pytest.raises(InvalidSamples):
        auralis_fp.analyze_samples(samples, 44100)


@pytest.mark.parametrize("shape", [(0,), (0, 2)])
def test_no_samples(shape: tuple[int, ...]) -> None:
    with pytest.raises((NoAudio, InvalidSamples)):
        auralis_fp.analyze_samples(np.zeros(shape, np.float32), 44100)


@pytest.mark.parametrize("rate", [44100.5, "44100", None])
def test_rates_that_are_no_integers(rate: object) -> None:
    with pytest.raises((TypeError, InvalidSamples)):
        auralis_fp.analyze_samples(np.zeros(100, np.float32), rate)  # type: ignore[arg-type]
