"""What is compressed within a file is inflated under the usual limits, or not at all."""

from __future__ import annotations

import random
import resource
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from support.bombs.compressed import (
    MAKERS,
    QUICKTIME,
    audio,
    audio_at,
    behind_its_audio,
    compressed,
    encodings,
    matroska_pcm,
    number,
    packed,
    pcm_blocks,
    pcm_track,
    picture_tracks,
    plain_header,
)  # fmt: skip
from support.bombs.matroska import element, matroska
from support.bombs.mp4 import box
from support.encode import EncodedFiles
from support.processes import run_program
from support.stopping import STOP_S
from support.tolerances import assert_identical

import auralis_fp

MEMORY = auralis_fp.build_info()["limits"]["memory_bytes"]
TIMEOUT_S = 1
START_S = 1  # of Python, the package and what it needs


@pytest.mark.unsanitized("measures memory, of which a sanitizer takes more")
@pytest.mark.parametrize("name", MAKERS)
def test_what_expands_keeps_to_time_and_memory(name: str, encoded: EncodedFiles, tmp_path: Path) -> None:
    expected, make = MAKERS[name]
    sizes = [8, random.SystemRandom().randint(1, 30)]
    print(f"sizes {sizes}")
    for size in sizes:
        path = tmp_path / str(size)
        path.write_bytes(make(encoded, size))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        grown, _, result = run_program("memory/one_file", path, TIMEOUT_S).stdout.strip().partition(" ")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert expected in result
        assert int(grown) <= MEMORY
        work_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        assert work_s < TIMEOUT_S + STOP_S + START_S


# --- QuickTime ---------------------------------------------------------------------------------------------


def in_front(encoded: EncodedFiles, sound: Callable[[bytes], bytes] = lambda data: data) -> bytes:
    """With the header in front of the audio, whose place depends on how well the header is compressed."""
    place = 0
    while True:
        front = QUICKTIME + box(b"moov", compressed(plain_header(encoded, place + 8)))
        if len(front) == place:
            return front + sound(audio(encoded))
        place = len(front)


def in_long_boxes(encoded: EncodedFiles) -> bytes:
    """With sizes of 64 bits, and other boxes around."""
    sound = audio(encoded)[8:]
    front = QUICKTIME + struct.pack(">I4sQ", 1, b"mdat", 16 + len(sound))
    header = compressed(box(b"moov", plain_header(encoded, len(front))))  # as QuickTime writes them
    header = box(b"rmra", b"") + header + box(b"udta", b"")
    return front + sound + box(b"wide", b"") + struct.pack(">I4sQ", 1, b"moov", 16 + len(header)) + header


PLACES: dict[str, Callable[[EncodedFiles], bytes]] = {
    "behind": lambda encoded: behind_its_audio(encoded, plain_header(encoded, audio_at())),
    "in front": in_front,
    "in front of audio until the end": lambda encoded: in_front(encoded, lambda data: bytes(4) + data[4:]),
    "among others": in_long_boxes,
}


@pytest.mark.parametrize("place", PLACES)
def test_a_harmless_header_is_read(place: str, encoded: EncodedFiles) -> None:
    measured, plain = (
        auralis_fp.analyze_bytes(PLACES[place](encoded)),
        auralis_fp.analyze(encoded.file("aac-m4a")),
    )
    assert_identical(measured, plain)
    assert measured.metadata == plain.metadata


