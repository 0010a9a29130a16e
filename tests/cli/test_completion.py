"""Completion of the command line, in real shells: what the Tab key writes."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.library import command

from auralis_fp.cli.completion import SHELLS


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without settings."""
    for name in [name for name in os.environ if name.startswith("XDG_")] + ["ZDOTDIR", "ENV"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def install(shell: str) -> str:
    done = subprocess.run(command("--install-completion", shell), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    output: str = done.stdout
    return output


class Terminal:
    """A shell that somebody types into."""

    def __init__(self, shell: str) -> None:
        folder = Path(sys.executable).parent
        variables = {"PATH": f"{folder}:{os.environ['PATH']}", "TERM": "xterm", "PS1": "$ ", "COLUMNS": "200"}
        self._pid, self._terminal = pty.fork()
        if not self._pid:
            os.execvpe(shell, [shell, "-i"], {**os.environ, **variables})
        self.shown = b""

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def wait_for(self, text: str) -> None:
        """Wait until the shell has written something, in what follows the last find."""
        while (at := self.shown.find(text.encode())) < 0:
            assert select.select([self._terminal], [], [], 60)[0], f"no {text!r} in {self.shown!r}"
            self.shown += os.read(self._terminal, 4096)
        self.shown = self.shown[at + len(text) :]

    def close(self) -> None:
        os.kill(self._pid, 9)
        os.waitpid(self._pid, 0)
        os.close(self._terminal)


@pytest.fixture(params=SHELLS)
def terminal(request: pytest.FixtureRequest, home: Path) -> Iterator[Terminal]:
    if shutil.which(request.param) is None:
        pytest.skip(f"no {request.param} here")
    install(request.param)
    with contextlib.closing(Terminal(request.param)) as terminal:
        terminal.type("echo rea''dy\n")
        terminal.wait_for("ready")
        yield terminal


def test_the_tab_key_completes_commands_options_and_paths(terminal: Terminal, home: Path) -> None:
    if shutil.which("auralis-fp", path=str(Path(sys.executable).parent)) is None:
        pytest.skip("auralis-fp is not installed beside this Python")
    (home / "Folder of music").mkdir()
    terminal.type(f"cd '{home}'\nauralis-fp cle\t")
    terminal.wait_for("cle")
    terminal.wait_for("ar-failed")
    terminal.type("\x15auralis-fp scan --dry\t")
    terminal.wait_for("-run")
    terminal.type(" Fol\t")
    terminal.wait_for("der")
    terminal.wait_for("music")


@pytest.mark.parametrize("shell", SHELLS)
def test_installing_twice_changes_nothing(shell: str, home: Path) -> None:
    for name in (".bashrc", ".zshrc"):
        (home / name).write_text("alias ll='ls -l'")
    install(shell)
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    install(shell)
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before
    lines = [line for name in (".bashrc", ".zshrc") for line in (home / name).read_text().splitlines()]
    assert lines.count("alias ll='ls -l'") == 2
    assert len(lines) == (2 if shell == "fish" else 3)


def test_the_shell_is_the_users_own_unless_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    shown = subprocess.run(command("--show-completion"), capture_output=True, text=True).stdout
    assert "complete --no-files --command auralis-fp" in shown
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    done = subprocess.run(command("--install-completion"), capture_output=True, text=True)
    assert (done.returncode, "not for 'tcsh'" in done.stderr) == (2, True)
    assert list(home.iterdir()) == []
