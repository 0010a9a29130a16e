"""Analyses mutated files of every format and reports the outcomes.

    scripts/python tests/tools/mutate.py FILES [--seed N] [--workers N] [--keep FOLDER]

Every file is a function of the seed and its number. It is analysed in a supervised worker process: a crash,
5 s of processor time or a gigabyte of memory is reported with the file that caused it. Right is: an
``AnalysisError`` that names the file, or 25 finite numbers in their range and plausible metadata; the same
from the bytes in memory; and nothing on the terminal. Files that went wrong are kept. Exit status 1 says so.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from support import synth
from support.encode import FORMATS, EncodedFiles
from support.mutations import MUTATIONS, Sources, mutate
from support.watched import Answer, Limits, watch

import auralis_fp
from auralis_fp import DIMENSIONS, AnalysisError, Fingerprint

LIMITS: Final = Limits(cpu_s=5.0, memory_bytes=1 << 30)
REFUSALS: Final = frozenset({"Unsupported", "CorruptAudio", "NoAudio", "ResourceLimit"})
# Float files may hold samples up to 1e6, 120 dB over full scale; eight channels add 9 dB, weights 1.5 dB.
LOUDEST_LUFS: Final = 3 + 120 + 9 + 1.5


@dataclass(frozen=True)
class Job:
    """One mutated file."""

    number: int
    seed: int

    @property
    def format(self) -> str:
        return list(FORMATS)[self.number % len(FORMATS)]

    @property
    def mutation(self) -> str:
        return list(MUTATIONS)[self.number // len(FORMATS) % len(MUTATIONS)]

    def make(self, folder: Path) -> bytes:
        rng = np.random.default_rng([self.seed, self.number])
        other = list(FORMATS)[rng.integers(len(FORMATS))]
        files = [EncodedFiles(folder / part, _NOTHING, 0).file(name) for part, name in (
            ("a", self.format), ("b", self.format), ("a", other),
        )]  # fmt: skip
        return mutate(self.mutation, rng, Sources(*(file.read_bytes() for file in files)))


_NOTHING: Final = np.zeros(0, np.int16)  # the files are there already


def encode_sources(folder: Path) -> None:
    """Two recordings in every format: three seconds in stereo, and two in mono at another rate."""
    for name, style, seconds, rate, channels in (("a", "rock", 3, 44100, 2), ("b", "house", 2, 32000, 1)):
        (folder / name).mkdir()
        samples = synth.to_int16(synth.song(style, seconds, rate, seed=11))[:, :channels]
        encoded = EncodedFiles(folder / name, samples, rate)
        for one in FORMATS:
            encoded.file(one)


# --- in the worker -----------------------------------------------------------------------------------


def work(sources: Path, own: Path) -> None:
    """Answer jobs from standard input; the file at hand stays in ``own`` until the answer is written."""
    for line in sys.stdin:
        job = Job(**json.loads(line))
        own.write_bytes(job.make(sources))
        print(json.dumps(examine(own)), flush=True)


def examine(path: Path) -> dict[str, Any]:
    """Analyse a file; return the outcome, what is wrong with it, and the seconds and megabytes it took."""
    data = path.read_bytes()
    before = reset_peak_megabytes()
    start = time.thread_time()
    outcome, wrong = attempt(lambda: auralis_fp.analyze(path), str(path))
    seconds, megabytes = time.thread_time() - start, peak_megabytes() - before
    again, _ = attempt(lambda: auralis_fp.analyze_bytes(data), "<bytes>")
    if again != outcome:
        wrong.append(f"{outcome!r} from the file, {again!r} from its bytes")
    kind = "analysed" if isinstance(outcome, tuple) else outcome
    return {"kind": kind, "wrong": wrong, "seconds": seconds, "megabytes": megabytes}


def attempt(analyse: Any, path: str) -> tuple[Any, list[str]]:
    """Return the outcome of an analysis, in a form to compare, and what is wrong with it."""
    try:
        fp: Fingerprint = analyse()
    except AnalysisError as error:
        wrong = [] if error.kind in REFUSALS else [f"the kind of error: {error!r}"]
        if str(error) != f"{path}: {error.stage}: {error.cause}" or not error.cause:
            wrong.append(f"the error's words: {error}")
        return error.kind, wrong
    except BaseException as error:
        return type(error).__name__, [repr(error)]
    return (fp.vector.tobytes(), fp.undefined, fp.metadata), faults(fp)


def faults(fp: Fingerprint) -> list[str]:
    """Yield what is wrong with a fingerprint, whatever the file."""
    wrong = []
    for d in DIMENSIONS:
        value, maximum = fp[d.name], LOUDEST_LUFS if d.name == "lufs" else d.maximum
        if d.name in fp.undefined:
            if value != d.undefined:
                wrong.append(f"{d.name} is undefined, and {value}")
        elif not (math.isfinite(value) and d.minimum <= value <= maximum):
            wrong.append(f"{d.name} = {value}")
    m = fp.metadata
    sane = (
        2000 <= m.sample_rate <= 768_000,
        1 <= m.channels <= 8,
        m.codec != "" and m.container != "",
        m.samples_decoded > 0,
        m.duration == m.samples_decoded / m.sample_rate,
        m.damaged_packets >= 0,
        m.declared_duration is None or 0 <= m.declared_duration < math.inf,
        0 <= m.clipped_runs <= m.channels * m.samples_decoded / 3,
        0 <= m.peak <= 1e6,
        abs(m.dc_offset) <= m.peak + 2**-22,  # the unit in which it is summed
        not m.identical_channels or m.channels > 1,
    )
    if not all(sane):
        wrong.append(f"{m}: {sane}")
    return wrong


def peak_megabytes() -> float:
    """Largest resident memory of this process since the last reset."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


