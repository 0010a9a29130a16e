"""Tables of files measured: the numbers of ``analyze``, in Arrow, and failures as rows."""

from __future__ import annotations

import os
import threading
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import fs
from support.encode import EncodedFiles
from support.library import write_noise

import auralis_fp
from auralis_fp import NAMES, AnalysisError, Fingerprint
from auralis_fp.cluster import RESULT_SCHEMA, analyze_batches, analyze_table, storage, table


def rows_of(*uris: str | Path | None, **options: Any) -> list[dict[str, Any]]:
    column = pa.array([None if uri is None else str(uri) for uri in uris], pa.string())
    found = analyze_table(pa.table({"uri": column}), **options)
    assert found.schema == RESULT_SCHEMA
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def assert_is(row: dict[str, Any], expected: Fingerprint) -> None:
    """Bit for bit, including what is known about the recording."""
    assert [row[name] for name in NAMES] == expected.vector.tolist()
    assert row["undefined"] == [name for name in NAMES if name in expected.undefined]
    assert {name: row[name] for name in asdict(expected.metadata)} == asdict(expected.metadata)
    assert row["findings"] == list(expected.metadata.findings)
    assert row["error_kind"] is row["error_stage"] is row["error_cause"] is None


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is also the bucket ``s3://bucket``: the files are read as those of an object store."""
    folder = tmp_path / "bucket"
    folder.mkdir()
    store = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    monkeypatch.setattr(storage, "_filesystem", lambda scheme, authority: (store, authority))
    monkeypatch.setattr(storage, "_SPOOLS", 1)
    return folder


@pytest.mark.parametrize("name", ["mp3-vbr-4", "flac-16", "aac-m4a", "vorbis"])
def test_numbers_are_those_of_analyze(name: str, encoded: EncodedFiles, elsewhere: Path) -> None:
    path = encoded.file(name)
    (elsewhere / path.name).write_bytes(path.read_bytes())
    for row in rows_of(path, f"file://{path}", f"s3://bucket/{path.name}"):
        assert_is(row, auralis_fp.analyze(path))
        assert row["size"] == path.stat().st_size
        assert row["fingerprint_version"] == auralis_fp.FINGERPRINT_VERSION
        assert row["cpu_seconds"] > 0


def test_large_objects_go_through_a_temporary_file(
    wav: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "WHOLE_BYTES", 1000)
    monkeypatch.setattr(storage, "_PIECE", 100_000)
    for number in range(4):
        (elsewhere / f"{number}.wav").write_bytes(wav.read_bytes())
    for row in rows_of(*(f"s3://bucket/{number}.wav" for number in range(4)), threads=2):
        assert_is(row, auralis_fp.analyze(wav))


def test_an_object_for_which_there_is_no_room_is_a_row(
    wav: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "WHOLE_BYTES", 1000)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=17))
    (elsewhere / "song.wav").write_bytes(wav.read_bytes())
    (row,) = rows_of("s3://bucket/song.wav")
    assert row["error_kind"] == "ResourceLimit"
    assert "17 are free" in row["error_cause"]


@pytest.mark.parametrize("content", [b"", b"not audio at all", b"RIFF\x10\x00\x00\x00WAVEfmt "])
def test_bad_files_are_rows_with_the_error_of_analyze(content: bytes, elsewhere: Path) -> None:
    path = elsewhere / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(AnalysisError) as caught:
        auralis_fp.analyze(path)
    for row in rows_of(path, "s3://bucket/bad.wav"):
        assert row["error_kind"] == caught.value.kind
        assert row["error_stage"] == caught.value.stage
        assert row["error_cause"] == caught.value.cause
        assert row["lufs"] is row["duration"] is row["undefined"] is None
        assert row["size"] == len(content)


