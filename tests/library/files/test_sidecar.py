"""The ``.25d`` files: the contract with the existing application, and files nobody should trust."""

from __future__ import annotations

import fcntl
import json
import math
import os
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.library import write_noise

import auralis_fp
from auralis_fp import FINGERPRINT_VERSION, NAMES
from auralis_fp.library.files import sidecar
from auralis_fp.library.files.sidecar import FileState

VALUES = {name: index + 0.5 for index, name in enumerate(NAMES)}


def content_for(song: str) -> dict[str, Any]:
    """Write out what the contract says, independently of the module."""
    info = Path(song).stat()
    return {
        "format_version": "1.0",
        "auralis_version": "1.0.0",
        "generated_at": "2025-12-09T22:54:35.394772Z",
        "audio_file": {
            "path": Path(song).name,
            "size_bytes": info.st_size,
            "modified_at": datetime.fromtimestamp(info.st_mtime).isoformat(),
        },
        "fingerprint": {**VALUES, "fingerprint_version": FINGERPRINT_VERSION},
        "processing_cache": {},
        "metadata": {},
    }


def store(song: str, content: object) -> None:
    Path(song + ".25d").write_text(json.dumps(content))


def stored(song: str) -> dict[str, Any]:
    content = json.loads(Path(song + ".25d").read_text())
    assert isinstance(content, dict)
    return content


def test_what_is_written_is_the_contract(song: str) -> None:
    sidecar.write(song, VALUES, FileState.of(song))
    written, expected = stored(song), content_for(song)
    assert list(written) == list(expected)
    assert written["auralis_version"] == auralis_fp.__version__
    assert written["generated_at"].endswith("Z")
    assert datetime.fromisoformat(written["generated_at"].removesuffix("Z")).year >= 2025
    for key in ("format_version", "audio_file", "fingerprint", "processing_cache", "metadata"):
        assert written[key] == expected[key]
    assert sidecar.read(song) == {**VALUES, "fingerprint_version": FINGERPRINT_VERSION}
    assert sorted(path.name for path in Path(song).parent.iterdir()) == ["song.wav", "song.wav.25d"]


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


