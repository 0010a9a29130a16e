"""Reading ``.25d`` files: the contract with the existing application, and files that must not be trusted."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from support.library import write_noise
from support.sidecars import VALUES, content_for, store, stored

import auralis_fp
from auralis_fp import FINGERPRINT_VERSION, NAMES
from auralis_fp.library.files import sidecar
from auralis_fp.library.files.sidecar import FileState


def test_what_is_written_is_the_contract(song: str) -> None:
    sidecar.write(song, VALUES, FileState.of(song))
    written, expected = stored(song), content_for(song)
    assert written["auralis_version"] == auralis_fp.__version__
    assert written["generated_at"].endswith("Z")
    assert datetime.fromisoformat(written["generated_at"].removesuffix("Z")).year >= 2025
    for key in ("format_version", "audio_file", "processing_cache", "metadata"):
        assert written[key] == expected[key]
    assert written["fingerprint"] == VALUES  # the application reads it only with just the 25
    assert sidecar.read(song) == {**VALUES, "fingerprint_version": FINGERPRINT_VERSION}
    assert sorted(path.name for path in Path(song).parent.iterdir()) == ["song.wav", "song.wav.25d"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("fingerprint/lufs", -9.25), ("fingerprint", dict.fromkeys(NAMES, 0.5)),
        ("fingerprint_version", KeyError), ("fingerprint_version", 8),
        ("fingerprint_version", True), ("fingerprint_crc32", KeyError), ("fingerprint_crc32", 0),
        ("fingerprint/fingerprint_version", 8),
    ],
)  # fmt: skip
def test_numbers_that_another_program_has_put_there_are_a_miss(song: str, path: str, value: object) -> None:
    sidecar.write(song, VALUES, FileState.of(song))
    assert_miss_after(change(path, value), song, stored(song))


def test_a_sidecar_of_the_application_is_read(song: str) -> None:
    store(song, content_for(song))
    assert sidecar.read(song) == {**VALUES, "fingerprint_version": FINGERPRINT_VERSION}


def test_numbers_nested_by_group_are_read(song: str) -> None:
    content = content_for(song)
    content["fingerprint"] = {
        "frequency": {name: VALUES[name] for name in NAMES[:7]},
        "dynamics": {name: VALUES[name] for name in NAMES[7:10]},
        "temporal": {name: VALUES[name] for name in NAMES[10:14]},
        "spectral": {name: VALUES[name] for name in NAMES[14:17]},
        "harmonic": {name: VALUES[name] for name in NAMES[17:20]},
        "variation": {name: VALUES[name] for name in NAMES[20:23]},
        "stereo": {name: VALUES[name] for name in NAMES[23:]},
        "fingerprint_version": FINGERPRINT_VERSION,
    }
    store(song, content)
    assert sidecar.read(song) == {**VALUES, "fingerprint_version": FINGERPRINT_VERSION}


def assert_miss_after(change: Callable[[dict[str, Any]], None], song: str, content: dict[str, Any]) -> None:
    """Check that a sidecar is valid as it is, and a miss once it is changed."""
    store(song, content)
    assert sidecar.read(song) is not None
    change(content)
    store(song, content)
    assert sidecar.read(song) is None


def change(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    def apply(content: dict[str, Any]) -> None:
        *parents, last = path.split("/")
        for parent in parents:
            content = content[parent]
        if value is KeyError:
            del content[last]
        else:
            content[last] = value

    return apply


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format_version", "2.0"), ("format_version", 1.0), ("format_version", None),
        ("audio_file", []), ("audio_file", KeyError), ("audio_file/size_bytes", 1),
        ("audio_file/size_bytes", "3244"), ("audio_file/size_bytes", True),
        ("audio_file/size_bytes", KeyError),
        ("audio_file/modified_at", "2001-01-01T00:00:00"), ("audio_file/modified_at", 12.5),
        ("audio_file/modified_at", None), ("fingerprint", None), ("fingerprint", [1.0] * 25),
        ("fingerprint/lufs", KeyError), ("fingerprint/lufs", math.nan), ("fingerprint/lufs", math.inf),
        ("fingerprint/lufs", "-9.5"), ("fingerprint/lufs", None), ("fingerprint/lufs", True),
        ("fingerprint/lufs", [1.0]), ("fingerprint/lufs", 10**400),
        ("fingerprint/fingerprint_version", KeyError), ("fingerprint/fingerprint_version", 8),
        ("fingerprint/fingerprint_version", "101"), ("fingerprint/fingerprint_version", True),
        ("fingerprint/fingerprint_version", 100), ("fingerprint/fingerprint_version", 102),
    ],
)  # fmt: skip
def test_anything_else_is_a_miss(song: str, path: str, value: object) -> None:
    assert_miss_after(change(path, value), song, content_for(song))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x00" * 100, b"{", b"[]", b"null", b"1", b'"x"', b"\xff\xfe\x00", b"[" * 200_000,
        b'{"a":' * 100_000, b'{"format_version": "1.0", "audio_file": ' + b"9" * 100_000 + b"}",
        b" " * (5 << 20), b'{"format_version": "1.0"}' * 2,
    ],
    ids=range(13),
)  # fmt: skip
def test_hostile_bytes_are_a_miss(song: str, data: bytes) -> None:
    Path(song + ".25d").write_bytes(data)
    assert sidecar.read(song) is None


def test_a_touched_file_is_a_miss_and_sub_second_times_count(song: str) -> None:
    sidecar.write(song, VALUES, FileState.of(song))
    info = Path(song).stat()
    os.utime(song, ns=(info.st_atime_ns, info.st_mtime_ns + 5_000))
    assert sidecar.read(song) is None
    os.utime(song, ns=(info.st_atime_ns, info.st_mtime_ns))
    assert sidecar.read(song) is not None
    os.utime(song, (1_000_000_000, 1_000_000_000))  # a whole second: isoformat() leaves the fraction out
    sidecar.write(song, VALUES, FileState.of(song))
    assert "." not in stored(song)["audio_file"]["modified_at"]
    assert sidecar.read(song) is not None


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    song = write_noise(tmp_path / "caf\udce9.wav")
    sidecar.write(song, VALUES, FileState.of(song))
    assert sidecar.read(song) is not None
    assert json.loads(Path(song + ".25d").read_bytes())["audio_file"]["path"] == "caf\ufffd.wav"


@pytest.mark.parametrize("seconds", [-2e9, -1, 0, 1e9 + 0.5, 10_413_792_000, 2**33])
def test_files_of_any_time_have_sidecars(song: str, seconds: float) -> None:
    ns = int(seconds * 1e9)
    os.utime(song, ns=(ns, ns))
    sidecar.write(song, VALUES, FileState.of(song))
    assert sidecar.read(song) is not None
    os.utime(song, ns=(ns, ns + 10**9))
    assert sidecar.read(song) is None


def test_times_that_calendars_do_not_hold() -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:  # on a file system that has it
        far = write_noise(Path(folder) / "song.wav")
        for seconds in (10**12, -(10**12)):
            os.utime(far, (seconds, seconds))
            state = FileState.of(far)
            assert state.modified_at == f"{seconds}000000000 ns"
            sidecar.write(far, VALUES, state)
            assert sidecar.read(far) is not None
            os.utime(far, (seconds, seconds + 1))
            assert sidecar.read(far) is None
