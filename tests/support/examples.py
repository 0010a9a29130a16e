"""Runs the examples of the documentation: blocks of Python, and commands with their output."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from auralis_fp import DIMENSIONS

_BLOCK: Final = re.compile(r"^```(console|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_MEASURED: Final = re.compile(r"\d[\d.]*(?= ?(?:s\b|tracks/s|MB\b|× real time))")  # noqa: RUF001
_NUMBER: Final = re.compile(r"-?\d+\.\d+")
_TOLERANCES: Final = {dimension.name: dimension.tolerance for dimension in DIMENSIONS}


@dataclass(frozen=True)
class Block:
    """A block of a page that can be run: ``console`` with commands and their output, or ``python``."""

    language: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page that can be run."""
    text = page.read_text("utf-8")
    return [
        Block(match[1], match[2], text[: match.start()].count("\n") + 2) for match in _BLOCK.finditer(text)
    ]


def run_page(page: Path, home: Path) -> None:
    """Run the blocks of a page one after the other in ``home``; the current folder must be ``home``."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page):
        if block.language == "python":
            source = "\n" * (block.line - 1) + block.text  # so that a traceback names the line of the page
            exec(compile(source, page, "exec"), names)
            continue
        for command, expected in _commands(block.text):
            shown = _run(command, home)
            assert _matches(expected, shown), f"{page.name}: $ {command}\n" + "\n".join(shown)


def _commands(text: str) -> list[tuple[str, list[str]]]:
    commands: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], []))
        else:
            commands[-1][1].append(line)
    return commands


def _run(command: str, home: Path) -> list[str]:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("COLUMNS", "AURALIS_FP_DB")
    }
    environment |= {"HOME": str(home), "PATH": f"{Path(sys.executable).parent}:{environment['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=home,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.stdout.replace(str(home), "/home/me").splitlines()


def _matches(expected: Sequence[str], shown: Sequence[str]) -> bool:
    """Compare line by line; ``...`` stands for any number of lines, at the end of a line for its rest."""
    if not expected:
        return not shown
    if expected[0] == "...":
        return any(_matches(expected[1:], shown[start:]) for start in range(len(shown) + 1))
    return bool(shown) and _same(expected[0], shown[0]) and _matches(expected[1:], shown[1:])


def _same(expected: str, shown: str) -> bool:
    """Compare two lines: numbers within their tolerance, and neither spaces nor times nor speeds at all."""
    lines = [_MEASURED.sub("N", " ".join(line.split())) for line in (expected, shown)]
    if lines[0].endswith("..."):
        lines = [line[: len(lines[0]) - 3] for line in lines]
    if _NUMBER.split(lines[0]) != _NUMBER.split(lines[1]):
        return False
    tolerance = _TOLERANCES.get(lines[0].split(" ")[0], 0.001)
    pairs = zip(*(map(float, _NUMBER.findall(line)) for line in lines), strict=True)
    return all(abs(a - b) <= tolerance + 0.001 * abs(a) for a, b in pairs)
