"""``auralis-fp config``: the settings, and where each comes from."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from auralis_fp._text import printable
from auralis_fp.cli.settings import Settings, parameters_of

__all__ = ["config"]


@click.command()
@click.argument("commands", metavar="[COMMAND...]", nargs=-1)
@click.pass_context
def config(ctx: click.Context, commands: tuple[str, ...]) -> None:
    """Show all settings, and where each of them comes from.

    Of all commands, or of those that are named. An option is looked for on the command line, then in the
    environment (AURALIS_FP_SCAN_WORKERS for scan --workers), then in the configuration file, and has its
    default otherwise. The output has the form of a configuration file, in which "db" above all sections
    is the library of every command.

    Exit status: 0, or 2 if the configuration file is not right.
    """
    root = ctx.find_root()
    group, settings = root.command, root.obj
    assert isinstance(group, click.Group)
    assert isinstance(settings, Settings)
    print(f"# {printable(settings.file)}{'' if settings.file.exists() else ' (not there)'}")
    for line in _lines(root, group):
        print(line)
    for name in commands or [name for name in group.list_commands(root) if name != "config"]:
        command = group.get_command(root, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=root)
        inner.default_map = settings.of_command(command)
        print(f"\n[{name}]")
        for line in _lines(inner, command):
            print(line)


def _lines(ctx: click.Context, command: click.Command) -> Iterator[str]:
    """Yield a line for every parameter of a command."""
    for name, parameter in parameters_of(command).items():
        assert parameter.name is not None
        source = ctx.get_parameter_source(parameter.name)
        if source is None:  # of another command than the one that runs
            value, source = parameter.consume_value(ctx, {})
        else:
            value = ctx.params[parameter.name]
        if source is ParameterSource.ENVIRONMENT:  # the text, as it is there
            with contextlib.suppress(click.BadParameter):
                value = parameter.type_cast_value(ctx, value)
        text = _text(value)
        origin = _origin(source, parameter, ctx)
        yield f"# {name}: not set" if text is None else f"{name} = {text}  # {origin}"


def _text(value: Any) -> str | None:
    """Return a value as TOML has it; None if there is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(filter(None, map(_text, value)))}]" if value else None
    if isinstance(value, int | float):
        return str(value)
    return json.dumps(os.fspath(value), ensure_ascii=False) if isinstance(value, str | Path) else None


def _origin(source: ParameterSource, parameter: click.Parameter, ctx: click.Context) -> str:
    if source is ParameterSource.ENVIRONMENT:
        own = [parameter.envvar] if isinstance(parameter.envvar, str) else parameter.envvar or []
        automatic = f"{ctx.auto_envvar_prefix}_{(parameter.name or '').upper()}"
        return next((name for name in own if os.environ.get(name)), automatic)
    names = {ParameterSource.DEFAULT_MAP: "configuration file", ParameterSource.COMMANDLINE: "command line"}
    return names.get(source, "default")
