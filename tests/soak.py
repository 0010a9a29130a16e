"""Sixteen threads over good and bad files for as long as wanted, in one process that must stay as it is.

    python tests/soak.py MINUTES [--threads N] [--music FOLDER]

Good files of every format and excerpts of music, mutated files, missing ones, directories, arrays, bytes,
time limits and cancellations, in random order. Tells memory, descriptors and threads now and then. In the
end, exit status 1 says that something was wrong: a result that differs from the first by one bit, an answer
that the case does not allow, a call that never came back, a descriptor or a thread too many, or memory that
grows.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import mutate
import numpy as np
import synth
from encode import FORMATS, Library, decode, encode

import auralis_fp
from auralis_fp import AnalysisError, CancelToken, Fingerprint

# Memory is flat if the second half of the run neither grows by this much an hour nor ends this far above its
# beginning. One leaked analysis (some 5 MB) in a thousand would grow by gigabytes an hour.
MAX_GROWTH_MB_PER_HOUR: Final = 20.0
MAX_GROWTH_MB: Final = 8.0
EXCERPT_S: Final = 20

Outcome = str | tuple[bytes, frozenset[str], auralis_fp.Metadata]


@dataclass(frozen=True)
class Case:
    """Something to do, and what may come of it."""

    name: str
    call: Callable[[], Fingerprint]
    expected: frozenset[str] = frozenset()  # kinds of errors; empty: the same fingerprint each time


def outcome_of(call: Callable[[], Fingerprint]) -> Outcome:
    try:
        fp = call()
    except AnalysisError as error:
        return error.kind
    return fp.vector.tobytes(), fp.undefined, fp.metadata


# --- what there is to do -----------------------------------------------------------------------------


def cases(folder: Path, music: Path | None, mutated: int = 400) -> list[Case]:
    samples = synth.to_int16(synth.song("rock", 10, bpm=124, seed=11))
    library = Library(folder, samples, 44100)
    good = [library.file(name) for name in FORMATS]
    good += [library.folder / f"{path.stem}.wav" for path in excerpts(folder, music)]
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
    """The state of the process at one time."""

    seconds: float
    megabytes: float
    descriptors: int
    threads: int
    calls: int


@dataclass
class Soak:
    """Threads that do the cases in random order, and what was seen meanwhile."""

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
        """Take the first answers on one thread, then all threads to work until the time is over."""
        for case in self.cases:
            self.check(case, outcome_of(case.call))
        before = self.look(0)
        self.samples.clear()
        stop = threading.Event()
        workers = [threading.Thread(target=self.work, args=(seed, stop)) for seed in range(self.threads)]
        for worker in workers:
            worker.start()
        start = time.monotonic()
        tell("  minute   memory (MB)   descriptors   threads      calls")
        while (elapsed := time.monotonic() - start) < seconds:
            time.sleep(min(every_s, seconds - elapsed))
            now = self.look(time.monotonic() - start)
            minutes, counts = now.seconds / 60, (now.descriptors, now.threads, now.calls)
            tell(f"{minutes:8.1f}{now.megabytes:14.1f}" + "{:14}{:10}{:11}".format(*counts))
            self.wrong += ["a thread is lost" for worker in workers if not worker.is_alive()]
        stop.set()
        for worker in workers:
            worker.join(120)
        self.wrong += ["a thread never came back" for worker in workers if worker.is_alive()]
        time.sleep(0.1)  # the last timer
        after = self.look(time.monotonic() - start)
        self.samples.pop()
        if (after.descriptors, after.threads) != (before.descriptors, before.threads):
            self.wrong.append(f"left behind: {before} became {after}")
        if self.begun != self.answered:
            self.wrong.append(f"{self.begun} calls were begun, {self.answered} answered")

    def work(self, seed: int, stop: threading.Event) -> None:
        rng = np.random.default_rng(seed)
        while not stop.is_set():
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

    def look(self, seconds: float) -> Sample:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.samples.append(
            Sample(
                seconds,
                pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
                len(os.listdir("/proc/self/fd")),  # noqa: PTH208
                threading.active_count(),
                self.answered,
            )
        )
        return self.samples[-1]

    def growth(self) -> tuple[float, float]:
        """Megabytes from the second quarter to the last, and megabytes an hour in the second half.

        By medians, and by the median of the slopes of all pairs (Theil and Sen): peaks do not move them.
        """
        quarter = max(1, len(self.samples) // 4)
        second, last = self.samples[quarter : 2 * quarter], self.samples[-quarter:]
        step = statistics.median(s.megabytes for s in last) - statistics.median(s.megabytes for s in second)
        half = self.samples[len(self.samples) // 2 :]
        slopes = [
            (b.megabytes - a.megabytes) / (b.seconds - a.seconds) * 3600
            for i, a in enumerate(half)
            for b in half[i + 1 :]
        ]
        return step, statistics.median(slopes) if slopes else 0.0

    def judge(self) -> list[str]:
        """Everything that was wrong."""
        step, slope = self.growth()
        wrong = list(self.wrong)
        if step > MAX_GROWTH_MB or slope > MAX_GROWTH_MB_PER_HOUR:
            wrong.append(f"memory grows: {step:+.1f} MB, {slope:+.1f} MB an hour")
        # Open files come and go, one for each thread; beyond that nothing may.
        least, most = min(s.descriptors for s in self.samples), max(s.descriptors for s in self.samples)
        if most - least > self.threads + 1:
            wrong.append(f"{least} to {most} descriptors")
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
    step, slope = soak.growth()
    print(f"memory: {step:+.1f} MB from the second quarter to the last, {slope:+.1f} MB an hour at the end")
    print(", ".join(f"{count} {kind}" for kind, count in soak.outcomes.most_common()))
    wrong = soak.judge()
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
