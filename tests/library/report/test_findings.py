"""The report: findings about recordings, on the terminal and as a list."""

from __future__ import annotations

import csv
import json
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from support.library import LIBRARY_ROWS, Recorder, run_command

from auralis_fp import Metadata
from auralis_fp.library import FingerprintExtractor, LibraryRepository, Scan
from auralis_fp.library.report.findings import FINDINGS, Findings, Recording

METADATA = Metadata(1.5, 44100, 2, "mp3", "mp3", 66150, 3, 2.0, 7, 1.0, -0.25, True)


def write_samples(path: Path, samples: NDArray[np.float64]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(44100)
        file.writeframes(np.clip(samples * 32767, -32768, 32767).astype("<i2").tobytes())


@pytest.fixture
def flawed(tmp_path: Path) -> Path:
    """A folder with a file for each finding, and one without any."""
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
    # The metadata of that scan were not kept anywhere.
    assert "6 not known" in run_command("report", "--db", database).stdout
    assert run_command("scan", flawed, "--db", tmp_path / "b.db").returncode == 0
    assert run_command("report", "--db", database, "--output", listed, "--examples", "0").returncode == 0
    objects = json.loads(listed.read_text())
    assert {Path(item["filepath"]).stem: item["findings"] for item in objects} == found
    assert [item["peak"] for item in objects] == [float(row["peak"]) for row in rows]
    refused = run_command("report", "--db", database, "--output", tmp_path)
    assert (refused.returncode, "Traceback" in refused.stderr) == (2, False)


def test_what_is_not_known_comes_with_the_reason_and_the_cure(flawed: Path, tmp_path: Path) -> None:
    database = tmp_path / "a.db"

    def reported() -> list[str]:
        return run_command("report", "--db", database).stdout.splitlines()

    def cure(name: str) -> None:
        assert run_command("scan", flawed, "--db", tmp_path / name).returncode == 0

    alone = run_command("scan", flawed, "--db", database, "--no-sidecar", "--report")
    assert "0 not known" in alone.stdout
    again = run_command("scan", flawed, "--db", database, "--no-sidecar", "--report")
    assert report_lines(again.stdout)[1].startswith("  6 not measured in this scan")
    assert reported()[1].startswith("  6 without a valid .25d file beside the recording; ")
    cure("b.db")
    assert reported()[0].endswith("0 not known")
    for path in flawed.glob("*.25d"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "metadata": {}}))
    assert reported()[1].startswith("  6 with a .25d file of version 0.1.0, ")
    for path in flawed.glob("*.25d"):
        path.unlink()
    cure("c.db")
    assert reported()[0].endswith("0 not known")


def test_metadata_that_no_sidecar_could_take_is_reported(unprivileged: Path) -> None:
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
    everything = replace(METADATA, peak=0.0)
    for number in range(LIBRARY_ROWS):
        metadata = replace(everything, clipped_runs=number) if number % 2 else None
        findings.add(Recording(number, f"/music/{number}\n.flac", metadata))
    lines = list(findings.lines())
    assert lines[0] == "Recordings: 54756, 27378 with findings, 27378 not known"
    assert "without a valid .25d file" in lines[1]
    assert len(lines) == 2 + 6 * 12
    clipping = lines[lines.index("Clipping: 27378") + 1 :]
    assert clipping[0] == "  /music/54755\\n.flac: 54755 runs at full scale, peak 0.000"  # the worst first
    assert clipping[10] == "  and 27368 more"
    silent = lines[lines.index("Silent: 27378") + 1 :]
    assert [line.split("\\n")[0] for line in silent[:3]] == ["  /music/1", "  /music/3", "  /music/5"]


def test_every_finding_is_named() -> None:
    assert replace(METADATA, peak=0.0).findings == tuple(FINDINGS)
