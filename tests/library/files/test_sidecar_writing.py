"""Writing ``.25d`` files: what others store is kept, or the file is left alone."""

from __future__ import annotations

import json
import math
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.library import write_noise
from support.sidecars import VALUES, content_for, store, stored

from auralis_fp import FINGERPRINT_VERSION, NAMES
from auralis_fp.library.files import sidecar
from auralis_fp.library.files.sidecar import FileState


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
    assert written["fingerprint"] == VALUES
    assert Path(song + ".25d").stat().st_mode & 0o777 == 0o640


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
OUR_KEYS = {
    "format_version", "auralis_version", "generated_at", "audio_file", "fingerprint", "fingerprint_version",
    "fingerprint_crc32",
}  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.text() | st.sampled_from(["metadata", "processing_cache"]), JSON, max_size=5),
    st.integers(0, 4),
)
def test_whatever_others_store_is_kept(foreign: dict[str, Any], indent: int) -> None:
    foreign = {key: value for key, value in foreign.items() if key not in OUR_KEYS}
    with tempfile.TemporaryDirectory() as folder:
        song = write_noise(Path(folder) / "song.wav")
        path = Path(song + ".25d")
        path.write_text(json.dumps({**content_for(song), **foreign}, indent=indent or None))
        before = path.stat().st_size
        sidecar.write(song, VALUES, FileState.of(song))
        written = stored(song)
        assert {key: written[key] for key in foreign} == foreign
        assert sidecar.read(song) is not None
        assert path.stat().st_size < before + 200
        sizes = set()
        for _ in range(3):
            sidecar.write(song, VALUES, FileState.of(song))
            sizes.add(path.stat().st_size)
        assert len(sizes) == 1


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_mutations_never_raise_and_never_bend_a_number(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        song = write_noise(Path(folder) / "song.wav")
        if data.draw(st.booleans()):
            sidecar.write(song, VALUES, FileState.of(song))
        else:
            store(song, content_for(song))
        path = Path(song + ".25d")
        raw = bytearray(path.read_bytes())
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(raw) - 1))
            raw[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
        path.write_bytes(raw)
        read = sidecar.read(song)
        if read is not None:
            assert set(read) == {*NAMES, "fingerprint_version"}
            assert all(math.isfinite(value) for value in read.values())
        try:
            sidecar.write(song, VALUES, FileState.of(song))
            assert sidecar.read(song) == {**VALUES, "fingerprint_version": FINGERPRINT_VERSION}
        except OSError:
            assert path.read_bytes() == raw


@pytest.mark.parametrize(
    "foreign",
    [
        "[" * 900 + "0," * 100_000 + "0" + "]" * 900,  # with an indent, each zero takes two kilobytes
        json.dumps(list(range(300_000))),
        json.dumps({"é" * 100: "𝄞" * 100_000}, ensure_ascii=False),
        '"\\ud834"',
    ],
    ids=["nested", "numbers", "letters", "half a letter"],
)
def test_a_sidecar_does_not_grow(song: str, foreign: str) -> None:
    path = Path(song + ".25d")
    text = json.dumps(content_for(song), separators=(",", ":"))
    path.write_text(text[:-1] + f',"foreign":{foreign}}}')
    before = path.stat().st_size
    sidecar.write(song, VALUES, FileState.of(song))
    assert path.stat().st_size < before + 200
    assert stored(song)["foreign"] == json.loads(foreign)
    assert sidecar.read(song) is not None


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{}" + b" " * (5 << 20), "is too large"),
        (b'{"x": "' + b"\\u0001" * 500_000 + b"\xf0\x9f\x8e\xb5" * 280_000 + b'\\ud800"}', "is too large"),
        (b"[" * 200_000, "is nested too deeply"),
        (b'{"a":' * 100_000, "is nested too deeply"),
        (b'{"x": ' + b"9" * 1000 + b"}", "holds an endless number"),
        (b"[1, 2]", "holds something else"),
        (b"null", "holds something else"),
        (b'{"format_version": "2.0", "x": 1}', "is of a format other than 1.0"),
        (b'{"format_version": "3.0"}', "is of a format other than 1.0"),
        (b'{"format_version": 2}', "is of a format other than 1.0"),
    ],
    ids=range(10),
)
def test_what_could_not_be_kept_is_left_alone(song: str, data: bytes, why: str) -> None:
    path = Path(song + ".25d")
    path.write_bytes(data)
    assert sidecar.read(song) is None
    with pytest.raises(OSError, match=f"the present one {why} and is left alone"):
        sidecar.write(song, VALUES, FileState.of(song))
    assert path.read_bytes() == data
    assert len(list(path.parent.iterdir())) == 2


def test_what_is_unreadable_is_left_alone(unprivileged: Path) -> None:
    song = write_noise(unprivileged / "song.wav")
    store(song, {"mine": 1})
    Path(song + ".25d").chmod(0)
    with pytest.raises(OSError, match="Permission denied"):
        sidecar.write(song, VALUES, FileState.of(song))
    Path(song + ".25d").chmod(0o600)
    assert stored(song) == {"mine": 1}


def make_link(path: Path) -> None:
    target = path.with_name("elsewhere")
    target.write_text(json.dumps(content_for(str(path).removesuffix(".25d"))))
    target.chmod(0o4640)
    path.symlink_to(target)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo, Path.mkdir, make_socket, make_link,
        lambda path: path.symlink_to(path), lambda path: path.symlink_to("nowhere"),
        lambda path: path.symlink_to("/dev/zero"),
    ],
    ids=["pipe", "folder", "socket", "link", "loop", "dangling link", "device"],
)  # fmt: skip
def test_what_is_no_regular_file_is_left_alone(song: str, make: Callable[[Path], None]) -> None:
    path = Path(song + ".25d")
    make(path)

    def everything() -> list[tuple[str, int, int]]:
        states = [(entry.name, entry.lstat()) for entry in path.parent.iterdir()]
        return sorted((name, state.st_mode, state.st_ino) for name, state in states)

    before = everything()
    assert sidecar.read(song) is None  # and does not wait for a writer
    with pytest.raises(OSError, match="the present one is no regular file and is left alone"):
        sidecar.write(song, VALUES, FileState.of(song))
    assert everything() == before


@pytest.mark.parametrize(
    ("before", "after"), [(None, 0o644), (0o666, 0o644), (0o640, 0o640), (0o6777, 0o644), (0o400, 0o400)]
)
def test_a_sidecar_has_the_mode_of_a_new_file_or_less(song: str, before: int | None, after: int) -> None:
    path = Path(song + ".25d")
    if before is not None:
        store(song, {"mine": 1})
        path.chmod(before)
    umask = os.umask(0o022)
    try:
        sidecar.write(song, VALUES, FileState.of(song))
    finally:
        os.umask(umask)
    assert path.stat().st_mode & 0o7777 == after
    assert sidecar.read(song) is not None
