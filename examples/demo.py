"""Make a small music library in several formats, analyse it with 16 threads, and put the numbers to use.

    scripts/python examples/demo.py [FOLDER]

The music is synthesised by ``tests/support/synth.py`` and encoded by the ``ffmpeg`` command line. FOLDER
keeps the library; without it, a temporary folder is used.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from support import synth

import auralis_fp

RATE = 44100
SECONDS = 30
FORMATS = {
    "wav": ["-c:a", "pcm_s24le"],
    "flac": [],
    "mp3": ["-b:a", "192k"],
    "m4a": ["-c:a", "aac", "-b:a", "160k"],
    "ogg": ["-c:a", "libvorbis", "-q:a", "5"],
    "opus": ["-c:a", "libopus", "-b:a", "96k"],
    "wma": ["-b:a", "192k"],
    "mka": ["-c:a", "flac"],
}
COLUMNS = (
    "lufs",
    "crest_db",
    "tempo_bpm",
    "rhythm_stability",
    "spectral_centroid",
    "harmonic_ratio",
    "stereo_width",
)


def make_library(folder: Path) -> list[Path]:
    """Write one file per style and format."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number, style in enumerate(synth.STYLES):
        # Each of a length and a speed of its own: what differs in both is another recording.
        samples = synth.song(style, SECONDS + 2 * number, RATE, bpm=84 + 9 * number)
        for extension, options in FORMATS.items():
            file = folder / f"{style}.{extension}"
            command = ["ffmpeg", "-v", "error", "-y", "-f", "f32le", "-ar", str(RATE), "-ac", "2", "-i", "-"]
            subprocess.run([*command, *options, str(file)], input=samples.tobytes(), check=True)
            files.append(file)
    return files


def ask_over_http(console: Console, file: Path) -> None:
    """Start the server on any free port, and ask it for a file, as a program in any language can."""
    command = [sys.executable, "-m", "auralis_fp", "serve", "--root", str(file.parent), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            address = server.stdout.readline().split()[2].rstrip(",")  # Listening on ADDRESS, ...
            body = json.dumps({"track_id": 1, "filepath": str(file.absolute())})
            with urllib.request.urlopen(f"{address}/fingerprint", body.encode()) as answer:
                content = json.load(answer)
        finally:
            server.terminate()
    console.print(f"The same over HTTP, by auralis-fp serve: POST /fingerprint {body}")
    numbers = content["fingerprint"]
    console.print(f"  lufs {numbers['lufs']:.4f}, tempo_bpm {numbers['tempo_bpm']:.4f}, ...")


def use_the_library(console: Console, folder: Path) -> None:
    """Scan the files into a database; then list similar tracks, a playlist and copies, and write the page."""
    database, lists = folder / "music.db", folder / "list.m3u8"
    first, last = (str(folder / f"{style}.flac") for style in ("ambient", "house"))
    commands: list[tuple[str, ...]] = [
        ("scan", str(folder)),
        ("similar", first, "--why", "--count", "3"),
        (
            "playlist",
            "--from",
            first,
            "--to",
            last,
            "--length",
            "6",
            "--spacing",
            "0",
            "--output",
            str(lists),
        ),
        ("duplicates", "--count", "2"),
        ("page", "--output", str(folder / "library.html")),
    ]
    for arguments in commands:
        console.print(f"\nauralis-fp {' '.join(arguments)} --db {database}", style="bold", soft_wrap=True)
        sys.stdout.flush()
        subprocess.run([sys.executable, "-m", "auralis_fp", *arguments, "--db", str(database)], check=True)


def main() -> int:
    """Run the demo; 1 if any file failed."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    with tempfile.TemporaryDirectory(prefix="auralis-fp-demo-") as temporary:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(temporary)
        console.print(f"Making a small library in {folder} ...")
        files = make_library(folder)
        start = time.perf_counter()
        results = dict(auralis_fp.analyze_many(files, workers=16))
        seconds = time.perf_counter() - start
        _show(console, files, results, seconds)
        ask_over_http(console, files[0])
        use_the_library(console, folder)
    return 1 if any(isinstance(one, auralis_fp.AnalysisError) for one in results.values()) else 0


def _show(
    console: Console,
    files: list[Path],
    results: Mapping[Any, auralis_fp.Fingerprint | auralis_fp.AnalysisError],
    seconds: float,
) -> None:
    table = Table("file", *COLUMNS, title="Seven of the 25 numbers of each file")
    failed = 0
    for file in files:
        result = results[file]
        if isinstance(result, auralis_fp.AnalysisError):
            failed += 1
            table.add_row(file.name, str(result))
        else:
            table.add_row(file.name, *(f"{result[name]:.3f}" for name in COLUMNS))
    console.print(table)

    first = results[files[0]]
    if isinstance(first, auralis_fp.Fingerprint):
        every = Table("dimension", "value", "unit", "meaning", title=f"All 25 numbers of {files[0].name}")
        for dimension in auralis_fp.DIMENSIONS:
            every.add_row(dimension.name, f"{first[dimension.name]:.4f}", dimension.unit, dimension.meaning)
        console.print(every)
    audio = sum(one.metadata.duration for one in results.values() if isinstance(one, auralis_fp.Fingerprint))
    console.print(
        f"{len(files)} files of {SECONDS} s and more, {failed} failed, 16 threads: {seconds:.2f} s, "
        f"{audio / seconds:.0f} x real time"
    )


if __name__ == "__main__":
    sys.exit(main())
