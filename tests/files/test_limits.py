"""Small files that claim or expand to much: bounded memory, and an error that names the limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from support.bombs import BOMBS, matroska, others
from support.bombs.flac import flac_silence
from support.bombs.searches import SEARCHES
from support.encode import EncodedFiles
from support.processes import run_program
from support.stopping import STOP_S
from support.tolerances import assert_identical

import auralis_fp

pytestmark = pytest.mark.unsanitized("measures memory, of which a sanitizer takes more")

LIMITS = auralis_fp.build_info()["limits"]
SECONDS = 100  # for the slowest machines

# Some limits come out of FFmpeg as ordinary errors, and look like damage.
TOLD = {
    "flac-pictures": "64 MB of headers",
    "mp4-stts-4294967280": "128 MB at once",
    "mp4-fragment-80M": "128 MB at once",
    "mp4-3000-streams": "64 streams",
    "mp4-tags": "2000 tags",
    "flac-tags": "2000 tags",
    "flac-tags-in-many-blocks": "2000 tags",
    "flac-blocks": "2000 tags",
    "ogg-tags": "2000 tags",
    "ogg-chained-tags": "2000 tags",
    "matroska-flac-comments": "2000 tags",
    "matroska-planes": "64 streams",
    "mp4-edits": "500 edits",
    "mp4-fragments": "500000 fragments",
    "mp4-segment-index": "500000 fragments",
    "mp4-2-long-indices": "index of more than 5000000",
    "wav-cues": "2000 tags",
    "mp4-compressed-200MB": "a compressed header of more than 64 MB",
    "mp4-compressed-300MB": "a compressed header of more than 64 MB",
    "matroska-200MB": "16 MB of headers",
    "id3-tags": "more than 1000 ID3v2 tags",
    "ape-30M-frames": "128 MB at once",
    "ogg-comment": "64 MB of headers",
}
# A file in which nothing else is wrong is measured as if they were not there.
MEASURED = {
    "flac-hour-of-silence": None,
    "flac-8-silent-channels": None,
    "flac-padding": "flac-16",
    "mp4-60-streams": "aac-m4a",
    "mp4-chapters": "aac-m4a",
    "matroska-tags": "flac-mka",
    "matroska-chapters": "flac-mka",
    "matroska-cues": "flac-mka",
    "matroska-attachments": "flac-mka",
    "adts-id3-texts": "aac-adts",
    "adts-id3-texts-v4": "aac-adts",
    "adts-id3-private": "aac-adts",
    "wav-id3-texts": "wav-s16",
    "wav-id3-private": "wav-s16",
    "wav-id3-many": "wav-s16",
    "wav-block-size": None,
}


def measure(path: Path, seconds: float = SECONDS) -> tuple[int, str]:
    """Bytes by which the peak of a fresh process grows, and the outcome."""
    done = run_program("memory/one_file", path, seconds, timeout=600)
    assert done.stderr == ""
    grown, _, result = done.stdout.strip().partition(" ")
    return int(grown), result


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_stays_within_the_ceiling(name: str, encoded: EncodedFiles, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(BOMBS[name](encoded))
    grown, result = measure(path)
    assert grown <= LIMITS["memory_bytes"]
    assert not result.startswith("Timeout")
    if name in TOLD:
        assert result.startswith("ResourceLimit: ")
        assert TOLD[name] in result
    if name in MEASURED:
        assert ":" not in result
        if (plain := MEASURED[name]) is not None:
            assert_identical(auralis_fp.analyze(path), auralis_fp.analyze(encoded.file(plain)))


@pytest.mark.parametrize("shift", range(6))
def test_what_is_skipped_may_begin_anywhere(shift: int, encoded: EncodedFiles) -> None:
    """Also across the 512 bytes that FFmpeg is given at a time: else these tags would be too many."""

    def shifted(make: Callable[[bytes], bytes], begin: bytes, padding: Callable[[int], bytes]) -> bytes:
        at = make(padding(0)).index(begin)
        made = make(padding((shift - 4 - at) % 512))
        assert made.index(begin) % 512 == (shift - 4) % 512
        return made

    tag, tags = others.id3_tag(3000), matroska.matroska_tags(3000)
    adts = shifted(
        lambda padding: others.adts_with_tag(encoded, padding + tag),
        tag[:20],
        lambda size: b"ID3\3\0\0" + others.synchsafe(size) + bytes(size),
    )
    mka = shifted(
        lambda padding: matroska.matroska_with(encoded, padding, tags),
        tags[:20],
        lambda size: matroska.element("ec", bytes(size)),
    )
    for data, plain in ((adts, "aac-adts"), (mka, "flac-mka")):
        assert_identical(auralis_fp.analyze_bytes(data), auralis_fp.analyze(encoded.file(plain)))


@pytest.mark.parametrize("name", SEARCHES)
def test_no_search_of_our_own_outlives_its_deadline(name: str, tmp_path: Path) -> None:
    path, timeout = tmp_path / "file", 0.2
    path.write_bytes(SEARCHES[name]())
    start = time.thread_time()
    with suppress(auralis_fp.AnalysisError):
        auralis_fp.analyze(path, timeout=timeout)
    assert time.thread_time() - start < timeout + STOP_S


def test_a_day_is_the_longest_recording() -> None:
    """A longer array is refused before it is measured."""
    samples = np.zeros(25 * 3600 * 2000, np.int16)
    with pytest.raises(auralis_fp.ResourceLimit, match="longer than 24 hours") as caught:
        auralis_fp.analyze_samples(samples, 2000)
    assert (caught.value.path, caught.value.stage) == ("<samples>", "analyze")


def test_memory_of_a_day(tmp_path: Path) -> None:
    """What an hour needs beyond ten minutes, 24 times, is far from the ceiling."""
    grown = []
    for minutes in (10, 70):
        path = tmp_path / f"{minutes}.flac"
        path.write_bytes(flac_silence(60 * minutes))
        assert path.stat().st_size < 60_000
        grown.append(measure(path)[0])
    assert grown[0] + 24 * (grown[1] - grown[0]) <= LIMITS["memory_bytes"]


def test_the_limits_are_told() -> None:
    assert LIMITS["channels"] == 8
    assert (LIMITS["min_sample_rate_hz"], LIMITS["max_sample_rate_hz"]) == (2000, 768_000)
    assert LIMITS["hours"] == 24
    assert all(isinstance(value, int) and value > 0 for value in LIMITS.values())
