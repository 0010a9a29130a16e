"""The examples for engines: each is run as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.library import write_noise
from support.ray_cluster import QUIET, RayCluster

from auralis_fp import NAMES, analyze

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_ray_data_gives_the_numbers_of_analyze(nodes: RayCluster, tmp_path: Path) -> None:
    check("ray_data", tmp_path, {"RAY_ADDRESS": nodes.address})


def test_spark_gives_the_numbers_of_analyze(tmp_path: Path) -> None:
    pytest.importorskip("pyspark", reason="PySpark takes half a gigabyte: scripts/test-cluster installs it")
    if shutil.which("java") is None:
        pytest.skip("no Java")
    check("spark", tmp_path, {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable})


def check(name: str, tmp_path: Path, variables: Mapping[str, str]) -> None:
    uris = [write_noise(tmp_path / f"{number}.wav", number) for number in range(5)]
    pq.write_table(pa.table({"uri": [*uris, "/no/such/file.mp3"]}), tmp_path / "files.parquet")
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py", tmp_path / "files.parquet", tmp_path / "results"],
        capture_output=True, text=True, timeout=240, cwd=tmp_path,
        env={**os.environ, **QUIET, **variables},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {row["uri"]: row for row in pq.read_table(tmp_path / "results").to_pylist()}
    assert sorted(rows) == sorted([*uris, "/no/such/file.mp3"])
    assert rows["/no/such/file.mp3"]["error_kind"] == "FileNotFound"
    for uri in uris:
        assert [rows[uri][one] for one in NAMES] == analyze(uri).vector.tolist()