def reset_peak_megabytes() -> float:
    Path("/proc/self/clear_refs").write_text("5")
    return peak_megabytes()


# --- the run -----------------------------------------------------------------------------------------


@dataclass
class Tally:
    """The outcomes of a group of files."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    megabytes: float = 0.0

    def add(self, outcome: str, seconds: float, megabytes: float) -> None:
        self.outcomes[outcome] += 1
        self.seconds, self.megabytes = max(self.seconds, seconds), max(self.megabytes, megabytes)


@dataclass
class Report:
    """The outcomes of all files, by format and by mutation, and what went wrong."""

    groups: dict[str, dict[str, Tally]]
    wrong: list[str]

    def table(self) -> str:
        total = Tally()
        for tally in self.groups["mutation"].values():
            total.outcomes += tally.outcomes
            total.add("", tally.seconds, tally.megabytes)
        del total.outcomes[""]
        columns = [*("analysed", *sorted(REFUSALS), "wrong", "crash", "hang", "memory")]
        lines = [f"| | {' | '.join(columns)} | slowest (s) | most memory (MB) |"]
        lines.append("|---|" + "---:|" * (len(columns) + 2))
        for group, rows in (*self.groups.items(), ("", {"all": total})):
            for name, tally in rows.items():
                counts = " | ".join(f"{tally.outcomes[column]}" for column in columns)
                lines.append(f"| {name} | {counts} | {tally.seconds:.2f} | {tally.megabytes:.0f} |")
            if group == "mutation":
                lines.append("|" + " |" * (len(columns) + 3))
        return "\n".join(lines)


def run(numbers: Iterable[int], seed: int, *, workers: int, keep: Path) -> Report:
    """Analyse the mutated files with these numbers; those that go wrong are copied to ``keep``."""
    by_mutation = {name: Tally() for name in MUTATIONS}
    by_format = {name: Tally() for name in FORMATS}
    report = Report({"mutation": by_mutation, "format": by_format}, [])
    with tempfile.TemporaryDirectory(prefix="auralis-mutated-") as folder:
        sources, own = Path(folder), [Path(folder, f"{number}.audio") for number in range(workers)]
        encode_sources(sources)
        commands = [[sys.executable, __file__, "--work", folder, str(path)] for path in own]
        jobs = (json.dumps({"number": number, "seed": seed}) for number in numbers)
        for line, answer in watch(commands, jobs, LIMITS):
            job = Job(**json.loads(line))
            outcome, seconds, megabytes, wrong = read(answer)
            by_mutation[job.mutation].add(outcome, seconds, megabytes)
            by_format[job.format].add(outcome, seconds, megabytes)
            if wrong:
                keep.mkdir(parents=True, exist_ok=True)
                name = f"{seed}-{job.number}.{FORMATS[job.format].extension}"
                keep.joinpath(name).write_bytes(job.make(sources))
                report.wrong.append(f"{name} ({job.format}, {job.mutation}): {'; '.join(wrong)}")
    return report


def read(answer: Answer) -> tuple[str, float, float, list[str]]:
    """Outcome, seconds, megabytes, and what is wrong."""
    printed = [f"printed {answer.printed!r}"] if answer.printed else []
    if answer.verdict != "answered":
        return answer.verdict, 0.0, 0.0, [f"{answer.verdict}: {answer.text}", *printed]
    result = json.loads(answer.text)
    wrong = [*result["wrong"], *printed]
    return "wrong" if wrong else result["kind"], result["seconds"], result["megabytes"], wrong


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=int, nargs="?", help="how many")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, default=Path("build/mutated"), help="folder of what went wrong")
    parser.add_argument("--work", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(*options.work)
        return 0
    if options.files is None:
        parser.error("how many files?")
    report = run(progress(options.files), options.seed, workers=options.workers, keep=options.keep)
    print(report.table())
    print(*report.wrong, sep="\n")
    return 1 if report.wrong else 0


def progress(files: int) -> Iterator[int]:
    for number in range(files):
        if number % 1000 == 0:
            print(f"{number} of {files} files", file=sys.stderr)
        yield number


if __name__ == "__main__":
    sys.exit(main())
