"""Runs on Ray, on two nodes: every file has exactly one row, whatever becomes of workers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from support import killers
from support.library import run_command, write_noise
from support.processes import run_program
from support.ray_cluster import RayCluster
from tools.cluster_kills import KINDS, Series

from auralis_fp import NAMES, analyze
from auralis_fp.cluster import Results, StorageError, list_files
from auralis_fp.cluster.run import Progress, Run, on_ray

pytest.importorskip("ray", reason="Ray is not installed")


@pytest.fixture(scope="module")
def ray(nodes: RayCluster) -> Iterator[Any]:
    """A connection to the cluster."""
    with on_ray(nodes.address) as connected:
        yield connected


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    """A folder of 30 short files and one that is no audio."""
    folder = tmp_path / "songs"
    folder.mkdir()
    for number in range(30):
        write_noise(folder / f"song{number:02}.wav", number)
    (folder / "bad.mp3").write_bytes(b"no audio")
    return folder


def started(songs: Path, output: Path, shard_files: int = 8) -> tuple[Results, Any]:
    results = Results(output)
    return results, results.begin(list_files([songs]), sources=[songs], shard_files=shard_files)


def all_rows(output: Path) -> list[dict[str, Any]]:
    results = Results(output)
    rows: list[dict[str, Any]] = pa.concat_tables(map(results.read, results.finished())).to_pylist()
    return rows


def test_every_file_has_a_row_with_the_numbers_of_analyze(songs: Path, output: Path, ray: Any) -> None:
    results, manifest = started(songs, output)
    seen: list[Progress] = []
    summary = Run(results, manifest, cpus_per_task=1).run(ray, seen.append)
    assert (summary.files, dict(summary.failures)) == (31, {"Unsupported": 1})
    rows = all_rows(output)
    assert [row["uri"] for row in rows] == list_files([songs])["uri"].to_pylist()
    for row in rows[1:]:
        assert [row[name] for name in NAMES] == analyze(row["uri"]).vector.tolist()
    assert seen[-1].last
    assert seen[-1].summary.files == 31
    assert Run(results, manifest).files == 0


def test_a_file_that_kills_workers_is_a_row(songs: Path, output: Path, ray: Any) -> None:
    """It kills the first worker, and then the processes in which files are analysed apart."""
    write_noise(songs / "good.wav")
    (songs / "killer.wav").write_bytes(b"do signal SIGKILL")
    (songs / "once.wav").write_bytes(b"do exit 3 once")
    results, manifest = started(songs, output)
    summary = Run(results, manifest, analyze=killers.analyze).run(ray)
    assert summary.files == manifest.files == 34
    assert summary.failures["Crashed"] == 1
    (crashed,) = (row for row in all_rows(output) if row["error_kind"] == "Crashed")
    assert crashed["uri"].endswith("killer.wav")
    assert len({row["uri"] for row in all_rows(output)}) == 34


def test_a_file_that_kills_workers_in_whatever_way_is_a_row(
    songs: Path, output: Path, ray: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if no process of its own helps."""
    results, manifest = started(songs, output)
    monkeypatch.setattr("auralis_fp.cluster.run._measure", _measure_or_die)
    summary = Run(results, manifest).run(ray)
    (crashed,) = (row for row in all_rows(output) if row["error_kind"] == "Crashed")
    assert crashed["uri"].endswith("song07.wav")
    assert summary.files == len(all_rows(output)) == 31


def _measure_or_die(uris: list[str], isolate: bool, options: dict[str, Any], version: int) -> bytes:
    import os

    from auralis_fp.cluster import run

    if any(uri.endswith("song07.wav") for uri in uris):
        os.abort()
    return run._measure(uris, False, options, version)


def test_failed_files_are_measured_again_on_request(songs: Path, output: Path, ray: Any) -> None:
    results, manifest = started(songs, output)
    Run(results, manifest).run(ray)
    before = {path.name: path.stat().st_mtime_ns for path in output.glob("*.parquet")}
    (songs / "bad.mp3").write_bytes((songs / "song05.wav").read_bytes())
    again = Run(results, manifest, retry_failed=True)
    assert (again.files, again.shards) == (1, 1)
    assert again.run(ray).failed == 0
    after = {path.name: path.stat().st_mtime_ns for path in output.glob("*.parquet")}
    assert [name for name in before if before[name] != after[name]] == ["shard-000000.parquet"]
    rows = all_rows(output)
    assert [row["uri"] for row in rows] == list_files([songs])["uri"].to_pylist()
    assert not [row for row in rows if row["error_kind"]]


