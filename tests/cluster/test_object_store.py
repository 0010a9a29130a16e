"""Sources and results in a real S3 server, which fails now and then, or does not know the user."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.library import command, write_noise
from support.object_store import FaultyProxy, ObjectStore
from support.processes import environment
from support.ray_cluster import QUIET, RayCluster

from auralis_fp import NAMES, analyze
from auralis_fp.cluster import Results, analyze_table, list_files, storage


@pytest.fixture
def bucket(store: ObjectStore) -> Path:
    """A bucket with twenty songs, by their folder; it is empty again afterwards."""
    folder = store.folder / "songs"
    shutil.rmtree(folder, ignore_errors=True)
    for number in range(20):
        place = folder / "music" / f"album {number % 3}" / f"song #{number:02}?.wav"
        place.parent.mkdir(parents=True, exist_ok=True)
        write_noise(place, number, seconds=1)
    return folder


@pytest.fixture
def here(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this process a user of the store."""
    for name, value in store.environment().items():
        monkeypatch.setenv(name, value)
    storage._filesystem.cache_clear()


def run(
    *arguments: str | Path, variables: Mapping[str, str], address: str = "127.0.0.1:1"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("cluster", *arguments, "--address", address),
        capture_output=True, text=True, timeout=240, env=environment({**QUIET, **variables}),
    )  # fmt: skip


@pytest.mark.usefixtures("here")
def test_objects_are_listed_and_measured_as_files_are(bucket: Path) -> None:
    files = list_files(["s3://songs/music"])
    there = sorted(bucket.rglob("*.wav"))
    assert files["uri"].to_pylist() == [f"s3://songs/{path.relative_to(bucket)}" for path in there]
    assert files["size"].to_pylist() == [path.stat().st_size for path in there]
    for row, path in zip(analyze_table(files, threads=4).to_pylist(), there, strict=True):
        assert [row[name] for name in NAMES] == analyze(path).vector.tolist()


def test_a_server_that_fails_now_and_then_changes_nothing(
    bucket: Path, store: ObjectStore, proxy: FaultyProxy, nodes: RayCluster, here: None
) -> None:
    """A tenth of all requests fails, of the driver and of the workers."""
    (store.folder / "results").mkdir(exist_ok=True)
    proxy.target = store.port
    before = dict(proxy.faults)
    arguments = ("s3://songs/music", "--output", "s3://results/first", "--shard-files", "5")
    done = run(*arguments, variables=store.environment(proxy.port), address=nodes.address)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sum(proxy.faults.values()) > sum(before.values()) + 4
    results = Results("s3://results/first")
    assert results.finished() == [0, 1, 2, 3]
    rows = [row for shard in range(4) for row in results.read(shard).to_pylist()]
    assert [row["uri"] for row in rows] == list_files(["s3://songs"])["uri"].to_pylist()
    for row in rows:
        path = bucket / row["uri"].removeprefix("s3://songs/")
        assert [row[name] for name in NAMES] == analyze(path).vector.tolist()
    visible = [path.name for path in (store.folder / "results" / "first").iterdir() if path.is_file()]
    assert sorted(visible) == [f"shard-00000{number}.parquet" for number in range(4)]


@pytest.mark.parametrize(
    ("source", "output", "secret", "cause"),
    [
        ("s3://songs/music", "{tmp}/out", "wrong", "s3://songs/music: .*ACCESS_DENIED"),
        ("{tmp}/list.txt", "{tmp}/out", "wrong", "s3://songs/a.wav: .*ACCESS_DENIED"),
        (
            "{tmp}/music",
            "s3://songs/out",
            "wrong",
            "s3://songs/out: .*(SIGNATURE|DENIED)",
        ),
        ("s3://nowhere/music", "{tmp}/out", None, "no such bucket"),
        ("{tmp}/missing.txt", "{tmp}/out", None, "s3://nowhere: no such bucket"),
        ("{tmp}/music", "s3://nowhere/out", None, "NO_SUCH_BUCKET|no such bucket"),
    ],
)
def test_what_the_user_may_not_do_is_one_clear_line(
    source: str, output: str, secret: str | None, cause: str, store: ObjectStore, bucket: Path, tmp_path: Path
) -> None:
    (tmp_path / "music").mkdir()
    write_noise(tmp_path / "music" / "a.wav")
    (tmp_path / "list.txt").write_text("s3://songs/a.wav\ns3://songs/b.wav\n")
    (tmp_path / "missing.txt").write_text("s3://nowhere/a.wav\n")
    variables = store.environment() if secret is None else store.environment(secret=secret)
    done = run(source.format(tmp=tmp_path), "-o", output.format(tmp=tmp_path), variables=variables)
    assert done.returncode == 2, done.stdout
    (line,) = done.stderr.splitlines()
    assert re.search(cause, line), line
    assert not list((tmp_path / "out").glob("*.parquet"))
