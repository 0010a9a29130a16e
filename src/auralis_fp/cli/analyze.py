"""``auralis-fp analyze``: measure files and print the numbers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from auralis_fp._audio_files import SIDECAR_EXTENSION, audio_files
from auralis_fp._text import printable
from auralis_fp._types import AnyPath
from auralis_fp.analysis import analyze_bytes
from auralis_fp.batch import analyze_many
from auralis_fp.cli.common import FAILED, complain, give_up
from auralis_fp.errors import AnalysisError
from auralis_fp.fingerprint import Fingerprint

__all__ = ["analyze"]

_STANDARD_INPUT: Final = Path("-")
_PICTURES: Final = (".png", ".svg")


@click.command()
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each file, one per line.")
@click.option("--table", is_flag=True, help="Print one table with a column for each file.")
@click.option(
    "--plot",
    metavar="FILE.png|svg",
    type=click.Path(path_type=Path),
    help="Also draw the numbers of one file among those of a library. Needs the extra plot.",
)
@click.option(
    "--workers",
    metavar="N",
    type=click.IntRange(min=1),
    default=os.cpu_count() or 1,
    show_default="the number of processors",
    help="Number of files to analyse at a time.",
)
def analyze(paths: tuple[Path, ...], as_json: bool, table: bool, plot: Path | None, workers: int) -> None:
    """Measure audio files and print the numbers.

    FILE may also be a folder, for all audio files in it and below it, or - for standard input. The .25d
    files that a scan writes beside the music are passed over.

    Exit status: 0 on success, 1 if a file failed, 2 if nothing could be done.
    """
    if as_json and table:
        give_up("--json and --table cannot be combined")
    try:
        files = list(_audio_files(paths))
    except OSError as error:
        give_up(f"{printable(error.filename)}: {error.strerror}")
    if not files:
        give_up("no audio files there")
    if plot is not None:
        _refuse_plot(plot, files)
    measured: dict[str, Fingerprint] = {}
    failed = False
    for path, result in _in_order(files, workers):
        name = printable(path)
        if isinstance(result, AnalysisError):
            complain(printable(str(result)))
            failed = True
            continue
        if plot is not None:
            _draw(result, path.name, plot)
        if as_json:
            print(json.dumps({"path": name, **result.to_dict()}, ensure_ascii=False), flush=True)
        elif table:
            measured[name] = result
        else:
            from auralis_fp.cli.tables import print_fingerprint

            print_fingerprint(name, result)
    if measured:
        from auralis_fp.cli.tables import print_side_by_side

        print_side_by_side(measured)
    if failed:
        sys.exit(FAILED)


def _refuse_plot(plot: Path, files: Sequence[Path]) -> None:
    """Refuse what cannot be drawn before the time is spent on measuring it."""
    if plot.suffix.lower() not in _PICTURES:
        give_up(f"{printable(plot)}: a picture is a file whose name ends in {' or '.join(_PICTURES)}")
    if len(set(files)) != 1:
        give_up(f"--plot draws one file, not {len(set(files))}")


def _draw(fingerprint: Fingerprint, name: str, plot: Path) -> None:
    from auralis_fp.picture import save

    try:
        save(fingerprint, plot, title="" if name == str(_STANDARD_INPUT) else name)
    except OSError as error:
        give_up(f"{printable(plot)}: {error.strerror or error}")


def _audio_files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from map(Path, audio_files(str(path)))
        elif path.suffix != SIDECAR_EXTENSION:
            yield path


def _analyze_standard_input() -> Fingerprint | AnalysisError:
    try:
        return analyze_bytes(sys.stdin.buffer.read())
    except AnalysisError as error:
        return type(error)(error.cause, stage=error.stage, path="standard input")


def _in_order(files: Sequence[Path], workers: int) -> Iterator[tuple[Path, Fingerprint | AnalysisError]]:
    """Yield the results in the order of the files, each as soon as it and all before it are available."""
    known: dict[AnyPath, Fingerprint | AnalysisError] = {}
    if _STANDARD_INPUT in files:
        known[_STANDARD_INPUT] = _analyze_standard_input()
    results = analyze_many(dict.fromkeys(file for file in files if file not in known), workers=workers)
    for file in files:
        while file not in known:
            path, result = next(results)
            known[path] = result
        yield file, known[file]
