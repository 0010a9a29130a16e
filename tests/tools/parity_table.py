"""Worst difference between the compiled core and the reference analyzer over a folder of music.

    scripts/python tests/tools/parity_table.py FOLDER

Decodes every file once with the ffmpeg command line, measures the samples with both, in two processes, and
prints a table: for each dimension the tolerance, the worst difference and the track on which it occurred.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from support.encode import decode
from support.tolerances import PARITY, differences

import auralis_fp
from auralis_fp import NAMES, reference


def compare(path: Path) -> tuple[str, dict[str, float], frozenset[str]]:
    samples, rate = decode(path)
    measured = auralis_fp.analyze_samples(samples, rate)
    expected = reference.analyze_samples(samples, rate)
    return path.name, differences(measured, expected), measured.undefined ^ expected.undefined


def main(folder: str) -> int:
    known = {".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wav"}
    paths = sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in known)
    with ProcessPoolExecutor(2) as pool:
        results = list(pool.map(compare, paths))
    failed = False
    print(f"{len(results)} tracks\n\n{'dimension':26}{'tolerance':>10}{'worst':>12}{'of it':>8}  track")
    for name in NAMES:
        worst, track = max((difference[name], track) for track, difference, _ in results)
        failed |= not worst <= PARITY[name]
        print(f"{name:26}{PARITY[name]:10g}{worst:12.2e}{worst / PARITY[name]:8.1%}  {track}")
    for track, _, undefined in results:
        if undefined:
            failed = True
            print(f"{track}: undefined in one of the two only: {', '.join(sorted(undefined))}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