def test_a_node_with_other_fingerprints_is_an_error(
    songs: Path, output: Path, ray: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, manifest = started(songs, output)
    monkeypatch.setattr("auralis_fp.cluster.run.FINGERPRINT_VERSION", 8)
    with pytest.raises(ImportError, match="not 8: install the same version"):
        Run(results, manifest).run(ray)
    assert results.finished() == []


def test_a_full_disk_ends_the_run_and_keeps_what_is_there(
    songs: Path, output: Path, ray: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, manifest = started(songs, output)
    write, full = results._write, iter([False, False, True, True])

    def write_or_fail(path: str, content: Any) -> None:
        if next(full, False):
            raise OSError(28, "No space left on device")
        write(path, content)

    monkeypatch.setattr(results, "_write", write_or_fail)
    with pytest.raises(StorageError, match="No space left"):
        Run(results, manifest).run(ray)
    assert len(results.finished()) == 2
    monkeypatch.undo()
    Run(results, manifest).run(ray)
    assert len(all_rows(output)) == 31


# --- the command -------------------------------------------------------------------------------------------


def test_the_command_starts_ray_itself_and_goes_on_where_it_ended(songs: Path, output: Path) -> None:
    arguments = ("cluster", songs, "--output", output, "--shard-files", "10")
    planned = run_command(*arguments, "--dry-run")
    assert "To measure: 31 files in 4 shards" in planned.stdout
    assert not output.exists()
    done = run_command(*arguments, "--progress", "plain")
    assert done.returncode == 1, done.stderr
    assert "Done: 31 files, 1 of them failed" in done.stdout
    assert "Failed: 1 Unsupported, such as" in done.stdout
    assert re.search(r"^Slow: [\d.]+ s, .*song", done.stdout, re.MULTILINE)
    assert re.search(r"Results: 31 rows, [\d.]+ core-seconds, in ", done.stdout)
    assert "--retry-failed" in done.stdout.splitlines()[-1]
    (output / "shard-000002.parquet").unlink()
    assert "To measure: 10 files in 1 shards" in run_command(*arguments, "--dry-run").stdout
    (output / "shard-000002.parquet").touch()
    other = run_command("cluster", songs.parent, "--output", output)
    assert other.returncode == 2
    assert "name another folder, or these sources" in other.stderr


def test_the_command_has_a_summary_for_programs(songs: Path, output: Path, nodes: RayCluster) -> None:
    (songs / "bad.mp3").unlink()
    done = run_command(
        "cluster", songs, "-o", output, "--address", nodes.address, "--progress", "json", "--isolate"
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["type"] for line in lines[:-1]} == {"progress"}
    assert (lines[-1]["type"], lines[-1]["measured"], lines[-1]["failures"]) == ("summary", 30, {})
    again = run_command("cluster", songs, "-o", output, "--address", nodes.address)
    assert "Nothing to do" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["/no/such/folder", "-o", "{out}"], "no such file or folder"),
        (["{empty}", "-o", "{out}"], "no audio files"),
        (["{music}", "-o", "http://127.0.0.1/x"], "http is not read"),
        (["{music}", "-o", "/dev/null/x"], "/dev/null/x: "),
        (["{music}", "-o", "{out}", "--address", "127.0.0.1:1"], "no Ray at 127.0.0.1:1"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(arguments: list[str], cause: str, tmp_path: Path) -> None:
    for name in ("empty", "music"):
        (tmp_path / name).mkdir()
    write_noise(tmp_path / "music" / "a.wav")
    places = {"out": tmp_path / "out", "empty": tmp_path / "empty", "music": tmp_path / "music"}
    done = run_command("cluster", *(one.format(**places) for one in arguments))
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert cause in line
    assert not list((tmp_path / "out").glob("*.parquet"))


def test_workers_nodes_and_drivers_may_be_killed_at_any_moment(nodes: RayCluster, tmp_path: Path) -> None:
    """A short series; scripts/test-cluster runs longer ones."""
    series = Series(nodes, tmp_path, files=120, seed=7)
    for kind in KINDS:
        series.kill(kind)
    series.finish()


def test_references_that_are_freed_while_ray_disconnects(nodes: RayCluster) -> None:
    """Ray ends a process without a word if one is freed in the middle of that."""
    assert run_program("cluster/disconnects", nodes.address, timeout=120).stdout == "disconnected\n"
