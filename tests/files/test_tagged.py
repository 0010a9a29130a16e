"""Tags around a recording: they change nothing, wherever they stand."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import mutagen.apev2
import mutagen.id3
import pytest
from support import synth
from support.encode import EncodedFiles, encode
from support.tagging import LEADING, apev2, art, id3v1, id3v2, lyrics3v2, single_tags, trailing
from support.tolerances import assert_identical

import auralis_fp
from auralis_fp import Fingerprint

# Formats that are frames until the end of the file.
FRAMES = [
    "mp3-cbr-128",
    "mp3-vbr-0",
    "mp3-vbr-no-xing",
    "mp3-no-id3",
    "aac-adts",
    "flac-16",
    "wavpack",
    "tta",
    "ac3",
    "mp2",
]


@pytest.fixture(scope="module")
def mp3(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two seconds without any tag."""
    path = tmp_path_factory.mktemp("mp3") / "song.mp3"
    options = ("-b:a", "128k", "-id3v2_version", "0")
    return encode(path, synth.to_int16(synth.song("rock", 2, seed=3)), 44100, *options).read_bytes()


def assert_unheard(data: bytes, plain: Fingerprint, what: str) -> None:
    measured = auralis_fp.analyze_bytes(data)
    assert measured.metadata.findings == (), what
    assert measured.metadata == plain.metadata, what
    assert_identical(measured, plain)


@pytest.mark.parametrize("front", LEADING)
def test_all_combinations(front: str, mp3: bytes) -> None:
    plain = auralis_fp.analyze_bytes(mp3)
    assert plain.metadata.findings == ()
    for behind, tags in trailing():
        assert_unheard(LEADING[front] + mp3 + tags, plain, f"{front}; {behind}")


def test_tags_in_any_order_and_number(mp3: bytes) -> None:
    plain = auralis_fp.analyze_bytes(mp3)
    seed = random.SystemRandom().randrange(1 << 32)
    choice = random.Random(seed)
    for _ in range(100):
        tags = choice.choices(single_tags(), k=choice.randint(1, 6))
        front = choice.choice(list(LEADING.values()))
        assert_unheard(front + mp3 + b"".join(tags), plain, f"seed {seed}")


@pytest.mark.parametrize("name", FRAMES)
def test_formats_that_are_frames_until_the_end(name: str, encoded: EncodedFiles) -> None:
    data = encoded.file(name).read_bytes()
    plain = auralis_fp.analyze_bytes(data)
    assert plain.metadata.findings == ()
    assert_unheard(id3v2(3) + data + apev2() + lyrics3v2() + id3v1(), plain, name)


def test_what_mutagen_writes(mp3: bytes, tmp_path: Path) -> None:
    plain, path = auralis_fp.analyze_bytes(mp3), tmp_path / "song.mp3"
    path.write_bytes(mp3)
    frames: Any = mutagen.id3
    id3 = frames.ID3()
    id3.add(frames.TIT2(text="A title"))
    id3.add(frames.APIC(mime="image/png", type=3, data=art()))
    id3.save(path, v1=2)
    items: Any = mutagen.apev2
    tag = items.APEv2()
    tag["Title"] = "A title"
    tag["Cover Art (Front)"] = items.APEValue(b"cover.png\0" + art(), items.BINARY)
    tag.save(path)
    assert path.stat().st_size > len(mp3) + 2 * len(art())
    assert_unheard(path.read_bytes(), plain, "mutagen")


def test_what_is_no_tag_is_decoded(mp3: bytes) -> None:
    """Names of tags without the rest of a tag."""
    for text in (b"3DI\4\0\0\0\0\0\1", b"APETAGEX" + b"\xff" * 24, b"000000LYRICS200", b"LYRICSEND"):
        assert auralis_fp.analyze_bytes(mp3 + text.rjust(600, b"\x55")).metadata.findings == (
            "damaged_packets",
        )
    # A file of nothing but tags holds no audio.
    for tag in single_tags():
        with pytest.raises(auralis_fp.Unsupported):
            auralis_fp.analyze_bytes(tag)
