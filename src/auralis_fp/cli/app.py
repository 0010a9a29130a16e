"""All commands, put together."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

import auralis_fp
from auralis_fp.cli.analyze import analyze
from auralis_fp.cli.doctor import doctor
from auralis_fp.cli.report import report
from auralis_fp.cli.scan import scan
from auralis_fp.cli.show import clear_failed, export, show, status, verify

__all__ = ["app"]

app = typer.Typer(
    help="Measure audio files as 25 numbers, one by one or a whole library.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for _command in (analyze, scan, report, status, show, export, verify, clear_failed, doctor):
    app.command()(_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"auralis-fp {auralis_fp.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every decision.")] = False,
) -> None:
    # The commands tell what fails; the log is for finding out why.
    level = logging.DEBUG if verbose else logging.CRITICAL
    logging.basicConfig(level=level, format="%(asctime)s %(name)s: %(message)s")
