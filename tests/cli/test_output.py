"""What commands write, for people with little space or no colours, for logs and for other programs."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import termios
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.library import Music, command, run_command

import auralis_fp

STYLE = re.compile(r"\x1b\[([0-9;]*)m")


def on_a_terminal(*arguments: str | Path, columns: int = 80, variables: Mapping[str, str] = {}) -> str:
    """Run a command on a terminal, and return what it has written there."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns)) if hasattr(termios, "tcsetwinsize") else None
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns), **variables}
    process = subprocess.Popen(command(*arguments), stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    output = bytearray()
    with contextlib.suppress(OSError):  # the end of a terminal is an error
        while part := os.read(ours, 4096):
            output += part
    os.close(ours)
    process.wait(60)
    return output.decode()


@pytest.fixture
def folder(music: Music) -> Path:
    """Return a folder of three songs and one bad file."""
    folder = Path(music(3)[0]).parent
    (folder / "bad.mp3").write_text("no audio")
    return folder


def test_quiet_scans_print_failures_only(folder: Path, tmp_path: Path) -> None:
    done = run_command("scan", folder, "--db", tmp_path / "a.db", "--quiet")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[0] == "Failed: 1 (try again with --retry-failed)"
    assert f"{folder}/bad.mp3: Unsupported" in done.stderr
    again = run_command("scan", folder, "--db", tmp_path / "a.db", "-q")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_progress_for_other_programs(folder: Path, tmp_path: Path) -> None:
    done = run_command("scan", folder, "--db", tmp_path / "a.db", "--progress", "json")
    *progress, summary = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, done.stderr) == (1, "")
    assert {item["type"] for item in progress} == {"progress"}
    last = progress[-1]
    assert (last["done"], last["total"], last["failed"], last["eta_s"]) == (4, 4, 1, 0.0)
    assert (summary["type"], summary["analyzed"], summary["folders"]["new"]) == ("summary", 3, 4)
    assert [failure["path"] for failure in summary["failures"]] == [str(folder / "bad.mp3")]


def test_progress_as_lines_on_a_terminal(folder: Path, tmp_path: Path) -> None:
    shown = on_a_terminal("scan", folder, "--db", tmp_path / "a.db", "--progress", "plain")
    assert "Progress: 4/4 (100.0%)" in shown
    assert "\x1b" not in shown


def test_the_log_as_objects(folder: Path, tmp_path: Path) -> None:
    done = run_command(
        "--verbose", "--log-format", "json", "scan", folder, "--db", tmp_path / "a.db", "--quiet"
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert all({"time", "level", "logger", "message"} <= set(line) for line in lines)
    assert {line["logger"] for line in lines} > {"auralis-fp"}
    refused = run_command("--log-format", "json", "status", "--db", tmp_path / "none.db")
    assert json.loads(refused.stderr)["message"].endswith("none.db: no such database")
    failed = run_command("--log-format", "json", "analyze", folder / "bad.mp3")
    assert json.loads(failed.stderr)["level"] == "error"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--quiet", "--progress", "plain"], "--quiet and --progress cannot be combined"),
        (["--progress", "json", "--report"], "--progress json cannot be combined with"),
    ],
)
def test_what_contradicts_itself_is_refused(options: list[str], message: str, tmp_path: Path) -> None:
    done = run_command("scan", "--db", tmp_path / "a.db", *options)
    assert (done.returncode, message in done.stderr) == (2, True)


def colours(shown: str) -> set[str]:
    codes = {code for codes in STYLE.findall(shown) for code in codes.split(";")}
    return codes - {"", "0", "1", "2", "4", "22", "24"}  # bold, dim, underlined


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colours_where_nobody_wants_them(variables: dict[str, str], folder: Path, tmp_path: Path) -> None:
    song = folder / "song0000.wav"
    assert colours(on_a_terminal("scan", folder, "--db", tmp_path / "a.db"))  # so that this can fail
    for arguments in (
        ("scan", folder, "--db", tmp_path / "b.db"),
        ("analyze", song),
        ("show", song, "--db", tmp_path / "a.db"),
        ("similar", song, "--db", tmp_path / "a.db"),
    ):
        assert not colours(on_a_terminal(*arguments, variables=variables))


def test_narrow_terminals(folder: Path, tmp_path: Path) -> None:
    song, database = folder / "song0000.wav", tmp_path / "a.db"
    shown = on_a_terminal("scan", folder, "--db", database, columns=24)
    assert "Traceback" not in shown
    assert "4/4" in shown
    lufs = auralis_fp.analyze(song).format_value("lufs")
    for arguments in (("analyze", song), ("analyze", "--table", song)):
        lines = on_a_terminal(*arguments, columns=24).splitlines()
        assert [line.split()[1] for line in lines if " lufs " in line] == [lufs]
    shown = on_a_terminal("show", song, "--db", database, columns=24)
    assert "…" not in shown
    assert "computed by core" in shown
    assert '{"' not in shown
    assert "Traceback" not in on_a_terminal("similar", song, "--db", database, columns=24)