def test_foreign_content_is_kept(song: str) -> None:
    content = content_for(song)
    content["processing_cache"] = {"gain": [1, 2, {"x": None}], "big": 2**70}
    content["metadata"] = {"note": "mine é", "nan": 1.5}
    content["future"] = {"key": True}
    content["audio_file"]["sha256"] = "abc"
    content["fingerprint"] = {
        "frequency": dict.fromkeys(NAMES[:7], 9.0) | {"extra": 3}, "fingerprint_version": 4, "mood": "x"
    }  # fmt: skip
    store(song, content)
    Path(song + ".25d").chmod(0o640)
    assert sidecar.read(song) is None
    sidecar.write(song, VALUES, FileState.of(song))
    written = stored(song)
    for key in ("processing_cache", "metadata", "future"):
        assert written[key] == content[key]
    assert written["audio_file"]["sha256"] == "abc"
    assert written["fingerprint"].pop("frequency") == {"extra": 3}
    assert written["fingerprint"].pop("mood") == "x"
    assert written["fingerprint"] == {**VALUES, "fingerprint_version": FINGERPRINT_VERSION}
    assert Path(song + ".25d").stat().st_mode & 0o777 == 0o640


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
        ("fingerprint/fingerprint_version", "100"), ("fingerprint/fingerprint_version", True),
        ("fingerprint/fingerprint_version", 101),
    ],
)  # fmt: skip
def test_anything_else_is_a_miss(song: str, path: str, value: object) -> None:
    content = content_for(song)
    store(song, content)
    assert sidecar.read(song) is not None
    change(path, value)(content)
    store(song, content)
    assert sidecar.read(song) is None


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


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_mutations_never_raise_and_never_bend_a_number(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        song = write_noise(Path(folder) / "song.wav")
        raw = bytearray(json.dumps(content_for(song)).encode())
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(raw) - 1))
            raw[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
        Path(song + ".25d").write_bytes(raw)
        read = sidecar.read(song)
        if read is not None:
            assert set(read) == {*NAMES, "fingerprint_version"}
            assert all(math.isfinite(value) for value in read.values())
        sidecar.write(song, VALUES, FileState.of(song))
        assert sidecar.read(song) == {**VALUES, "fingerprint_version": FINGERPRINT_VERSION}


def test_things_that_are_no_files(song: str) -> None:
    path = Path(song + ".25d")
    os.mkfifo(path)
    assert sidecar.read(song) is None  # and does not wait for a writer
    with pytest.raises(OSError, match="something else"):
        sidecar.write(song, VALUES, FileState.of(song))
    path.unlink()
    path.mkdir()
    assert sidecar.read(song) is None
    with pytest.raises(OSError, match="something else"):
        sidecar.write(song, VALUES, FileState.of(song))
    path.rmdir()
    path.symlink_to(path)
    assert sidecar.read(song) is None
    path.unlink()
    target = path.with_name("elsewhere")
    path.symlink_to(target)
    sidecar.write(song, VALUES, FileState.of(song))
    assert not path.is_symlink()
    assert sidecar.read(song) is not None
    assert not target.exists()


def test_a_file_too_large_to_read_is_not_replaced(song: str) -> None:
    Path(song + ".25d").write_bytes(b"{}" + b" " * (5 << 20))
    with pytest.raises(OSError, match="something else"):
        sidecar.write(song, VALUES, FileState.of(song))
    assert Path(song + ".25d").stat().st_size > 5 << 20


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


@pytest.mark.parametrize("nameless", [True, False])
@pytest.mark.parametrize("present", [True, False])
def test_a_failed_write_leaves_the_old_file_and_no_other(
    song: str, monkeypatch: pytest.MonkeyPatch, nameless: bool, present: bool
) -> None:
    if not nameless:  # as on a file system, or a system, without O_TMPFILE
        monkeypatch.delattr(os, "O_TMPFILE")
    if present:
        store(song, {"mine": 1})
    before = sorted(Path(song).parent.iterdir())

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            sidecar.write(song, VALUES, FileState.of(song))
    assert sorted(Path(song).parent.iterdir()) == before
    if present:
        assert stored(song) == {"mine": 1}
    sidecar.write(song, VALUES, FileState.of(song))
    assert sidecar.read(song) is not None
    assert len(list(Path(song).parent.iterdir())) == 2


def test_a_read_only_folder_costs_the_cache_alone(unprivileged: Path) -> None:
    song = write_noise(unprivileged / "song.wav")
    unprivileged.chmod(0o555)
    with pytest.raises(OSError, match="Permission denied"):
        sidecar.write(song, VALUES, FileState.of(song))
    assert sidecar.read(song) is None


def test_orphans_go_and_files_that_are_written_or_foreign_stay(tmp_path: Path) -> None:
    orphan = tmp_path / ".0123456789abcdef.25d.auralis-fp-tmp"
    written = tmp_path / ".fedcba9876543210.25d.auralis-fp-tmp"
    foreign = tmp_path / ".mine.25d.auralis-fp-tmp"
    for path in (orphan, written, foreign):
        path.write_text("half")
    with written.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        names = sorted(path.name for path in tmp_path.iterdir())
        assert sidecar.remove_orphans(str(tmp_path), names) == 1
        assert sorted(tmp_path.iterdir()) == sorted([written, foreign])
    assert sidecar.remove_orphans(str(tmp_path), [written.name]) == 1


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    song = write_noise(tmp_path / "caf\udce9.wav")
    sidecar.write(song, VALUES, FileState.of(song))
    assert sidecar.read(song) is not None
    assert json.loads(Path(song + ".25d").read_bytes())["audio_file"]["path"] == "caf\ufffd.wav"
