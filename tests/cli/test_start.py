"""The command line as a whole: what it imports, and what it says about itself."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from support.library import command, write_noise
from support.processes import run_program

from auralis_fp.cli.app import COMMANDS, module_of


def imported(*arguments: str | Path) -> set[str]:
    """Return the packages that a command has imported."""
    output, _, packages = run_program("imports/of_a_command", *arguments).stdout.rpartition("imported:")
    assert "exit status 0" in output
    return set(packages.split())


@pytest.mark.parametrize("name", [None, *COMMANDS])
def test_help_imports_nothing_that_it_does_not_need(name: str | None) -> None:
    found = imported(*([name] if name else []), "--help")
    assert "click" in found
    assert not found & {"sqlalchemy", "mutagen", "rich", "pyarrow", "librosa", "soxr", "asyncio"}


def test_analyze_imports_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    found = imported("analyze", write_noise(tmp_path / "song.wav"), "--json")
    assert not found & {"sqlalchemy", "mutagen", "rich", "pyarrow", "librosa"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_has_the_first_line_of_each(name: str) -> None:
    module = module_of(name)
    found = getattr(importlib.import_module(f"auralis_fp.cli.{module}"), module)
    assert found.name == name
    assert found.help.partition("\n")[0] == COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_whole(name: str) -> None:
    shown = subprocess.run(command(name, "--help"), capture_output=True, text=True, check=True).stdout
    assert "<" not in shown.replace("<=x<=", "")
    assert "}..." not in shown
    assert not [line for line in shown.splitlines()[1:] if line.endswith("...")]


def test_a_misspelled_command_is_guessed() -> None:
    done = subprocess.run(command("anlyze", "x"), capture_output=True, text=True)
    assert (done.returncode, "Did you mean 'analyze'?" in done.stderr) == (2, True)


@pytest.mark.parametrize("module", ["auralis_fp", "auralis_fp.cli"])
def test_the_package_is_a_program(module: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True)
    assert done.stdout.startswith("Usage: auralis-fp [OPTIONS] COMMAND")


def test_the_library_draws_nothing() -> None:
    run_program("imports/library_without_rich")
