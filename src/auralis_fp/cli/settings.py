"""The configuration file: values for what the command line and the environment leave open."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from auralis_fp.cli.common import give_up

__all__ = ["Settings", "config_option", "parameters_of"]

_Function = TypeVar("_Function", bound=Callable[..., Any])

_SHARED: Final = "db"  # above all sections: of every command that takes it from AURALIS_FP_DB as well


@dataclass(frozen=True)
class Settings:
    """What a configuration file holds.

    Attributes
    ----------
    file : Path
        The file, whether it is there or not.
    content : dict
        Options by name, and a table for every command.
    """

    file: Path
    content: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path | None, commands: Iterable[str]) -> Settings:
        """Return what a file holds, by default the user's own; end the program if it is not right."""
        if file is None:
            from platformdirs import user_config_path

            file = user_config_path("auralis-fp", appauthor=False) / "config.toml"
            if not file.exists():
                return cls(file)
        if sys.version_info >= (3, 11):
            import tomllib
        else:
            import tomli as tomllib
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            give_up(f"{file}: {error.strerror}")
        except ValueError as error:
            give_up(f"{file}: {error}")
        settings = cls(file, content)
        for name, value in content.items():
            if isinstance(value, dict):
                settings._require(name, commands, f"there is no command {name!r}")
        return settings

    def of_program(self, group: click.Command) -> dict[str, Any]:
        """Return the values of the options that come before the command."""
        values = {n: v for n, v in self.content.items() if n != _SHARED and not isinstance(v, dict)}
        return self._values(values, parameters_of(group), "", more=[_SHARED])

    def of_command(self, command: click.Command) -> dict[str, Any]:
        """Return the values of the options of a command."""
        known = parameters_of(command)
        values = dict(self.content.get(command.name or "", {}))
        if _SHARED in self.content and _SHARED in known and known[_SHARED].envvar:
            values.setdefault(_SHARED, self.content[_SHARED])
        return self._values(values, known, f"[{command.name}] ")

    def _values(
        self,
        values: Mapping[str, Any],
        known: Mapping[str, click.Parameter],
        section: str,
        more: Iterable[str] = (),
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in values.items():
            self._require(name, [*known, *more], f"{section}there is no option {name!r}")
            parameter = known[name]
            several = parameter.nargs == -1 or parameter.multiple
            parts = value if several and isinstance(value, list) else [value]
            is_flag = isinstance(parameter, click.Option) and parameter.is_flag
            if any(isinstance(part, bool) != is_flag or isinstance(part, list | dict) for part in parts):
                give_up(f"{self.file}: {section}{name}: a value of the wrong type: {value!r}")
            parts = [os.path.expanduser(p) if isinstance(p, str) else p for p in parts]  # noqa: PTH111
            assert parameter.name is not None
            found[parameter.name] = parts if several else parts[0]
        return found

    def _require(self, name: str, known: Iterable[str], complaint: str) -> None:
        if name not in (names := list(known)):
            similar = difflib.get_close_matches(name, names, n=1)
            give_up(f"{self.file}: {complaint}" + "".join(f"; did you mean {one!r}?" for one in similar))


def parameters_of(command: click.Command) -> dict[str, click.Parameter]:
    """Return what a configuration file can set, by name: options, and arguments that can be left out."""
    found: dict[str, click.Parameter] = {}
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            if not parameter.required and parameter.name:
                found[parameter.name] = parameter
        elif parameter.expose_value and parameter.name != "config":
            name = next(name for name in parameter.opts if name.startswith("--"))
            found[name.removeprefix("--")] = parameter
    return found


def config_option(commands: Iterable[str]) -> Callable[[_Function], _Function]:
    """Return the option that names the configuration file, which is read before all other options."""

    def read(ctx: click.Context, _option: click.Parameter, file: Path | None) -> Path | None:
        if not ctx.resilient_parsing:
            settings = ctx.obj = Settings.read(file, commands)
            ctx.default_map = settings.of_program(ctx.command)
        return file

    return click.option(
        "--config",
        metavar="FILE",
        type=click.Path(path_type=Path),
        envvar="AURALIS_FP_CONFIG",
        show_envvar=True,
        show_default="config.toml in your folder of settings",
        is_eager=True,
        callback=read,
        help="File of settings, in TOML.",
    )
