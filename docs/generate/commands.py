"""The reference of the command line, from the definitions of the commands."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence

import click

from auralis_fp.cli.app import app
from generate.tables import table

__all__ = ["command_line"]


def command_line() -> str:
    """Return the page about all commands."""
    context = click.Context(app, info_name="auralis-fp")
    found = (app.get_command(context, name) for name in app.list_commands(context))
    commands = [command for command in found if command is not None]
    summary = ((f"[`{c.name}`](#{c.name})", _prose(c).partition("\n")[0]) for c in commands)
    parts = [
        "<!-- Written by scripts/docs from the definitions of the commands in src/auralis_fp/cli. -->",
        "# Command line",
        _prose(app),
        "The command needs the extra `library`: `pip install '.[library]'`.",
        table(("command", "what it does"), summary),
        "Options of `auralis-fp` itself, which come before the command:",
        _options(app),
    ]
    for command in commands:
        parts += [f"## {command.name}", _usage(command), _prose(command), _options(command)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _usage(command: click.Command) -> str:
    words = ["auralis-fp", command.name or ""]
    words += [_name(option) for option in _options_of(command) if option.required]
    words.append("[OPTIONS]")
    words += [argument.metavar or "" for argument in command.params if isinstance(argument, click.Argument)]
    return f"```text\n{' '.join(words)}\n```"


def _prose(command: click.Command) -> str:
    # Click takes a form feed for the end of the help text, and \b for a paragraph that is not to be wrapped.
    return inspect.cleandoc(command.help or "").split("\f")[0].replace("\b\n", "").strip()


def _options_of(command: click.Command) -> Sequence[click.Option]:
    return [p for p in command.params if isinstance(p, click.Option) and not p.hidden]


def _options(command: click.Command) -> str:
    rows = [(_code(_name(option)), _meaning(option)) for option in _options_of(command)]
    return table(("option", "meaning"), rows) if rows else ""


def _meaning(option: click.Option) -> str:
    notes = "; ".join(_notes(option))
    return f"{option.help} ({notes})" if notes else str(option.help)


def _notes(option: click.Option) -> Iterator[str]:
    if option.required:
        yield "required"
    if option.envvar:
        yield f"or the environment variable `{option.envvar}`"
    if isinstance(option.show_default, str):
        yield f"default: {option.show_default}"
    elif isinstance(option.default, int | float | str) and not option.is_flag:
        yield f"default: `{option.default}`"


def _name(option: click.Option) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    if option.is_flag:
        return names
    if isinstance(option.type, click.Choice):
        return f"{names} {'|'.join(option.type.choices)}"
    assert option.metavar, f"{option.name}: name what is to be given, as in --workers N"
    return f"{names} {option.metavar}"


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")
