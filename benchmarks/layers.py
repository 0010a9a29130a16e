"""What a library costs beyond the analysis: CPU time per track, in files of one second.

    scripts/python benchmarks/layers.py [--files N] [--rounds N] [--against PYTHON]

PYTHON is the interpreter of an environment with another build, which then takes turns with this one. Every
figure is of processes as users start them, without what an empty scan takes; the median of the rounds.
"""

from __future__ import annotations

import argparse
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Final

from recordings import RATE
from support import encode, synth

ROWS: Final = (
    "analyze",
    "scan, beyond analyze",
    "scan --no-sidecar, beyond analyze",
    "found in a sidecar",
    "unchanged",
    "file is missing",
)
ANALYZE: Final = "import auralis_fp, sys\nfor path in sys.argv[1:]: auralis_fp.analyze(path)"


def cpu_s(*command: object) -> float:
    """Return the CPU seconds of a process and of those that it starts."""

    def now() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    begin = now()
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr  # 1: files are missing
    return now() - begin


def measure(python: str, songs: list[Path], folder: Path) -> dict[str, float]:
    """Return the seconds of every row for all files together."""
    music, none = folder / "music", folder / "none"
    none.mkdir()
    music.mkdir()
    for song in songs:
        (music / song.name).hardlink_to(song)

    def scan(database: str, *arguments: object) -> float:
        return cpu_s(python, "-m", "auralis_fp.cli", "scan", "--db", folder / database, *arguments)

    start = min(scan("none.db", none) for _ in range(2))
    analyze = cpu_s(python, "-c", ANALYZE, *sorted(music.iterdir())) - cpu_s(python, "-c", ANALYZE)
    plain = scan("plain.db", "--no-sidecar", music) - start - analyze
    written = scan("first.db", music) - start - analyze
    found = scan("second.db", music) - start
    unchanged = scan("second.db", music) - start
    music.rename(folder / "moved")
    with closing(sqlite3.connect(folder / "second.db")) as database, database:
        database.execute("DELETE FROM track_fingerprints")
        database.execute("UPDATE tracks SET fingerprint_status = 'pending'")
    missing = scan("second.db") - start
    return dict(zip(ROWS, (analyze, written, plain, found, unchanged, missing), strict=True))


def make_songs(folder: Path, count: int) -> list[Path]:
    """Make files of one second, of which no two are alike, as in a library."""
    folder.mkdir()
    samples = synth.song("rock", 10, RATE)
    for number in range(count):
        start = number * (len(samples) - RATE) // count
        second = synth.to_int16(samples[start : start + RATE])
        encode.encode(folder / f"{number:04}.flac", second, RATE)
    return sorted(folder.iterdir())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--against", metavar="PYTHON")
    given = parser.parse_args()
    pythons = [sys.executable, *([given.against] if given.against else [])]
    values: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="auralis-fp-benchmark-") as temporary:
        folder = Path(temporary)
        songs = make_songs(folder / "songs", given.files)
        for number in range(given.rounds):
            for python in pythons:
                print(f"Round {number + 1} of {given.rounds}: {python}", file=sys.stderr)
                work = Path(tempfile.mkdtemp(dir=folder))
                # Nothing is deleted before the end: ext4 is slow to make files after many were deleted.
                for row, seconds in measure(python, songs, work).items():
                    values[row, python].append(1000 * seconds / len(songs))
    print("| CPU per track, ms |", " | ".join(pythons), "|")
    print("|---" * (1 + len(pythons)) + "|")
    for row in ROWS:
        medians = (f"{statistics.median(values[row, python]):.2f}" for python in pythons)
        print(f"| {row} |", " | ".join(medians), "|")


if __name__ == "__main__":
    main()
