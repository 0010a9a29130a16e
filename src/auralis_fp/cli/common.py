"""What all commands share: their options, and how they end when something fails."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, NoReturn, ParamSpec, TypeAlias, TypeVar

import typer

from auralis_fp.library.errors import LibraryError

__all__ = [
    "FAILED",
    "INTERRUPTED",
    "UNABLE",
    "DatabaseOption",
    "absolute",
    "ending_well",
    "give_up",
    "is_new",
]

FAILED: Final = 1
UNABLE: Final = 2
INTERRUPTED: Final = 130

_P = ParamSpec("_P")
_R = TypeVar("_R")

DatabaseOption: TypeAlias = Annotated[
    str,
    typer.Option(
        "--db",
        metavar="FILE_OR_URL",
        envvar="AURALIS_FP_DB",
        help="SQLite file, or an SQLAlchemy URL such as postgresql://user@host/name.",
    ),
]


def absolute(path: str | Path) -> str:
    """Full name of a file, symbolic links left as they are: the name it has in a library."""
    return os.path.abspath(path)  # noqa: PTH100  (resolve() follows links, absolute() keeps "..")


def is_new(db: str) -> bool:
    """Whether ``db`` names a SQLite file that does not exist yet."""
    return "://" not in db and not Path(db).exists()


def give_up(message: str) -> NoReturn:
    """End the command because it could not do its work at all."""
    print(f"auralis-fp: {message}", file=sys.stderr)
    raise typer.Exit(UNABLE)


def ending_well(command: Callable[_P, _R]) -> Callable[_P, _R]:
    """Turn what users can act on into one line and an exit status, instead of a traceback."""

    @functools.wraps(command)
    def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return command(*args, **kwargs)
        except (LibraryError, ImportError) as error:
            give_up(str(error))
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None

    return wrapped
