"""What the commands share: options, exit statuses, file names."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = [
    "FAILED",
    "INTERRUPTED",
    "UNABLE",
    "absolute",
    "complain",
    "complaint",
    "completing",
    "count_option",
    "database_option",
    "default_database",
    "give_up",
    "is_new",
    "library_option",
    "output_option",
    "progress_option",
    "readable_library_option",
    "seconds_option",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])

FAILED: Final = 1
UNABLE: Final = 2
INTERRUPTED: Final = 130


def default_database() -> Path:
    """Return the database of the commands that are given none."""
    from platformdirs import user_data_path

    return user_data_path("auralis-fp", appauthor=False) / "library.db"


def completing(kind: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Return what makes shells complete a value as the name of a ``file`` or a ``dir``."""

    def complete(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type=kind)]

    return complete


def library_option(metavar: str, text: str) -> Callable[[_Function], _Function]:
    """Return the option that names the library."""
    return click.option(
        "--db",
        metavar=metavar,
        envvar="AURALIS_FP_DB",
        show_envvar=True,
        default=lambda: str(default_database()),
        show_default="library.db in your data folder",
        shell_complete=completing("file"),
        help=text,
    )


database_option: Final = library_option(
    "FILE_OR_URL", "SQLite file or SQLAlchemy URL such as postgresql://user@host/name."
)

readable_library_option: Final = library_option(
    "LIBRARY",
    "SQLite file, SQLAlchemy URL, or Parquet file of auralis-fp export or cluster, or a folder of those.",
)


progress_option: Final = click.option(
    "--progress",
    type=click.Choice(["auto", "plain", "json"]),
    default="auto",
    help="How to show the progress: redrawn in place on a terminal and as lines elsewhere (auto), as lines "
    "(plain), or as JSON objects, one per line, the last of which is the summary (json).",
)


def count_option(
    name: str, text: str, *, default: int, metavar: str = "N", least: int = 0, most: int | None = None
) -> Callable[[_Function], _Function]:
    """Return an option that takes a whole number."""
    return click.option(name, metavar=metavar, type=click.IntRange(least, most), default=default, help=text)


def seconds_option(
    name: str, text: str, *, default: float, least: float = 0.0, positive: bool = False
) -> Callable[[_Function], _Function]:
    """Return an option that takes a number of seconds."""
    kind = click.FloatRange(least, min_open=positive)
    return click.option(name, metavar="SECONDS", type=kind, default=default, help=text)


def output_option(text: str) -> Callable[[_Function], _Function]:
    """Return the option that names a file to write."""
    return click.option("--output", "-o", metavar="FILE", type=click.Path(path_type=Path), help=text)


def absolute(path: str | Path) -> str:
    """Return the absolute path of a file without resolving links: its path in a library."""
    return os.path.abspath(path)  # noqa: PTH100  (resolve() follows links, absolute() keeps "..")


def is_new(db: str) -> bool:
    """Return whether ``db`` names an SQLite file that does not exist yet."""
    return "://" not in db and not Path(db).exists()


def complaint(message: str, *, program: str = "auralis-fp: ") -> str:
    """Return the line that reports an error: text, or JSON with ``--log-format json``."""
    context = click.get_current_context(silent=True)
    if context is None or context.find_root().params.get("log_format") != "json":
        return f"{program}{message}"
    from auralis_fp.cli.log import JsonFormatter

    return JsonFormatter().format(
        logging.makeLogRecord({"name": "auralis-fp", "levelname": "ERROR", "msg": message})
    )


def complain(message: str, *, program: str = "auralis-fp: ") -> None:
    """Report an error on standard error."""
    print(complaint(message, program=program), file=sys.stderr, flush=True)


def give_up(message: str) -> NoReturn:
    """Exit with a message and status 2: the command could not do its work at all."""
    complain(message)
    sys.exit(UNABLE)