@pytest.mark.parametrize(
    ("uri", "kind", "cause"),
    [
        ("/no/such/file.mp3", "FileNotFound", "No such file"),
        ("s3://bucket/no.mp3", "FileNotFound", "no such object"),
        ("http://127.0.0.1/song.mp3", "Unsupported", "http is not read"),
        ("https://127.0.0.1/song.mp3", "Unsupported", "https is not read"),
        ("ftp://127.0.0.1/song.mp3", "Unsupported", "ftp is not read"),
        ("mock://a/b", "Unsupported", "mock is not read"),
        ("file://server/song.mp3", "Unsupported", "another machine"),
        ("s3://key:secret@bucket/song.mp3", "Unsupported", "neither credentials nor settings"),
        ("s3://bucket?endpoint_override=evil.example/song.mp3", "Unsupported", "neither credentials"),
        ("", "Unreadable", "no URI"),
        (None, "Unreadable", "no URI"),
    ],
)
def test_what_cannot_be_opened_is_a_row(
    uri: str | None, kind: str, cause: str, elsewhere: Path, wav: Path
) -> None:
    bad, good = rows_of(uri, wav)
    assert (bad["uri"], bad["error_kind"], bad["error_stage"]) == (uri or "", kind, "open")
    assert cause in bad["error_cause"]
    assert good["error_kind"] is None


def test_names_of_objects_are_taken_as_they_are(wav: Path, elsewhere: Path) -> None:
    name = "what? #1 100%25 ä.wav"
    (elsewhere / name).write_bytes(wav.read_bytes())
    (row,) = rows_of(f"s3://bucket/{name}")
    assert row["error_kind"] is None


def test_paths_that_are_no_text_have_uris(tmp_path: Path) -> None:
    path = os.fsdecode(bytes(tmp_path) + b"/caf\xe9.wav")
    write_noise(path)
    uri = storage.to_uri(path)
    assert uri.endswith("/caf%E9.wav")
    (row,) = rows_of(uri)
    assert row["error_kind"] is None


def test_passing_errors_of_a_server_are_waited_out(
    wav: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere / "song.wav").write_bytes(wav.read_bytes())
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    failures = iter([OSError("AWS Error SLOW_DOWN"), OSError("curlCode: 56"), None])

    def fails_at_first(call: Any) -> Any:
        def inner() -> Any:
            if error := next(failures, None):
                raise error
            return call()

        return inner

    found = storage.patiently(fails_at_first(lambda: 5))
    assert found == 5
    hopeless = iter([OSError("AWS Error ACCESS_DENIED during HeadObject operation")])
    with pytest.raises(OSError, match="ACCESS_DENIED"):
        storage.patiently(lambda: (_ for _ in ()).throw(next(hopeless)))


def test_as_many_files_at_a_time_as_there_are_threads(elsewhere: Path) -> None:
    for number in range(12):
        write_noise(elsewhere / f"{number}.wav", number)
    running, most, lock = 0, 0, threading.Lock()

    def analyze(path: str, **_options: object) -> Fingerprint:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        found = auralis_fp.analyze(path)
        with lock:
            running -= 1
        return found

    rows = rows_of(*(elsewhere / f"{number}.wav" for number in range(12)), threads=3, analyze=analyze)
    assert [row["uri"] for row in rows] == [str(elsewhere / f"{number}.wav") for number in range(12)]
    assert most <= 3


def test_a_file_that_crashes_its_process_is_a_row(wav: Path, tmp_path: Path) -> None:
    from support import killers

    bad = tmp_path / "killer.wav"
    bad.write_bytes(b"do signal SIGSEGV")
    crashed, good = rows_of(bad, wav, isolate=True, analyze=killers.analyze)
    assert crashed["error_kind"] == "Crashed"
    assert_is(good, auralis_fp.analyze(wav))
    assert good["cpu_seconds"] is None


def test_batches_come_out_as_they_go_in(wav: Path) -> None:
    batch = pa.record_batch({"uri": pa.array([str(wav), "/no.wav"], pa.large_string())})
    first, second = analyze_batches(iter([batch, batch]), threads=2)
    assert first.num_rows == second.num_rows == 2
    assert first.schema == RESULT_SCHEMA


def test_a_table_without_the_column_is_refused() -> None:
    with pytest.raises(KeyError):
        analyze_table(pa.table({"path": ["/song.mp3"]}))