def test_audio_that_is_cut_off_behind_a_compressed_header(encoded: EncodedFiles) -> None:
    whole = in_front(encoded)
    measured = auralis_fp.analyze_bytes(whole[: len(whole) * 3 // 4]).metadata
    assert "truncated" in measured.findings
    assert measured.duration == pytest.approx(7.5, abs=0.5)


@pytest.mark.parametrize("damage", ["cut", "flipped", "claims more", "claims less", "another method"])
def test_a_damaged_header_is_no_audio(damage: str, encoded: EncodedFiles) -> None:
    header = plain_header(encoded, audio_at())
    packed_header = compressed(header, claim={"claims less": len(header) - 1}.get(damage))
    if damage == "cut":
        packed_header = box(b"cmov", packed_header[8:-100])
    elif damage == "flipped":
        at = len(packed_header) // 2
        packed_header = packed_header[:at] + bytes([packed_header[at] ^ 255]) + packed_header[at + 1 :]
    elif damage == "another method":
        packed_header = packed_header.replace(b"zlib", b"adec")
    elif damage == "claims more":
        packed_header = compressed(header, claim=65 << 20)
    data = QUICKTIME + audio(encoded) + box(b"moov", packed_header)
    expected = auralis_fp.ResourceLimit if damage == "claims more" else auralis_fp.AnalysisError
    with pytest.raises(expected):
        auralis_fp.analyze_bytes(data)


# --- Matroska ----------------------------------------------------------------------------------------------


def test_packets_that_begin_alike_are_completed(encoded: EncodedFiles) -> None:
    samples = encoded.samples.copy()
    samples[::1000] = (7, -7)
    left_out = samples[0].tobytes()
    plain = auralis_fp.analyze_bytes(matroska_pcm(pcm_track(), pcm_blocks(samples)))
    strip = encodings(number("4254", 3), element("4255", left_out), scope=1)
    stripped = matroska_pcm(pcm_track(strip), pcm_blocks(samples, left_out))
    assert_identical(auralis_fp.analyze_bytes(stripped), plain)
    assert_identical(auralis_fp.analyze_samples(samples, 44100), plain)


def test_other_tracks_may_be_compressed(encoded: EncodedFiles) -> None:
    """As subtitles usually are, of which nothing is read."""
    pictures = picture_tracks(3, packed("zlib"), encodings())
    data = matroska_pcm(pictures + pcm_track(), pcm_blocks(encoded.samples))
    assert_identical(auralis_fp.analyze_bytes(data), auralis_fp.analyze(encoded.file("wav-s16")))


@pytest.mark.parametrize(
    "hidden",
    [
        encodings(number("4254", 3)) + encodings(number("4254", 0)),
        encodings(number("4254", 3), number("4254", 1)),
        encodings(element("4254", bytes(8) + b"\3")),
        element("6d80", element("6240", b"")),
        element("6d80", element("6240", element("5034", number("4254", 3)) + element("5034", b""))),
        element("6d80", element("ec", b"6") + element("6240", element("5034", b""))),
        element("1f43b675", b"") + encodings(),
        element("7777", b"x" * 500) + encodings(),
    ],
)
def test_compression_cannot_hide(hidden: bytes, encoded: EncodedFiles) -> None:
    data = matroska_pcm(pcm_track(hidden), pcm_blocks(encoded.samples))
    with pytest.raises(auralis_fp.ResourceLimit, match="compressed once more"):
        auralis_fp.analyze_bytes(data)


@pytest.mark.parametrize("size", [None, 1 << 40])
def test_compression_cannot_hide_in_tracks_that_do_not_end(size: int | None, encoded: EncodedFiles) -> None:
    """FFmpeg stops reading them at the damage, and goes on with what it has read so far."""
    names = number("d7", 1) + number("83", 2) + element("86", b"A_PCM/INT/LIT")
    track = names + encodings() + element("e1", number("9f", 2))
    tracks = element("1f43b675", b"") + element("ae", track + b"\0", size)
    blocks = b"".join(element("a3", block) for block in pcm_blocks(encoded.samples))
    cluster = element("1f43b675", element("e7", b"\0") + blocks)
    data = matroska(element("1549a966", b""), element("1654ae6b", tracks, size and 2 * size), cluster)
    with pytest.raises(auralis_fp.ResourceLimit, match="compressed once more"):
        auralis_fp.analyze_bytes(data)
