"""What all commands share: the option that names the database, exit statuses, and names of files."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final, NoReturn

import click

__all__ = ["FAILED", "INTERRUPTED", "UNABLE", "absolute", "database_option", "give_up", "is_new"]

FAILED: Final = 1
UNABLE: Final = 2
INTERRUPTED: Final = 130

database_option: Final = click.option(
    "--db",
    metavar="FILE_OR_URL",
    envvar="AURALIS_FP_DB",
    show_envvar=True,
    required=True,
    help="SQLite file, or SQLAlchemy URL such as postgresql://user@host/name.",
)


def absolute(path: str | Path) -> str:
    """Return the full name of a file, symbolic links left as they are: the name it has in a library."""
    return os.path.abspath(path)  # noqa: PTH100  (resolve() follows links, absolute() keeps "..")


def is_new(db: str) -> bool:
    """Whether ``db`` names a SQLite file that does not exist yet."""
    return "://" not in db and not Path(db).exists()


def give_up(message: str) -> NoReturn:
    """End the command because it could not do its work at all."""
    print(f"auralis-fp: {message}", file=sys.stderr)
    sys.exit(UNABLE)
