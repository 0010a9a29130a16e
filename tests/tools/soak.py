"""Sixteen threads analyse good and bad files for as long as asked, in one process that must not grow.

    scripts/python tests/tools/soak.py MINUTES [--threads N] [--music FOLDER]

Good files of every format and excerpts of music, mutated files, missing ones, directories, arrays, bytes,
time limits and cancellations, in random order. Memory, descriptors and threads are printed now and then. Exit
status 1 means that something was wrong: a result that differs from the first by one bit, an outcome that the
case does not allow, a call that never returned, a descriptor or a thread too many, or memory that grows.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import numpy as np
from support import synth
from support.encode import FORMATS, EncodedFiles, decode, encode
from tools import mutate

import auralis_fp
from auralis_fp import AnalysisError, CancelToken, Fingerprint

# Memory is flat if what is held does not grow; one lost analysis is some 5 MB. The allowance is for what
# Python keeps: caches, the interned strings of errors.
MAX_HELD_STEP_MB: Final = 1.0
MAX_HELD_MB_PER_HOUR: Final = 2.0
# What malloc keeps depends on which calls coincided; it levels out, and is printed separately.
MAX_RESTING_STEP_MB: Final = 40.0
EXCERPT_S: Final = 20

Outcome = str | tuple[bytes, frozenset[str], auralis_fp.Metadata]


@dataclass(frozen=True)
class Case:
    """A call, and its allowed outcomes."""

    name: str
    call: Callable[[], Fingerprint]
    expected: frozenset[str] = frozenset()  # kinds of errors; empty: the same fingerprint each time


def outcome_of(call: Callable[[], Fingerprint]) -> Outcome:
    try:
        fp = call()
    except AnalysisError as error:
        return error.kind
    return fp.vector.tobytes(), fp.undefined, fp.metadata


# --- the calls ----------------------------------------------------------------------------------------


def cases(folder: Path, music: Path | None, mutated: int = 400) -> list[Case]:
    samples = synth.to_int16(synth.song("rock", 10, bpm=124, seed=11))
    encoded = EncodedFiles(folder, samples, 44100)
    good = [encoded.file(name) for name in FORMATS]
    good += [encoded.folder / f"{path.stem}.wav" for path in excerpts(folder, music)]
    found = [Case(f"file {path.name}", partial(auralis_fp.analyze, path)) for path in good]
    found += [
        Case(f"bytes {path.name}", partial(auralis_fp.analyze_bytes, path.read_bytes())) for path in good[::6]
    ]
    surround = synth.surround("house", 3, 6)
    found += [
        Case("samples", lambda: auralis_fp.analyze_samples(samples, 44100)),
        Case("samples, a view", lambda: auralis_fp.analyze_samples(surround[::-2, 1:], 48000)),
        *bad_cases(folder, good[0], mutated),
    ]
    return found


def excerpts(folder: Path, music: Path | None) -> list[Path]:
    known = {".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wav"}
    paths = sorted(path for path in music.iterdir() if path.suffix in known) if music else []
    for path in paths:
        excerpt, rate = decode(path, seconds=EXCERPT_S)
        encode(folder / f"{path.stem}.wav", excerpt, rate)
    return paths


def bad_cases(folder: Path, good: Path, mutated: int) -> list[Case]:
    nan = np.full(50_000, np.nan, np.float32)
    long = np.broadcast_to(np.float32(0.5), (44100 * 3600, 2))

    def cancelled_soon() -> Fingerprint:
        token = CancelToken()
        threading.Timer(0.02, token.cancel).start()
        return auralis_fp.analyze_samples(long, 44100, cancel=token)

    found = [
        Case("missing", lambda: auralis_fp.analyze(folder / "missing.mp3"), frozenset({"FileNotFound"})),
        Case("directory", lambda: auralis_fp.analyze(folder), frozenset({"Unreadable"})),
        Case("not audio", lambda: auralis_fp.analyze(__file__), frozenset({"Unsupported"})),
        Case("not finite", lambda: auralis_fp.analyze_samples(nan, 44100), frozenset({"InvalidSamples"})),
        Case("timeout 0", lambda: auralis_fp.analyze(good, timeout=0), frozenset({"Timeout"})),
        Case(
            "timeout", lambda: auralis_fp.analyze_samples(long, 44100, timeout=0.02), frozenset({"Timeout"})
        ),
        Case("cancelled", cancelled_soon, frozenset({"Cancelled"})),
    ]
    sources = folder / "sources"
    sources.mkdir()
    mutate.encode_sources(sources)
    for number in range(mutated):
        path = folder / f"mutated-{number}"
        path.write_bytes(mutate.Job(number * 19, seed=99).make(sources))
        found.append(Case(f"mutated {number}", partial(auralis_fp.analyze, path)))
    return found


# --- the run -----------------------------------------------------------------------------------------


@dataclass
class Sample:
    """The state of the process at one time.

    Attributes
    ----------
    seconds : float
        Since the threads began.
    working_mb : float
        Resident memory with all threads at work.
    resting_mb : float
        Resident memory while they wait between two calls: what malloc keeps for the next ones counts.
    held_mb : float
        What malloc has allocated at that time, in all its arenas; a leak shows here, to the kilobyte.
    descriptors, threads, calls : int
        Open files and threads at rest, and calls answered so far.
    """

    seconds: float
    working_mb: float
    resting_mb: float
    held_mb: float
    descriptors: int
    threads: int
    calls: int

    def __str__(self) -> str:
        megabytes = (self.working_mb, self.resting_mb, self.held_mb)
        counts = (self.descriptors, self.threads, self.calls)
        return "".join(f"{value:12.1f}" for value in (self.seconds / 60, *megabytes)) + "".join(
            f"{value:12}" for value in counts
        )


COLUMNS: Final = ("minute", "working MB", "resting MB", "held MB", "descriptors", "threads", "calls")


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def held_mb() -> float:
    """What glibc's malloc has allocated and not freed, according to malloc_info."""
    libc = ctypes.CDLL(None)
    libc.fdopen.restype = ctypes.c_void_p
    with tempfile.TemporaryFile() as file:
        stream = ctypes.c_void_p(libc.fdopen(os.dup(file.fileno()), b"w"))
        libc.malloc_info(0, stream)
        libc.fclose(stream)
        file.seek(0)
        whole = ElementTree.fromstring(file.read())
    free = sum(
        int(total.attrib["size"]) for total in whole.findall("total") if total.attrib["type"] != "mmap"
    )
    mapped = sum(int(total.attrib["size"]) for total in whole.findall("total[@type='mmap']"))
    system = sum(int(system.attrib["size"]) for system in whole.findall("system[@type='current']"))
    return (system + mapped - free) / 1e6


