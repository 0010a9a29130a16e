"""``auralis-fp analyze``: measure files and print the numbers."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

import auralis_fp
from auralis_fp import DIMENSIONS, AnalysisError, Fingerprint
from auralis_fp._text import printable
from auralis_fp.cli.common import FAILED, ending_well, give_up

__all__ = ["analyze"]


@ending_well
def analyze(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Audio files.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line and file.")] = False,
    table: Annotated[
        bool, typer.Option("--table", help="One table, a column per file, to compare them.")
    ] = False,
    workers: Annotated[
        int, typer.Option(min=1, help="Files at a time.", show_default="the number of processors")
    ] = os.cpu_count() or 1,
) -> None:
    """Measure audio files.

    Exit status: 0, 1 if a file failed, 2 if nothing could be done.
    """
    if as_json and table:
        give_up("--json and --table exclude each other")
    measured: dict[str, Fingerprint] = {}
    names = [printable(os.fsdecode(path)) for path in files]
    failed = False
    for path, result in auralis_fp.analyze_many(files, workers=workers):
        name = printable(os.fsdecode(path))
        if isinstance(result, AnalysisError):
            print(f"auralis-fp: {printable(str(result))}", file=sys.stderr)
            failed = True
        elif as_json:
            print(json.dumps({"path": name, **result.to_dict()}, ensure_ascii=False), flush=True)
        elif table:
            measured[name] = result
        else:
            _print_one(name, result)
    if measured:
        _print_side_by_side({name: measured[name] for name in names if name in measured})
    if failed:
        raise typer.Exit(FAILED)


def _number(fingerprint: Fingerprint, name: str) -> str:
    return "undefined" if name in fingerprint.undefined else f"{fingerprint[name]:.4g}"


def _print_one(name: str, fingerprint: Fingerprint) -> None:
    m = fingerprint.metadata
    damage = f", {m.damaged_packets} damaged packets" if m.damaged_packets else ""
    table = Table(title=None, box=None, padding=(0, 1), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(style="dim")
    for dimension in DIMENSIONS:
        table.add_row(dimension.name, _number(fingerprint, dimension.name), dimension.unit, dimension.meaning)
    console = Console(highlight=False)
    console.print(name, style="bold", markup=False, soft_wrap=True)
    console.print(
        f"{m.codec} in {m.container}, {m.duration:.1f} s, {m.sample_rate} Hz, {m.channels} channels{damage}",
        markup=False,
    )
    console.print(table)


def _print_side_by_side(measured: dict[str, Fingerprint]) -> None:
    table = Table(box=None, padding=(0, 1))
    table.add_column("")
    for name in measured:
        table.add_column(Path(name).name, justify="right", overflow="fold")
    table.add_column("unit", style="dim")
    for dimension in DIMENSIONS:
        numbers = (_number(fingerprint, dimension.name) for fingerprint in measured.values())
        table.add_row(dimension.name, *numbers, dimension.unit)
    Console(highlight=False).print(table)
