"""Supervised worker processes: what a job does to its process (crash, hang, memory) is its verdict.

A worker reads jobs from its standard input and answers each with one line on its standard output.
"""

from __future__ import annotations

import os
import queue
import select
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from support.processes import environment

_TICK_S: Final = 0.1


@dataclass(frozen=True)
class Limits:
    """What a job may use before its worker is killed.

    Attributes
    ----------
    cpu_s : float
        Processor time, not time on the clock: the machine may be busy with other things.
    asleep_s : float
        Time without an answer, counted while the watcher itself runs: a deadlock uses no processor.
    memory_bytes : int
        Resident memory of the worker.
    """

    cpu_s: float = 5.0
    asleep_s: float = 120.0
    memory_bytes: int = 1 << 30


@dataclass(frozen=True)
class Answer:
    """The outcome of a job.

    Attributes
    ----------
    verdict : str
        ``"answered"``, ``"crash"``, ``"hang"`` or ``"memory"``.
    text : str
        The worker's line, or what ended it.
    printed : str
        What it wrote to its standard error meanwhile.
    """

    verdict: str
    text: str
    printed: str = ""


class Worker:
    """One worker process; started again when a job has ended it."""

    def __init__(self, command: Sequence[str], limits: Limits) -> None:
        self._command = list(command)
        self._limits = limits
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, job: str) -> Answer:
        """Write a line to the worker, and return its answer or what went wrong."""
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        printed = self._errors.seek(0, os.SEEK_END)
        cpu_before = _cpu_s(process.pid)
        try:
            process.stdin.write(job.encode() + b"\n")
            process.stdin.flush()
            verdict, text = self._await(process, cpu_before)
        except (BrokenPipeError, FileNotFoundError, ProcessLookupError):  # it has just ended
            verdict, text = "crash", ""
        if verdict != "answered":
            process.kill()
            process.communicate()
            self._process = None
            if verdict == "crash" and process.returncode < 0:
                text = signal.Signals(-process.returncode).name
            elif verdict == "crash":
                text = f"exit status {process.returncode}"
        self._errors.seek(printed)
        return Answer(verdict, text, self._errors.read().decode(errors="replace"))

    def close(self) -> None:
        if self._process is not None:
            self._process.communicate()  # the end of its input ends it
        self._errors.close()

    def _start(self) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        return subprocess.Popen(
            self._command, stdin=pipe, stdout=pipe, stderr=self._errors, env=environment()
        )

    def _await(self, process: subprocess.Popen[bytes], cpu_before: float) -> tuple[str, str]:
        assert process.stdout is not None
        asleep_s, line = 0.0, b""
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([process.stdout], [], [], _TICK_S)
            if readable:
                piece = os.read(process.stdout.fileno(), 1 << 16)
                if not piece:
                    return "crash", ""
                line += piece
                continue
            asleep_s += _TICK_S
            used_s, used_bytes = _cpu_s(process.pid) - cpu_before, _resident_bytes(process.pid)
            if used_s > self._limits.cpu_s:
                return "hang", f"{used_s:.1f} s of processor time"
            if asleep_s > self._limits.asleep_s:
                return "hang", f"no answer for {asleep_s:.0f} s"
            if used_bytes > self._limits.memory_bytes:
                return "memory", f"{used_bytes >> 20} MB"
        return "answered", line.decode().rstrip("\n")


def watch(
    commands: Sequence[Sequence[str]], jobs: Iterable[str], limits: Limits
) -> Iterator[tuple[str, Answer]]:
    """Share jobs out among workers, one for each command; yield (job, answer) as they are answered."""
    workers = [Worker(command, limits) for command in commands]
    waiting, lock, answers = iter(jobs), threading.Lock(), queue.SimpleQueue[tuple[str, Answer] | None]()

    def serve(number: int) -> None:
        try:
            while True:
                with lock:
                    job = next(waiting, None)
                if job is None:
                    break
                answers.put((job, workers[number].ask(job)))
        finally:
            workers[number].close()
            answers.put(None)

    with ThreadPoolExecutor(len(workers)) as pool:
        running = [pool.submit(serve, number) for number in range(len(workers))]
        try:
            for _ in running:
                yield from iter(answers.get, None)
        finally:
            waiting = iter(())  # the caller has left: nothing more is begun
    for worker in running:
        worker.result()


def _cpu_s(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
