"""CPU time of decoding with the FFmpeg of wheels and with the system's, side by side, as a Markdown table.

    scripts/python benchmarks/bundled.py [--music FILE] [--work FOLDER] [--rounds N]

Builds auralis_steps with each. They take turns, and in going first too, so that a disturbance of the machine
affects both. Other programs only ever make a run slower: the least CPU time of all rounds shows them least.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Final

from recordings import Recordings, Steps

NAMES: Final = ("MP3 320k", "FLAC", "M4A", "Opus")
REPEATS: Final = 3  # of a run; its median counts


def measure(name: str, recordings: Recordings, sides: tuple[Steps, Steps], rounds: int) -> str:
    """Return a row of the table."""
    path = recordings.file(name)
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        for side in (0, 1) if number % 2 else (1, 0):
            times[side].append(sides[side].cpu_ms(path, REPEATS, "decode")["decode"])
    system, bundled = times
    # Speeds: more than 1 where the bundled one is faster.
    ratios = [a / b for a, b in zip(system, bundled, strict=True)]
    return (
        f"| {name} | **{min(system) / min(bundled):.3f}** | {statistics.median(ratios):.3f} "
        f"| {min(ratios):.2f} to {max(ratios):.2f} | {min(bundled):.1f} ms / {min(system):.1f} ms |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--music", type=Path, metavar="FILE", help="music instead of the synthesised song")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="keeps the input files for the next run")
    parser.add_argument("--rounds", type=int, default=25, metavar="N", help="25 by default")
    options = parser.parse_args()
    sides = (Steps(bundled=False), Steps(bundled=True))
    with tempfile.TemporaryDirectory(prefix="auralis-fp-benchmark-") as temporary:
        recordings = Recordings(options.work or Path(temporary), options.music)
        print("| speed, bundled / system | of the least times | median | range | least CPU time |")
        print("|---|---|---|---|---|")
        for name in NAMES:
            print(measure(name, recordings, sides, options.rounds))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
