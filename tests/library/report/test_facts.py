"""Facts about recordings and builds: kept in sidecars and databases, read back with care, reported."""

from __future__ import annotations

import csv
import json
import sqlite3
import wave
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.library import (
    LIBRARY_ROWS,
    FakeAnalyzer,
    Music,
    Recorder,
    add_tracks,
    application_database,
    run_command,
    values_of,
    write_noise,
)

import auralis_fp
from auralis_fp import NAMES, Metadata, reference
from auralis_fp.isolation import IsolatedAnalyzer
from auralis_fp.library import FingerprintExtractor, LibraryRepository, Scan
from auralis_fp.library.files import sidecar
from auralis_fp.library.files.sidecar import FileState
from auralis_fp.library.files.sidecar_facts import build_from, recording_from, recording_object
from auralis_fp.library.report.export import with_build
from auralis_fp.library.report.findings import FINDINGS, Findings, Recording
from auralis_fp.library.store.queries import stored_tracks
from auralis_fp.library.work.analyzers import build_of

RECORDING = Metadata(1.5, 44100, 2, "mp3", "mp3", 66150, 3, 2.0, 7, 1.0, -0.25, True)
BUILD = '{"engine": "core", "version": "0.1.0"}'


# --- sidecars ----------------------------------------------------------------------------------------


@pytest.fixture
def song(tmp_path: Path) -> str:
    return write_noise(tmp_path / "song.wav")


def metadata_of(song: str) -> Any:
    return json.loads(Path(song + ".25d").read_text())["metadata"]


def change_metadata(song: str, metadata: object) -> None:
    content = json.loads(Path(song + ".25d").read_text())
    Path(song + ".25d").write_text(json.dumps({**content, "metadata": metadata}))


def test_facts_go_into_the_sidecar_and_come_back(song: str) -> None:
    sidecar.write(song, values_of(song), FileState.of(song), recording=RECORDING, build=BUILD)
    change_metadata(song, {**metadata_of(song), "note": "of another program"})
    content = sidecar.load(song)
    assert content is not None
    assert (content.recording, content.build) == (RECORDING, BUILD)
    # What describes another analysis goes, what is another program's stays.
    sidecar.write(song, values_of(song), FileState.of(song))
    assert metadata_of(song) == {"note": "of another program"}
    content = sidecar.load(song)
    assert content is not None
    assert (content.recording, content.build) == (None, None)


@pytest.mark.parametrize("metadata", [None, [], "text", 7])
def test_metadata_of_another_kind_is_left_alone(song: str, metadata: object) -> None:
    sidecar.write(song, values_of(song), FileState.of(song))
    change_metadata(song, metadata)
    sidecar.write(song, values_of(song), FileState.of(song), recording=RECORDING, build=BUILD)
    assert metadata_of(song) == metadata
    assert sidecar.read(song) is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.sampled_from(sorted(asdict(RECORDING))), JSON)
def test_one_wrong_fact_costs_the_facts(name: str, value: Any) -> None:
    facts = {**asdict(RECORDING), name: value}
    recording = recording_from(facts)
    assert recording is None or asdict(recording) == facts
    if recording is not None:
        json.dumps(facts, allow_nan=False)
    elif value == asdict(RECORDING)[name]:
        assert type(value) is not type(asdict(RECORDING)[name])
    assert recording_from({key: fact for key, fact in facts.items() if key != name}) is None


@given(JSON)
def test_hostile_facts_are_none(value: Any) -> None:
    assert recording_from(value) is None
    build = build_from(value)
    assert build is None or json.loads(build)["engine"]
    assert build_from({"engine": "x" * 3000}) is None


def test_facts_are_those_of_every_analysis() -> None:
    samples = np.random.default_rng(1).standard_normal(8000, np.float32)
    recording = auralis_fp.analyze_samples(samples, 8000).metadata
    value = recording_object(recording)
    assert value is not None
    assert recording_from(json.loads(json.dumps(value))) == recording
    assert recording_object(replace(recording, peak=float("nan"))) is None


def test_the_extractor_keeps_and_finds_facts(library: LibraryRepository, song: str) -> None:
    first, second = add_tracks(library, [song, song + ".copy"])
    extractor = FingerprintExtractor(library)
    analyzed = extractor.extract(first, song)
    assert analyzed.metadata == auralis_fp.analyze(song).metadata
    cached = extractor.extract(second, song)
    assert (cached.metadata, cached.audio_seconds) == (analyzed.metadata, 0)
    builds = [track.build for track in stored_tracks(library.database)]
    assert builds == [build_of(auralis_fp.analyze)] * 2