class Gate:
    """Lets threads through, or makes them all wait."""

    def __init__(self, threads: int) -> None:
        self._condition = threading.Condition()
        self._threads = threads
        self._waiting = 0
        self._closed = False

    def wait(self) -> None:
        with self._condition:
            self._waiting += 1
            self._condition.notify_all()
            self._condition.wait_for(lambda: not self._closed)
            self._waiting -= 1

    @contextmanager
    def closed(self) -> Iterator[bool]:
        """Hold all threads; False if some did not stop within two minutes."""
        with self._condition:
            self._closed = True
            all_there = self._condition.wait_for(lambda: self._waiting == self._threads, 120)
        yield all_there
        with self._condition:
            self._closed = False
            self._condition.notify_all()


@dataclass
class Soak:
    """Threads that make the calls in random order, and what was observed meanwhile."""

    cases: list[Case]
    threads: int
    first: dict[str, Outcome] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    begun: int = 0
    answered: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, seconds: float, every_s: float, tell: Callable[[str], None] = print) -> None:
        """Record the first outcomes on one thread, then let all threads work until the time is over."""
        for case in self.cases:
            self.check(case, outcome_of(case.call))
        gate, stop = Gate(self.threads), threading.Event()
        before = self.look(0, 0)
        arguments = [(seed, gate, stop) for seed in range(self.threads)]
        workers = [threading.Thread(target=self.work, args=each) for each in arguments]
        for worker in workers:
            worker.start()
        start = time.monotonic()
        tell("".join(f"{column:>12}" for column in COLUMNS))
        while (elapsed := time.monotonic() - start) < seconds:
            time.sleep(min(every_s, seconds - elapsed))
            working_mb = resident_mb()
            with gate.closed() as all_there:
                if not all_there:
                    self.wrong.append("a call did not come back within two minutes")
                    break
                time.sleep(0.1)  # timers end
                self.samples.append(self.look(time.monotonic() - start, working_mb))
            tell(str(self.samples[-1]))
        stop.set()
        for worker in workers:
            worker.join(120)
        self.wrong += ["a thread never came back" for worker in workers if worker.is_alive()]
        after = self.look(0, 0)
        if (after.descriptors, after.threads) != (before.descriptors, before.threads):
            self.wrong.append(f"left behind: {before} became {after}")
        if self.begun != self.answered:
            self.wrong.append(f"{self.begun} calls were begun, {self.answered} answered")

    def look(self, seconds: float, working_mb: float) -> Sample:
        descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        counts = (descriptors, threading.active_count(), self.answered)
        return Sample(seconds, working_mb, resident_mb(), held_mb(), *counts)

    def work(self, seed: int, gate: Gate, stop: threading.Event) -> None:
        rng = np.random.default_rng(seed)
        while not stop.is_set():
            gate.wait()
            case = self.cases[rng.integers(len(self.cases))]
            with self._lock:
                self.begun += 1
            outcome = outcome_of(case.call)
            with self._lock:
                self.check(case, outcome)
                self.answered += 1

    def check(self, case: Case, outcome: Outcome) -> None:
        kind = outcome if isinstance(outcome, str) else "analysed"
        self.outcomes[kind] += 1
        if case.expected:
            fine = outcome in case.expected
        else:
            fine = outcome == self.first.setdefault(case.name, outcome)
        if not fine:
            self.wrong.append(f"{case.name}: {kind}, or other numbers than before")

    def step(self, column: str) -> float:
        """The median of the last quarter, less that of the second (the first is the warm-up)."""
        values: list[float] = [getattr(sample, column) for sample in self.samples]
        quarter = len(values) // 4
        if quarter == 0:
            return 0.0
        return statistics.median(values[-quarter:]) - statistics.median(values[quarter : 2 * quarter])

    def held_per_hour(self) -> float:
        """Slope of ``held_mb`` over the second half, by Theil and Sen: the median over all pairs."""
        half = self.samples[len(self.samples) // 2 :]
        slopes = [
            (b.held_mb - a.held_mb) / (b.seconds - a.seconds) * 3600
            for i, a in enumerate(half)
            for b in half[i + 1 :]
        ]
        return statistics.median(slopes) if slopes else 0.0

    def judge(self) -> list[str]:
        """Everything that was wrong."""
        wrong = list(self.wrong)
        if self.held_per_hour() > MAX_HELD_MB_PER_HOUR or self.step("held_mb") > MAX_HELD_STEP_MB:
            wrong.append(f"more and more is held: {self.step('held_mb'):+.2f} MB")
        if self.step("resting_mb") > MAX_RESTING_STEP_MB:
            wrong.append(f"memory at rest grows: {self.step('resting_mb'):+.1f} MB")
        for column in ("descriptors", "threads"):
            values = {getattr(sample, column) for sample in self.samples}
            if len(values) > 1:
                wrong.append(f"{column} at rest: {sorted(values)}")
        return wrong


def main() -> int:
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("minutes", type=float)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--music", type=Path, default=os.environ.get("AURALIS_FP_MUSIC_DIR"))
    options = parser.parse_args()
    music = Path(options.music) if options.music else None
    with tempfile.TemporaryDirectory(prefix="auralis-soak-") as folder:
        soak = Soak(cases(Path(folder), music), options.threads)
        seconds = options.minutes * 60
        soak.run(seconds, every_s=min(60.0, seconds / 20), tell=lambda line: print(line, flush=True))
    held, resting, working = (soak.step(name) for name in ("held_mb", "resting_mb", "working_mb"))
    print(f"second quarter to last: {held:+.2f} MB held, {resting:+.1f} resting, {working:+.1f} working")
    print(f"second half: {soak.held_per_hour():+.2f} MB held an hour")
    print(", ".join(f"{count} {kind}" for kind, count in soak.outcomes.most_common()))
    wrong = soak.judge()
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
