"""All figures of the speed of auralis_fp, measured side by side in one run, as a Markdown table.

    scripts/python benchmarks/compare.py [--peers] [--reference] [--against PYTHON] [--music FILE]
                                         [--work FOLDER] [--rounds N]

Every round takes each measurement once, one after the other, so that a disturbance of the machine affects
both sides of a ratio; the table shows the median of the rounds and their range. benchmarks/README.md says
what each row means.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Final

import layers
from recordings import FORMATS, LONG, STEPS, Recordings, Steps
from support.processes import PROGRAMS, environment

import auralis_fp

STEP_REPEATS: Final = 3
CORES: Final = 2
FEW, MANY = 2, 16  # threads
PEAK_FORMATS: Final = ("FLAC", "MP3 320k", "M4A")
LAYERS: Final[dict[str, str]] = {  # row of layers.py to what to reach, per track
    "scan, beyond analyze": "≤ 1.3 ms",
    "found in a sidecar": "≤ 1.1 ms",
    "file is missing": "≤ 1 ms",
    "unchanged": "≤ 0.05 ms",
}


# --- what workers run: one process for each contender, so that none pays for another's imports ----------


def _analyze(path: str) -> object:
    return auralis_fp.analyze(path)


def _analyze_reference(path: str) -> object:
    return importlib.import_module("auralis_fp.reference").analyze(path)


def _analyze_sonara(path: str) -> object:
    return importlib.import_module("sonara").analyze_file(path, mode="compact")


def cpu_s(analyze: Callable[[str], object], path: str) -> float:
    """Return the CPU seconds of a call, on all threads and in all programs that it starts."""

    def now() -> float:
        usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(usage.ru_utime + usage.ru_stime for usage in usages)

    start = now()
    analyze(path)
    return now() - start


def files_per_second(path: str, files: int, threads: int) -> float:
    """Return the throughput of ``analyze_many`` on a number of files."""
    start = time.perf_counter()
    for _, result in auralis_fp.analyze_many(repeat(path, files), workers=threads):
        if isinstance(result, auralis_fp.AnalysisError):
            raise result
    return files / (time.perf_counter() - start)


class Worker:
    """A process that measures one contender."""

    def __init__(self, analyze: Callable[[str], object], warm_up: Path) -> None:
        self.analyze = analyze
        self.pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        self.cpu_s(warm_up)

    def cpu_s(self, path: Path) -> float:
        return self.pool.submit(cpu_s, self.analyze, str(path)).result()

    def files_per_second(self, path: Path, files: int, threads: int) -> float:
        return self.pool.submit(files_per_second, str(path), files, threads).result()


class Build:
    """The build of an interpreter, in a process that is told what to measure."""

    def __init__(self, python: str) -> None:
        program = Path(__file__).with_name("measured_build.py")
        self.process = subprocess.Popen(
            [python, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Build:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.process.communicate("")

    def measure(self, *command: object) -> float:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(*command, sep="\t", file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


def peak_megabytes(path: Path, threads: int, python: str = sys.executable) -> float:
    """Peak memory of a fresh process that analyses one file a thread, with Python and NumPy."""
    program = str(PROGRAMS / "memory" / "threads.py")
    command = [python, program, str(threads), *repeat(str(path), threads)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
    return int(done.stdout.split()[1]) / 1e6


# --- the rows -------------------------------------------------------------------------------------------


@dataclass
class Row:
    """One figure of the table; ``sides`` holds the two medians of which it is the ratio."""

    figure: str
    to_reach: str
    aim: str
    unit: str
    values: Sequence[float]
    sides: str

    def __str__(self) -> str:
        low, middle, high = min(self.values), statistics.median(self.values), max(self.values)
        digits = 0 if middle >= 20 else 2 if self.to_reach != "≤ 1.02" else 3
        spread = f"{low:.{digits}f} to {high:.{digits}f}"
        cells = (
            self.figure,
            f"**{middle:.{digits}f}{self.unit}**",
            spread,
            self.to_reach,
            self.aim,
            self.sides,
        )
        return f"| {' | '.join(cells)} |"


class Measurements:
    """Named lists of values, one value per round."""

    def __init__(self) -> None:
        self.values: defaultdict[str, list[float]] = defaultdict(list)

    def add(self, name: str, value: float) -> None:
        self.values[name].append(value)

    def ratio(self, above: str, below: str, factor: float = 1) -> list[float]:
        return [factor * a / b for a, b in zip(self.values[above], self.values[below], strict=True)]

    def median(self, name: str) -> float:
        return statistics.median(self.values[name])

    def ms(self, name: str) -> str:
        return f"{1e3 * self.median(name):.0f} ms"


def measure(options: argparse.Namespace, recordings: Recordings) -> Measurements:
    steps = Steps()
    short = recordings.short_file()
    paths = {name: recordings.file(name) for name in ("WAV", "FLAC", "MP3 320k", "M4A")}
    long = recordings.long_file()
    for path in paths.values():
        recordings.check(auralis_fp.analyze(path))
    recordings.check(auralis_fp.analyze(long), minutes=4 * LONG)
    m = Measurements()
    with ExitStack() as stack:

        def worker(analyze: Callable[[str], object]) -> Worker:
            made = Worker(analyze, short)
            stack.enter_context(made.pool)
            return made

        core = worker(_analyze)
        sonara = worker(_analyze_sonara) if options.peers else None
        reference = worker(_analyze_reference) if options.reference else None
        for number in range(1, options.rounds + 1):
            print(f"Round {number} of {options.rounds}", file=sys.stderr)
            for name in ("MP3 320k", "FLAC", "M4A"):
                for step, ms in steps.cpu_ms(paths[name], STEP_REPEATS).items():
                    m.add(f"{name}: {step}", ms / 1e3)
            if sonara is not None:
                for name in ("MP3 320k", "FLAC"):
                    m.add(f"auralis_fp, {name}", core.cpu_s(paths[name]))
                    m.add(f"sonara, {name}", sonara.cpu_s(paths[name]))
            if reference is not None:
                m.add("auralis_fp, WAV", core.cpu_s(paths["WAV"]))
                m.add("reference, WAV", reference.cpu_s(paths["WAV"]))
            # Short before and after long: a machine that slows down meanwhile affects both.
            before = [core.cpu_s(paths["FLAC"]) for _ in range(LONG // 2)]
            m.add("long file", core.cpu_s(long) / LONG)
            after = [core.cpu_s(paths["FLAC"]) for _ in range(LONG // 2)]
            m.add("short file", statistics.fmean(before + after))
            # The two take turns in going first.
            for threads in (FEW, MANY) if number % 2 else (MANY, FEW):
                m.add(f"{threads} threads", core.files_per_second(paths["FLAC"], options.files, threads))
            m.add("memory", max(peak_megabytes(paths[name], MANY) for name in PEAK_FORMATS))
    return m


def measure_builds(
    options: argparse.Namespace, recordings: Recordings, folder: Path, m: Measurements
) -> None:
    """Measure what a change can be seen in, with this build and with another, which take turns."""
    pythons = {"this": sys.executable}
    if options.against:
        pythons["other"] = options.against
    songs = layers.make_songs(folder / "songs", options.tracks)
    paths = {name: recordings.file(name) for name in FORMATS}
    with ExitStack() as stack:
        builds = {side: stack.enter_context(Build(python)) for side, python in pythons.items()}
        for number in range(options.rounds):
            print(f"Round {number + 1} of {options.rounds}, builds", file=sys.stderr)
            sides = list(builds)[:: 1 if number % 2 else -1]
            for side in sides:
                for row, seconds in layers.measure(pythons[side], songs, folder / "work").items():
                    m.add(f"{side}: {row}", seconds / len(songs))
                shutil.rmtree(folder / "work")
            if not options.against:
                continue
            for name, path in paths.items():
                for side in sides:
                    m.add(f"{side}: {name}", builds[side].measure("cpu", path))
            for side in sides:
                m.add(f"{side}: rate", builds[side].measure("rate", paths["FLAC"], options.files, MANY))
                peaks = (peak_megabytes(paths[name], MANY, pythons[side]) for name in PEAK_FORMATS)
                m.add(f"{side}: memory", max(peaks))


def rows(m: Measurements, options: argparse.Namespace) -> list[Row]:
    table = []
    for name, to_reach, aim in (("MP3 320k", "1.8", "1.5"), ("FLAC", "2.0", "1.6"), ("M4A", "2.8", "2.2")):
        whole, decode = f"{name}: whole analysis", f"{name}: decode"
        sides = f"{m.ms(whole)} / {m.ms(decode)}"
        figure = f"CPU of analysis / CPU of decoding alone, {name}"
        table.append(Row(figure, f"≤ {to_reach}", aim, "", m.ratio(whole, decode), sides))
    if options.peers:
        for name in ("MP3 320k", "FLAC"):
            ours, theirs = f"auralis_fp, {name}", f"sonara, {name}"
            figure = f"CPU / CPU of sonara `compact`, {name}"
            table.append(
                Row(figure, "≤ 0.75", "0.6", "", m.ratio(ours, theirs), f"{m.ms(ours)} / {m.ms(theirs)}")
            )
    if options.reference:
        values = m.ratio("reference, WAV", "auralis_fp, WAV")
        sides = f"{m.median('reference, WAV'):.1f} s / {m.ms('auralis_fp, WAV')}"
        table.append(Row("CPU of `auralis_fp.reference` / CPU, WAV", "≥ 60", "100", " x", values, sides))
    sides = f"{m.ms('long file')} / {m.ms('short file')} for 4 minutes"
    figure = "CPU per second of audio, 40-minute / 4-minute file, FLAC"
    table.append(Row(figure, "≤ 1.02", "1.0", "", m.ratio("long file", "short file"), sides))
    many, few = f"{MANY} threads", f"{FEW} threads"
    sides = f"{m.median(many):.2f} / {m.median(few):.2f} files/s"
    figure = f"Throughput, {MANY} / {FEW} threads on {_cores()} cores, {options.files} FLAC files"
    table.append(Row(figure, "≥ 0.97", "1.0", "", m.ratio(many, few), sides))
    figure = f"Peak memory, {MANY} threads, largest of {', '.join(PEAK_FORMATS)}"
    table.append(Row(figure, "≤ 150 MB", "100 MB", " MB", m.values["memory"], "with Python and NumPy"))
    return table


def rows_of_builds(m: Measurements, options: argparse.Namespace) -> list[Row]:
    table = []
    for layer, to_reach in LAYERS.items():
        values = [1e3 * value for value in m.values[f"this: {layer}"]]
        figure = f"CPU of a track: {layer}"
        table.append(Row(figure, to_reach, "", " ms", values, f"{options.tracks} files of one second"))
    if not options.against:
        return table

    def ratio(figure: str, name: str, to_reach: str, aim: str, unit: str, factor: float) -> None:
        this, other = f"this: {name}", f"other: {name}"
        sides = f"{factor * m.median(this):.2f} / {factor * m.median(other):.2f} {unit}"
        table.append(Row(f"{figure}, this build / the other", to_reach, aim, "", m.ratio(this, other), sides))

    for name in FORMATS:
        limits = ("≤ 0.92", "0.85") if name in PEAK_FORMATS else ("≤ 1.00", "")
        ratio(f"CPU of an analysis, {name}", name, *limits, "ms", 1e3)
    ratio(f"Throughput, {MANY} threads, FLAC", "rate", "≥ 1.00", "", "files/s", 1)
    ratio(f"Peak memory, {MANY} threads", "memory", "≤ 1.00", "", "MB", 1)
    for layer in LAYERS:
        if layer != "unchanged":  # about nothing, of which no ratio can be told
            ratio(f"CPU of a track: {layer}", layer, "≤ 0.50", "", "ms", 1e3)
    return table


def report(m: Measurements, options: argparse.Namespace) -> str:
    info = auralis_fp.build_info()
    name = options.music.name if options.music else "a synthesised song"
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    lines = [
        f"{_processor()}, {_cores()} cores used; Python {platform.python_version()}, {info['compiler']}, "
        f"{info['cpu_level']}, FFmpeg {info['ffmpeg']['release']}. Music: {name}. Rounds: {options.rounds}. "
        f"Load average at the end: {load}.",
        "",
        "| figure | median | range | to reach | then aim for | sides |",
        "|---|---|---|---|---|---|",
        *map(str, [*rows(m, options), *rows_of_builds(m, options)]),
        "",
        "| step, MP3 320k | CPU | share of the whole |",
        "|---|---|---|",
    ]
    whole = m.median("MP3 320k: whole analysis")
    for step in STEPS:
        median = m.median(f"MP3 320k: {step}")
        lines.append(f"| {step} | {1e3 * median:.1f} ms | {100 * median / whole:.1f} % |")
    return "\n".join(lines)


# --- the machine ----------------------------------------------------------------------------------------


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", action="store_true", help="also sonara, which must be installed")
    parser.add_argument(
        "--reference", action="store_true", help="also auralis_fp.reference: half a minute a round"
    )
    parser.add_argument(
        "--against", metavar="PYTHON", help="also another build: the interpreter that it is installed for"
    )
    parser.add_argument("--music", type=Path, metavar="FILE", help="music instead of the synthesised song")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keeps the input files for the next run")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="5 by default")
    parser.add_argument(
        "--files", type=int, default=32, metavar="N", help="files for the threads; 32 by default"
    )
    parser.add_argument(
        "--tracks", type=int, default=1000, metavar="N", help="tracks of a scan; 1000 by default"
    )
    options = parser.parse_args()
    # One thread for each library: set before any worker process imports them.
    for variable in ("OMP", "OPENBLAS", "MKL", "NUMBA", "RAYON"):
        os.environ[f"{variable}_NUM_THREADS"] = "1"
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    with tempfile.TemporaryDirectory(prefix="auralis-fp-benchmark-") as temporary:
        recordings = Recordings(options.work or Path(temporary), options.music)
        measurements = measure(options, recordings)
        measure_builds(options, recordings, Path(temporary), measurements)
        print(report(measurements, options))


if __name__ == "__main__":
    main()
