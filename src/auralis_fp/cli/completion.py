"""Completion in shells: Click writes the scripts from the definitions of the commands, this installs them."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Final

import click

from auralis_fp.cli.common import give_up

__all__ = ["SHELLS", "install_completion", "show_completion"]

SHELLS: Final = ("bash", "zsh", "fish")

_PROGRAM: Final = "auralis-fp"
_START_ZSH: Final = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }\n"


def show_completion(ctx: click.Context, _option: click.Parameter, shell: str | None) -> None:
    """Print the script for a shell, and exit."""
    if shell is not None and not ctx.resilient_parsing:
        print(_script(ctx, _chosen(ctx, shell)))
        ctx.exit()


def install_completion(ctx: click.Context, _option: click.Parameter, shell: str | None) -> None:
    """Put the script where a shell finds it, and exit."""
    if shell is None or ctx.resilient_parsing:
        return
    shell = _chosen(ctx, shell)
    try:
        for line in _install(shell, _script(ctx, shell)):
            print(line)
    except OSError as error:
        give_up(f"{error.filename}: {error.strerror}")
    print("New shells complete what you type with the Tab key.")
    ctx.exit()


def _chosen(ctx: click.Context, shell: str) -> str:
    shell = shell or Path(os.environ.get("SHELL", "")).name
    if shell not in SHELLS:
        ctx.fail(f"There is completion for {', '.join(SHELLS)}, not for {shell or 'an unknown shell'!r}.")
    return shell


def _script(ctx: click.Context, shell: str) -> str:
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(ctx.command, {}, _PROGRAM, "_AURALIS_FP_COMPLETE").source()
    return _START_ZSH + script if shell == "zsh" else script


def _install(shell: str, script: str) -> list[str]:
    """Install a script; return what was done, a line for each file."""
    from platformdirs import user_data_path

    home = Path.home()
    if shell == "fish":
        config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        return [_write(config / "fish" / "completions" / f"{_PROGRAM}.fish", script)]
    file = user_data_path(_PROGRAM, appauthor=False) / f"completion.{shell}"
    done = [_write(file, script)]
    start = home / ".bashrc" if shell == "bash" else Path(os.environ.get("ZDOTDIR") or home) / ".zshrc"
    line = f"[ -r {shlex.quote(str(file))} ] && . {shlex.quote(str(file))}"
    before = start.read_text(errors="surrogateescape") if start.exists() else ""
    if line not in before.splitlines():
        with start.open("a") as out:
            out.write(f"{'' if before.endswith(chr(10)) or not before else chr(10)}{line}\n")
        done.append(f"{start}: a line added that reads it")
    return done


def _write(file: Path, script: str) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(script + "\n")
    return f"{file}: written"