# --- builds ------------------------------------------------------------------------------------------


def test_builds_are_what_build_info_says() -> None:
    info = auralis_fp.build_info()
    build = json.loads(build_of(auralis_fp.analyze) or "")
    assert build == {key: info[key] for key in build}
    assert {"engine", "version", "fingerprint_version", "cpu_level", "compiler", "ffmpeg", "soxr"} == set(
        build
    )
    assert build_of(IsolatedAnalyzer()) == build_of(auralis_fp.analyze)
    assert build_from(build) == build_of(auralis_fp.analyze)
    plain = json.loads(build_of(reference.analyze) or "")
    assert plain["engine"] == "reference"
    assert plain["packages"]["librosa"] != "?"
    assert build_of(FakeAnalyzer()) is None


def test_databases_of_this_package_tell_the_build(repository: LibraryRepository, song: str) -> None:
    (track,) = add_tracks(repository, [song])
    assert repository.keeps_builds
    assert FingerprintExtractor(repository, use_sidecar_files=False).extract_and_store(track, song)
    (stored,) = stored_tracks(repository.database)
    assert stored.build == build_of(auralis_fp.analyze)
    # The build is of the numbers: others come, it goes.
    repository.upsert(track, values_of(song))
    assert [found.build for found in stored_tracks(repository.database)] == [None]


@pytest.mark.parametrize("with_table", [True, False])
def test_databases_of_an_application_get_no_column(music: Music, tmp_path: Path, with_table: bool) -> None:
    songs = music(2)
    path = application_database(tmp_path / "app.db", songs)
    if not with_table:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("DROP TABLE track_fingerprints")
    repository = LibraryRepository(path)
    assert not repository.keeps_builds
    extractor = FingerprintExtractor(repository)
    assert extractor.extract_missing_fingerprints()["success"] == 2
    tracks = list(stored_tracks(repository.database))
    assert [track.build for track in tracks] == [None, None]
    # The sidecar tells, for as long as it is that of the same numbers.
    assert [with_build(track).build for track in tracks] == [build_of(auralis_fp.analyze)] * 2
    repository.upsert(tracks[0].id, dict.fromkeys(NAMES, 1.0))
    builds = [with_build(track).build for track in stored_tracks(repository.database)]
    assert builds == [None, build_of(auralis_fp.analyze)]
    repository.close()


def test_exports_tell_the_build(music: Music, tmp_path: Path) -> None:
    path = application_database(tmp_path / "app.db", music(2))
    assert run_command("scan", "--db", path).returncode == 0
    for options, expected in (((), build_of(auralis_fp.analyze)), (("--no-sidecar",), None)):
        rows = json.loads(run_command("export", "--db", path, "--format", "json", *options).stdout)
        assert [row["fingerprint_build"] for row in rows] == [expected] * 2
    shown = json.loads(run_command("show", "1", "--json", "--db", path).stdout)
    assert shown["build"] == build_of(auralis_fp.analyze)


# --- the report --------------------------------------------------------------------------------------


