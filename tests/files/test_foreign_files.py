"""Files that refer to other files or addresses: nothing else is opened."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import synth
from support.encode import EncodedFiles
from support.refusals import refusal
from support.tolerances import assert_identical

import auralis_fp
from auralis_fp import CorruptAudio, FileNotFound, NoAudio, Unsupported


@contextmanager
def opened(folder: Path) -> Iterator[set[str]]:
    """Names of the files in ``folder`` that any program opens meanwhile (Linux inotify)."""
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
    """Files that hold no audio but refer to some: name → (file name, content)."""
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
def test_files_that_point_at_others(kind: str, encoded: EncodedFiles, tmp_path: Path) -> None:
    target = tmp_path / ("media.m4a" if kind == "quicktime-reference" else "media.wav")
    source = encoded.file("aac-m4a" if kind == "quicktime-reference" else "wav-s16")
    target.write_bytes(source.read_bytes())
    name, content = pointers(target, encoded.file("aac-m4a").read_bytes())[kind]
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
    """Without a file of that name there is an error; with one, that file is measured."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "media.wav").write_bytes(synth.to_int16(synth.tone(1000, 1)).tobytes())
    error = refusal(name)
    assert (type(error), error.stage) == (FileNotFound, "open")
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(wav.read_bytes())
    assert_identical(auralis_fp.analyze(name), auralis_fp.analyze(wav))
