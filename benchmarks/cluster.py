"""What a run on Ray costs beyond the analysis, in CPU time, and how much memory the driver takes.

    scripts/python benchmarks/cluster.py [--long N] [--short N] [--entries N] [--rounds N]

CPU is that of all processes that work on a run: the driver, Ray's own and the workers, on two nodes that
are there already, against that of `analyze_many` with two threads on the same files. What Ray's processes
take while nothing runs is measured before, and told apart. `--entries` is the number of files in a manifest,
none of which exists, during which the driver's memory is looked at.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
import psutil
from recordings import Recordings
from support.encode import write_wav
from support.library import command
from support.processes import environment
from support.ray_cluster import QUIET, RayCluster, ray_cluster

import auralis_fp
from auralis_fp.cluster import Results, summarize

ALONE: Final = """
import sys, auralis_fp
list(auralis_fp.analyze_many(sys.stdin.read().splitlines(), workers=2))
"""


def cpu_seconds(processes: list[psutil.Process]) -> dict[int, float]:
    """Return the CPU time of processes so far, by their ids."""
    found = {}
    for process in processes:
        try:
            found[process.pid] = sum(process.cpu_times()[:2])
        except psutil.Error:
            continue
    return found


def idle_rate(seconds: float = 30) -> float:
    """Return the share of a processor that Ray's processes take while nothing runs."""
    own = psutil.Process()
    before = cpu_seconds(own.children(recursive=True))
    time.sleep(seconds)
    after = cpu_seconds(own.children(recursive=True))
    return sum(after[pid] - taken for pid, taken in before.items() if pid in after) / seconds


def _is_worker(process: psutil.Process) -> bool:
    try:
        return process.cmdline()[:1] in (["ray::_measure"], ["ray::IDLE"])
    except psutil.Error:
        return False


def of_analyze_many(paths: list[Path]) -> float:
    """Return the CPU seconds of `analyze_many` in a process of its own."""
    before = psutil.Process().cpu_times()
    listed = [str(path) for path in paths]
    subprocess.run([sys.executable, "-c", ALONE], input="\n".join(listed), text=True, check=True)
    after = psutil.Process().cpu_times()
    spent: float = after.children_user + after.children_system - before.children_user - before.children_system
    return spent


def of_run(cluster: RayCluster, source: Path, output: Path) -> tuple[dict[str, float], float]:
    """Return the CPU seconds of a run by the kind of process, and its wall time."""
    own = psutil.Process()
    before = cpu_seconds(own.children(recursive=True))
    began, seen, workers = time.monotonic(), dict(before), set[int]()
    run = subprocess.Popen(
        command("cluster", source, "-o", output, "--address", cluster.address, "--progress", "plain"),
        stdout=subprocess.DEVNULL, env=environment(QUIET),
    )  # fmt: skip
    while run.poll() is None:
        children = own.children(recursive=True)
        seen |= cpu_seconds(children)
        workers |= {one.pid for one in children if one.pid not in workers and _is_worker(one)}
        time.sleep(0.3)
    seen |= cpu_seconds(own.children(recursive=True))
    spent = dict.fromkeys(("driver", "workers", "ray itself"), 0.0)
    for pid, seconds in seen.items():
        kind = "driver" if pid == run.pid else "workers" if pid in workers else "ray itself"
        spent[kind] += seconds - before.get(pid, 0.0)
    return spent, time.monotonic() - began


def memory_of_driver(cluster: RayCluster, entries: int, folder: Path) -> list[tuple[int, float]]:
    """Return how many files were done and the driver's memory in MB then, from time to time."""
    (folder / "list.txt").write_text("".join(f"/nowhere/{number:09}.mp3\n" for number in range(entries)))
    run = subprocess.Popen(
        command("cluster", folder / "list.txt", "-o", folder / "out", "--address", cluster.address,
                "--progress", "plain"),
        stdout=subprocess.PIPE, text=True, env=environment(QUIET),
    )  # fmt: skip
    assert run.stdout is not None
    found = []
    for line in run.stdout:
        if line.startswith("Progress: "):
            try:
                memory = psutil.Process(run.pid).memory_info().rss / 1e6
            except psutil.Error:
                break
            found.append((int(line.split()[1].partition("/")[0]), memory))
    run.wait()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--long", type=int, default=200, help="files of four minutes")
    parser.add_argument("--short", type=int, default=20_000, help="files of one second")
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work, ray_cluster() as cluster:
        folder = Path(work)
        time.sleep(30)  # until the nodes have settled
        idle = idle_rate()
        print(f"Ray while nothing runs: {100 * idle:.1f} % of a processor", flush=True)
        long = Recordings(folder / "made").file("MP3 320k")
        second = np.random.default_rng(1).integers(-8000, 8000, (44100, 2), dtype=np.int16)
        short = write_wav(folder / "second.wav", second, 44100, seconds=1)
        for name, path, count in (("four minutes", long, given.long), ("one second", short, given.short)):
            if not count:
                continue
            music = folder / name
            music.mkdir()
            paths = [music / f"{number:06}{path.suffix}" for number in range(count)]
            for one in paths:
                one.hardlink_to(path)
            beyond, without_idle = [], []
            for number in range(given.rounds):
                alone = of_analyze_many(paths)
                cpu, wall = of_run(cluster, music, folder / f"{name} {number}")
                beyond.append(100 * (sum(cpu.values()) / alone - 1))
                without_idle.append(100 * ((sum(cpu.values()) - idle * wall) / alone - 1))
                parts = ", ".join(f"{kind} {seconds:.1f}" for kind, seconds in cpu.items())
                rows = summarize(Results(folder / f"{name} {number}")).core_seconds
                spent = f"{alone:.1f} CPU s by analyze_many; by a run, {parts}, in {wall:.0f} s"
                spent += f"; {rows:.1f} of the workers' on files, {100 * (rows / alone - 1):.1f} % more"
                print(f"{count} files of {name}: {spent}", flush=True)
            print(
                f"{count} files of {name}: {statistics.median(beyond):.1f} % CPU beyond analyze_many, "
                f"{statistics.median(without_idle):.1f} % without what Ray takes while nothing runs",
                flush=True,
            )
        if given.entries:
            for done, megabytes in memory_of_driver(cluster, given.entries, folder):
                print(f"{done} of {given.entries} files: {megabytes:.0f} MB", flush=True)
    print(f"auralis_fp {auralis_fp.__version__}, {auralis_fp.build_info().get('cpu_level')}")


if __name__ == "__main__":
    main()