def write_samples(path: Path, samples: NDArray[np.float64]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(44100)
        file.writeframes(np.clip(samples * 32767, -32768, 32767).astype("<i2").tobytes())


@pytest.fixture
def flawed(tmp_path: Path) -> Path:
    """Give a folder with one file of each flaw, and one without."""
    folder = tmp_path / "flawed"
    folder.mkdir()
    noise = np.random.default_rng(1).standard_normal((44100, 2)) / 20
    for name, samples in {
        "good": noise, "clipped": noise * 100, "silent": noise * 0, "offset": noise + 0.05,
        "mono": np.repeat(noise[:, :1], 2, axis=1), "truncated": noise,
    }.items():  # fmt: skip
        write_samples(folder / f"{name}.wav", samples)
    data = (folder / "truncated.wav").read_bytes()
    (folder / "truncated.wav").write_bytes(data[: len(data) // 2 + 1])
    return folder


def report_lines(output: str) -> list[str]:
    lines = output.splitlines()
    return lines[next(i for i, line in enumerate(lines) if line.startswith("Recordings: ")) :]


def test_scan_report(flawed: Path, tmp_path: Path) -> None:
    first = run_command("scan", flawed, "--db", tmp_path / "a.db", "--report")
    assert first.returncode == 0, first.stdout + first.stderr
    lines = report_lines(first.stdout)
    assert lines[0] == "Recordings: 6, 5 with findings, 0 not known"
    for title, name, detail in (
        ("Truncated: 1", "truncated", "0.5 s of 1.0 s"),
        ("Damaged: 1", "truncated", "1 damaged packets"),
        ("Silent: 1", "silent", "1.0 s, peak 0"),
        ("Mono in stereo: 1", "mono", "2 channels with one signal"),
        ("DC offset: 1", "offset", "+5.0 % of full scale"),
    ):
        assert lines[lines.index(title) + 1] == f"  {flawed}/{name}.wav: {detail}"
    assert lines[lines.index("Clipping: 1") + 1].startswith(f"  {flawed}/clipped.wav: ")
    assert len(lines) == 13
    # From sidecars, in a scan or without one, it is the same.
    second = run_command("scan", flawed, "--db", tmp_path / "b.db", "--report")
    assert "6 from sidecars" in second.stdout
    assert report_lines(second.stdout) == lines
    assert run_command("report", "--db", tmp_path / "b.db").stdout.splitlines() == lines


def test_the_whole_list_goes_to_a_file(flawed: Path, tmp_path: Path) -> None:
    table, listed, database = tmp_path / "list.csv", tmp_path / "list.json", tmp_path / "a.db"
    done = run_command("scan", flawed, "--db", database, "--no-sidecar", "--report-to", table)
    assert report_lines(done.stdout)[0] == "Recordings: 6, 5 with findings, 0 not known"
    assert f"5 recordings with findings written to {table}" in done.stdout
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {Path(row["filepath"]).stem: row["findings"].split() for row in rows}
    assert found == {
        "clipped": ["clipping"], "silent": ["silent"], "mono": ["identical_channels"],
        "offset": ["dc_offset"], "truncated": ["truncated", "damaged_packets"],
    }  # fmt: skip
    # Nothing has kept the facts of that scan.
    assert "6 not known" in run_command("report", "--db", database).stdout
    assert run_command("scan", flawed, "--db", tmp_path / "b.db").returncode == 0
    assert run_command("report", "--db", database, "--output", listed, "--examples", "0").returncode == 0
    objects = json.loads(listed.read_text())
    assert {Path(item["filepath"]).stem: item["findings"] for item in objects} == found
    assert [item["peak"] for item in objects] == [float(row["peak"]) for row in rows]
    refused = run_command("report", "--db", database, "--output", tmp_path)
    assert (refused.returncode, "Traceback" in refused.stderr) == (2, False)


def test_facts_that_no_sidecar_could_take_are_reported(unprivileged: Path) -> None:
    folder = unprivileged / "music"
    folder.mkdir()
    write_samples(folder / "silent.wav", np.zeros((8000, 1)))
    folder.chmod(0o555)
    for keep, expected in ((False, []), (True, [("silent",)])):
        repository = LibraryRepository(unprivileged / f"{keep}.db")
        extractor = FingerprintExtractor(repository)
        report = Scan(repository, extractor, folders=[str(folder)], keep_metadata=keep).run(Recorder())
        assert report.statistics.sidecars_unwritten == 1
        assert [recording.findings for recording in report.metadata.values()] == expected
        repository.close()


def test_a_report_on_a_large_library_is_short() -> None:
    findings = Findings(examples=10)
    everything = replace(RECORDING, peak=0.0)
    for number in range(LIBRARY_ROWS):
        facts = replace(everything, clipped_runs=number) if number % 2 else None
        findings.add(Recording(number, f"/music/{number}\n.flac", facts))
    lines = list(findings.lines())
    assert lines[0] == "Recordings: 54756, 27378 with findings, 27378 not known"
    assert len(lines) == 1 + 6 * 12
    clipping = lines[lines.index("Clipping: 27378") + 1 :]
    assert clipping[0] == "  /music/54755\\n.flac: 54755 runs at full scale, peak 0.000"  # the worst first
    assert clipping[10] == "  and 27368 more"
    silent = lines[lines.index("Silent: 27378") + 1 :]
    assert [line.split("\\n")[0] for line in silent[:3]] == ["  /music/1", "  /music/3", "  /music/5"]


def test_every_finding_is_named() -> None:
    assert replace(RECORDING, peak=0.0).findings == tuple(FINDINGS)
