"""The command line put together; a command is imported only when it is called."""

from __future__ import annotations

import difflib
import importlib
import keyword
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from auralis_fp._version import __version__
from auralis_fp.cli.common import INTERRUPTED, give_up
from auralis_fp.cli.completion import install_completion, show_completion
from auralis_fp.cli.settings import Settings, config_option

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["COMMANDS", "app", "module_of"]

COMMANDS: Final = {
    "analyze": "Measure audio files and print the numbers.",
    "scan": "Fingerprint every track that has none yet.",
    "report": "List recordings that are truncated, damaged, clipped or silent, and the like.",
    "status": "Show how many tracks have a fingerprint, and the latest failures.",
    "show": "Show the stored fingerprint of a track.",
    "similar": "List the tracks that are most like the given ones.",
    "playlist": "Make a playlist around some tracks, or on the way from one to another.",
    "duplicates": "List recordings of which there are several copies.",
    "page": "Write a library as one HTML page: a map of all tracks, what is like what, and what is broken.",
    "export": "Write all fingerprints as CSV, JSON or Parquet.",
    "cluster": "Measure files by the million, on a Ray cluster or on all processors of this machine.",
    "import": "Put the rows of Parquet files into a library.",
    "verify": "Analyse a sample of tracks again, and compare with what is stored.",
    "clear-failed": "Mark failed tracks for another try.",
    "serve": "Answer requests for fingerprints over HTTP.",
    "config": "Show all settings, and where each of them comes from.",
    "doctor": "Check the installation: versions, formats, and known measurements.",
}
"""Every command and the first line of its help; :func:`module_of` says where it is."""


def module_of(name: str) -> str:
    """Return the name of a command's module and of the function in it: ``clear_failed``, ``import_``."""
    stem = name.replace("-", "_")
    return f"{stem}_" if keyword.iskeyword(stem) else stem


class _Commands(click.Group):
    """The commands, each imported when it is called; errors that users can act on become one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            if ctx.resilient_parsing:  # nobody to tell: a shell asks how the line may go on
                return None
            similar = difflib.get_close_matches(name, COMMANDS, n=1)
            ctx.fail(f"No such command {name!r}." + "".join(f" Did you mean {one!r}?" for one in similar))
        stem = module_of(name)
        command: click.Command = getattr(importlib.import_module(f"auralis_fp.cli.{stem}"), stem)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        names = [CompletionItem(n, help=text) for n, text in COMMANDS.items() if n.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.BadParameter as error:
            _name_the_file(error, ctx)
            raise

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except click.BadParameter as error:
            _name_the_file(error, ctx)
            raise
        except ImportError as error:
            give_up(str(error))
        except Exception as error:
            library = sys.modules.get("auralis_fp.library.errors")
            if library is not None and isinstance(error, library.LibraryError):
                give_up(str(error))
            raise


def _name_the_file(error: click.BadParameter, ctx: click.Context) -> None:
    """End the program with one line if it is the configuration file that has a wrong value."""
    inner, name = error.ctx, error.param.name if error.param else None
    if inner and name and inner.get_parameter_source(name) is click.core.ParameterSource.DEFAULT_MAP:
        section = f"[{inner.info_name}] " if inner is not ctx else ""
        give_up(f"{ctx.obj.file}: {section}{error.format_message()}")


@click.group(
    cls=_Commands,
    no_args_is_help=True,
    context_settings={
        "max_content_width": 100,
        "show_default": True,
        "auto_envvar_prefix": "AURALIS_FP",
    },
)
@click.version_option(__version__, message="auralis-fp %(version)s", help="Print the version.")
@config_option(COMMANDS)
@click.option("--verbose", "-v", is_flag=True, help="Log every decision.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="How to write the log and errors on standard error: json is one object per line.",
)
@click.option(
    "--install-completion",
    metavar="[SHELL]",
    is_flag=False,
    flag_value="",
    is_eager=True,
    expose_value=False,
    callback=install_completion,
    help="Complete commands and options with the Tab key, in bash, zsh or fish; by default, your shell.",
)
@click.option(
    "--show-completion",
    metavar="[SHELL]",
    is_flag=False,
    flag_value="",
    is_eager=True,
    expose_value=False,
    callback=show_completion,
    help="Print the script that --install-completion installs.",
)
@click.pass_context
def app(ctx: click.Context, config: Path | None, verbose: bool, log_format: str) -> None:
    """Measure music files as 25 numbers, one by one or a whole library."""
    if isinstance(ctx.obj, Settings) and ctx.invoked_subcommand and ctx.obj.content:
        command = app.get_command(ctx, ctx.invoked_subcommand)
        ctx.default_map = {ctx.invoked_subcommand: ctx.obj.of_command(command)} if command else None
    # The commands report what fails; the log is for finding out why.
    level = logging.DEBUG if verbose else logging.CRITICAL
    log = logging.StreamHandler()
    if log_format == "json":
        from auralis_fp.cli.log import JsonFormatter

        log.setFormatter(JsonFormatter())
    else:
        log.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[log])
