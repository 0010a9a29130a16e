"""The reference of the command line, from typer's definitions."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Final

import typer

from auralis_fp.cli.app import app
from generate.tables import table

__all__ = ["command_line"]

_PLACEHOLDERS: Final = {int: "N", float: "X", str: "TEXT", Path: "FILE"}


def command_line() -> str:
    """Return the page about all commands."""
    group: Any = typer.main.get_command(app)
    context = typer.Context(group, info_name="auralis-fp")
    commands = [group.get_command(context, name) for name in group.list_commands(context)]
    summary = (
        (f"[`{command.name}`](#{command.name})", _prose(command.help).split("\n")[0]) for command in commands
    )
    parts = [
        "<!-- Written by scripts/docs from the definitions of the commands in src/auralis_fp/cli. -->",
        "# Command line",
        _prose(group.help),
        "The command needs the extra `library`: `pip install '.[library]'`.",
        table(("command", "what it does"), summary),
        "Options of `auralis-fp` itself, which come before the command:",
        _parameters(group),
    ]
    for command in commands:
        parts += [f"## {command.name}", _usage(command), _prose(command.help), _parameters(command)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _usage(command: Any) -> str:
    words = ["auralis-fp", command.name]
    words += [_name(p, command) for p in command.params if _is_option(p) and p.required]
    words += ["[OPTIONS]", *(p.metavar for p in command.params if not _is_option(p))]
    return f"```text\n{' '.join(words)}\n```"


def _prose(text: str) -> str:
    # typer takes a form feed for the end of the help text, and \b for a paragraph that is not to be wrapped.
    return text.split("\f")[0].replace("\b\n", "").strip()


def _parameters(command: Any) -> str:
    rows = [(_code(_name(p, command)), _meaning(p)) for p in command.params if not p.hidden]
    return table(("option", "meaning"), rows) if rows else ""


def _meaning(parameter: Any) -> str:
    notes = "; ".join(_notes(parameter))
    return f"{parameter.help} ({notes})" if notes else str(parameter.help)


def _notes(parameter: Any) -> Iterator[str]:
    if parameter.required and _is_option(parameter):
        yield "required"
    if parameter.envvar:
        yield f"or the environment variable `{parameter.envvar}`"
    if isinstance(parameter.show_default, str):
        yield f"default: {parameter.show_default}"
    elif parameter.show_default and parameter.default not in (None, False):
        default = getattr(parameter.default, "value", parameter.default)
        yield f"default: `{f'{default:g}' if isinstance(default, float) else default}`"


def _name(parameter: Any, command: Any) -> str:
    if not _is_option(parameter):
        return str(parameter.metavar)
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    if parameter.is_flag:
        return names
    return f"{names} {parameter.metavar or _placeholder(parameter, command)}"


def _placeholder(parameter: Any, command: Any) -> str:
    hint: Any = typing.get_type_hints(inspect.unwrap(command.callback))[parameter.name]
    if isinstance(hint, types.UnionType):  # an optional one
        hint = hint.__args__[0]
    if issubclass(hint, Enum):
        return "|".join(choice.value for choice in hint)
    return _PLACEHOLDERS[hint]


def _is_option(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "option")


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")
