"""Kills workers, nodes and drivers of runs at random moments, and checks what is left.

    scripts/test-cluster [--kills 10] [--files 300] [--seed 1]

Runs on two Ray nodes of one processor each, on this machine. After every kill of a driver it is started
again. Checked are: every file has exactly one row, with the numbers of `analyze`; no shard is seen before it
is whole; no shard that is finished is measured again.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from support.library import write_noise
from support.ray_cluster import RayCluster, kill_run, ray_cluster, start_run

from auralis_fp import NAMES, analyze

KINDS = ("worker", "node", "driver")
SHARD_FILES = 20


class Series:
    """Runs over the same files, which are disturbed."""

    def __init__(self, cluster: RayCluster, folder: Path, *, files: int, seed: int) -> None:
        self._cluster = cluster
        self._folder = folder
        self._random = random.Random(seed)
        self._music = folder / "music"
        self._music.mkdir()
        song = write_noise(folder / "song.wav", seconds=20, rate=44100)
        self._expected = analyze(song).vector.tolist()
        self._uris = [str(self._music / f"{number:05}.wav") for number in range(files)]
        for uri in self._uris:
            os.link(song, uri)
        self._outputs = 0
        self._finished: dict[str, int] = {}
        self.kills: Counter[str] = Counter()
        self._begin()

    def kill(self, kind: str) -> None:
        """Wait for a random moment, and kill something; a worker, if the run is not at its end by then."""
        time.sleep(self._random.uniform(0.2, 4))
        self._check_shards()
        if self._run.poll() is not None:
            self.finish()
            self._begin()
        if kind == "worker":
            while not self._cluster.kill_worker():
                if self._run.poll() is not None:
                    return
                time.sleep(0.05)
        elif kind == "node":
            self._cluster.replace_node()
        else:
            kill_run(self._run)
            self._check_shards()
            self._start()
        self.kills[kind] += 1

    def finish(self) -> None:
        """Wait for the end of the run, and check all rows."""
        printed, _ = self._run.communicate(timeout=600)
        assert self._run.returncode == 0, printed
        self._check_shards()
        rows = pa.concat_tables(pq.read_table(path) for path in sorted(self._output.glob("*.parquet")))
        assert rows["uri"].to_pylist() == self._uris
        assert rows["error_kind"].null_count == len(self._uris), rows["error_cause"].unique()
        numbers = zip(*(rows[name].to_pylist() for name in NAMES), strict=True)
        assert all(list(row) == self._expected for row in numbers)

    def _begin(self) -> None:
        self._outputs += 1
        self._output = self._folder / f"output{self._outputs}"
        self._finished = {}
        self._start()

    def _start(self) -> None:
        done = len(list(self._output.glob("shard-*.parquet")))
        self._run: subprocess.Popen[str] = start_run(
            self._cluster.address, self._music, "--output", self._output, "--shard-files", str(SHARD_FILES)
        )
        assert self._run.stdout is not None
        first = self._run.stdout.readline()
        found = re.search(r"to measure: (\d+) files in (\d+) shards", first)
        assert found is not None, first
        assert int(found[1]) == len(self._uris) - SHARD_FILES * done, first

    def _check_shards(self) -> None:
        """Check that shards are whole, and that those that were there are the same files as before."""
        for path in self._output.glob("*.parquet"):
            written = path.stat().st_mtime_ns
            if self._finished.setdefault(path.name, written) != written:
                raise AssertionError(f"{path.name} was written again")
            assert pq.read_metadata(path).num_rows == SHARD_FILES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=10, metavar="N")
    parser.add_argument("--files", type=int, default=300, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    given = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, ray_cluster() as cluster:
        series = Series(
            cluster, Path(folder), files=given.files // SHARD_FILES * SHARD_FILES, seed=given.seed
        )
        for number in range(given.kills):
            series.kill(KINDS[number % len(KINDS)])
            print(f"{number + 1}: killed a {KINDS[number % len(KINDS)]}", flush=True)
        series.finish()
    kinds = ", ".join(f"{count} {kind}s" for kind, count in series.kills.items())
    print(f"All rows are there, once each, after kills of {kinds}; {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
