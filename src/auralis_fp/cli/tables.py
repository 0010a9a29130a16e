"""Fingerprints as tables on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from auralis_fp.fingerprint import Fingerprint
from auralis_fp.schema import DIMENSIONS

__all__ = ["print_fingerprint", "print_numbers", "print_side_by_side"]


def print_fingerprint(name: str, fingerprint: Fingerprint) -> None:
    """Print the numbers of a file, below its name and format."""
    m = fingerprint.metadata
    damage = f", {m.damaged_packets} damaged packets" if m.damaged_packets else ""
    console = Console(highlight=False)
    console.print(name, style="bold", markup=False, soft_wrap=True)
    console.print(
        f"{m.codec} in {m.container}, {m.duration:.1f} s, {m.sample_rate} Hz, {m.channels} channels{damage}",
        markup=False,
    )
    print_numbers({dimension.name: _number(fingerprint, dimension.name) for dimension in DIMENSIONS})


def print_numbers(numbers: Mapping[str, str], *, explained: bool = True) -> None:
    """Print one number per line, with its unit and meaning if ``explained``."""
    table = Table(box=None, padding=(0, 1), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(style="dim")
    for d in DIMENSIONS:
        table.add_row(d.name, numbers[d.name], *((d.unit, d.meaning) if explained else ()))
    Console(highlight=False).print(table)


def print_side_by_side(measured: Mapping[str, Fingerprint]) -> None:
    """Print a column of numbers for each file."""
    table = Table(box=None, padding=(0, 1))
    table.add_column("")
    for name in measured:
        table.add_column(Path(name).name, justify="right", overflow="fold")
    table.add_column("unit", style="dim")
    for d in DIMENSIONS:
        table.add_row(d.name, *(_number(fingerprint, d.name) for fingerprint in measured.values()), d.unit)
    Console(highlight=False).print(table)


def _number(fingerprint: Fingerprint, name: str) -> str:
    return "undefined" if name in fingerprint.undefined else f"{fingerprint[name]:.4g}"
