"""The cost of HTTP: sixteen clients against sixteen threads in the process, side by side in one run.

    scripts/python benchmarks/server.py [--work FOLDER] [--rounds N]

Prints the median and the range of the rounds: files a second over HTTP, relative to threads that call
``analyze``; milliseconds that one request on a file of one second adds; memory of the server beyond that of
the same work in process.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import requests
from recordings import Recordings
from support.server import Server, running_server

import auralis_fp

THREADS: Final = 16
FILES: Final = 32
BLOCKS: Final = 8
CALLS: Final = 25


def peak_bytes(process: int | str) -> int:
    """Return the most memory that a process had (what getrusage returns begins with its parent's)."""
    status = Path(f"/proc/{process}/status").read_text()
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def in_process(path: Path) -> None:
    """Do the same work in this process, and print its wall seconds and its peak memory in bytes."""
    with ThreadPoolExecutor(THREADS) as pool:
        begin = time.perf_counter()
        list(pool.map(auralis_fp.analyze, [path] * FILES))
        print(time.perf_counter() - begin, peak_bytes("self"))


def of_threads(path: Path) -> tuple[float, float]:
    """Return seconds and peak bytes of threads, in a process of their own as the server is in one."""
    done = subprocess.run(
        [sys.executable, __file__, "--in-process", str(path)], capture_output=True, text=True, check=True
    )
    seconds, peak = map(float, done.stdout.split())
    return seconds, peak


def of_clients(server: Server, path: Path) -> float:
    """Return the seconds of as many clients, each with a connection that stays open."""

    def ask(session: requests.Session) -> None:
        for _ in range(FILES // THREADS):
            body: Any = {"track_id": 1, "filepath": str(path)}
            session.post(f"{server.url}/fingerprint", json=body, timeout=300).raise_for_status()

    with ThreadPoolExecutor(THREADS) as pool:
        begin = time.perf_counter()
        list(pool.map(ask, [requests.Session() for _ in range(THREADS)]))
        return time.perf_counter() - begin


def added_ms(server: Server, path: Path) -> float:
    """Return what a request takes beyond the same call in this process: the difference of the medians."""
    # Over a bare socket: what a client library spends, a millisecond in requests, is not the server's.
    body = json.dumps({"track_id": 1, "filepath": str(path)})
    head = f"POST /fingerprint HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    connection = socket.create_connection(("localhost", server.port), timeout=30)
    answers = connection.makefile("rb")

    def ask() -> None:
        connection.sendall((head + body).encode())
        assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
        while (line := answers.readline().lower()) != b"\r\n":
            if line.startswith(b"content-length:"):
                length = int(line.split()[1])
        answers.read(length)

    # In blocks, since the speed of a machine drifts; and not call by call, or each kind would find its tables
    # evicted from the cache by the other process.
    served: list[float] = []
    called: list[float] = []
    with connection, answers:
        for _ in range(BLOCKS):
            served += times_ms(ask)
            called += times_ms(lambda: auralis_fp.analyze(path))
    return statistics.median(served) - statistics.median(called)


def times_ms(call: Callable[[], object]) -> list[float]:
    times = []
    for _ in range(CALLS):
        begin = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - begin))
    return times


def show(what: str, values: list[float], form: str) -> None:
    """Print a row."""
    low, middle, high = (
        format(value, form) for value in (min(values), statistics.median(values), max(values))
    )
    print(f"{what}: {middle} ({low} to {high})")


def measure(folder: Path, rounds: int) -> None:
    """Run the rounds and print the rows."""
    recordings = Recordings(folder)
    flac, second = recordings.file("FLAC"), folder / "second.wav"
    samples = recordings.short_file().read_bytes()
    second.write_bytes(samples[:44] + samples[44 : 44 + 4 * 44100])
    throughput, overhead, memory = [], [], []
    for _ in range(rounds):
        seconds, peak = of_threads(flac)
        with running_server("--root", folder, "--queue", THREADS, "--timeout", 300) as server:
            server.fingerprint(second)
            throughput.append(seconds / of_clients(server, flac))
            overhead.append(added_ms(server, second))
            memory.append((peak_bytes(server.process.pid) - peak) / 1e6)
    show("throughput of 16 clients / 16 threads, FLAC of 4 minutes", throughput, ".3f")
    show("added by one request on a file of one second, ms", overhead, ".2f")
    show("peak memory of the server beyond the same work in process, MB", memory, ".0f")


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, help="keeps the recordings")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-process", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.in_process:
        in_process(given.in_process)
        return
    with tempfile.TemporaryDirectory() as temporary:
        measure(given.work or Path(temporary), given.rounds)


if __name__ == "__main__":
    main()
