"""What the page of a library costs: seconds and memory to write it, its size, and when a browser answers.

scripts/python benchmarks/page.py [TRACKS...]        54756 and 1000000 without any

Needs Chromium, as scripts/setup dev installs it.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
from playwright.sync_api import sync_playwright
from support.collections import store_fingerprints

from auralis_fp import NAMES
from auralis_fp.similarity import Space

TRACKS: Final = (54_756, 1_000_000)
LOOKS: Final = 3
BATCH: Final = 100_000
ENDINGS: Final = ("flac", "mp3", "m4a", "opus", "ogg")


def fill(database: Path, tracks: int) -> None:
    """Store made-up fingerprints, distributed as music is, under names of usual length."""
    random = np.random.default_rng(3)
    space = Space.builtin()
    together = random.normal(size=(4, len(NAMES))) / 3
    for start in range(0, tracks, BATCH):
        numbers = range(start, min(start + BATCH, tracks))
        places = random.normal(size=(len(numbers), 4)) @ together
        places += 0.6 * random.normal(size=places.shape)
        scales = [space.scales[name] for name in NAMES]
        values = np.stack(
            [
                np.interp(column, scale.places, scale.values)
                for column, scale in zip(places.T, scales, strict=True)
            ],
            axis=1,
        )
        store_fingerprints(
            database,
            values,
            titles=[f"A title of usual length {n}" for n in numbers],
            paths=[
                f"/music/Some artist {n // 40 % 1500}/The album {n // 10}/{n % 10 + 1:02d} A title of usual "
                f"length {n}.{ENDINGS[n % 7 % 5]}"
                for n in numbers
            ],
        )


def write(database: Path, page: Path) -> tuple[float, float]:
    """Write the page by the command; return the seconds and the largest memory of it in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    start = time.perf_counter()
    command = [sys.executable, "-m", "auralis_fp", "page", "--db", str(database), "--output", str(page)]
    subprocess.run(command, check=True)
    seconds = time.perf_counter() - start
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert most > before, "another child took more memory; its figure would be shown"
    return seconds, most / 1024


def look(page: Path) -> float:
    """Open the page in a new browser; return the seconds until the first click on the map is answered."""
    executable = shutil.which("chromium")
    assert executable is not None, "needs Chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1360, "height": 900})
        tab.set_default_timeout(180_000)
        start = time.perf_counter()
        tab.goto(page.as_uri())
        tab.wait_for_selector("html[data-ready]")
        tab.evaluate("document.getElementById('canvas').scrollIntoView({ block: 'center' })")
        box = tab.locator("#canvas").bounding_box()
        assert box is not None
        tab.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        tab.wait_for_selector("#details h3")
        seconds = time.perf_counter() - start
        browser.close()
    return seconds


def main(sizes: list[int]) -> None:
    """Print a line for each size of a library."""
    lines = []
    with tempfile.TemporaryDirectory(prefix="auralis-fp-page-") as folder:
        for tracks in sorted(sizes):  # memory is told of the largest child so far
            database, page = Path(folder) / f"{tracks}.db", Path(folder) / f"{tracks}.html"
            fill(database, tracks)
            seconds, megabytes = write(database, page)
            looks = [look(page) for _ in range(LOOKS)]
            size = page.stat().st_size / 1e6
            answered = statistics.median(looks)
            lines.append(
                f"| {tracks} | {seconds:.1f} s | {megabytes:.0f} MB | {size:.1f} MB | {answered:.1f} s |"
            )
            database.unlink()
    print("| tracks | written in | memory | file | first click answered |\n|---|---|---|---|---|")
    print("\n".join(lines))


if __name__ == "__main__":
    main([int(one) for one in sys.argv[1:]] or list(TRACKS))
