"""What commands write, for people with little space or no colours, for logs and for other programs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.library import Music, run_command
from support.terminal import run_on_terminal

import auralis_fp

STYLE = re.compile(r"\x1b\[([0-9;]*)m")


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
    shown = run_on_terminal("scan", folder, "--db", tmp_path / "a.db", "--progress", "plain").stdout
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
    assert colours(run_on_terminal("scan", folder, "--db", tmp_path / "a.db").stdout)  # so that this can fail
    for arguments in (
        ("scan", folder, "--db", tmp_path / "b.db"),
        ("analyze", song),
        ("show", song, "--db", tmp_path / "a.db"),
        ("similar", song, "--db", tmp_path / "a.db"),
    ):
        assert not colours(run_on_terminal(*arguments, variables=variables).stdout)


def test_narrow_terminals(folder: Path, tmp_path: Path) -> None:
    song, database = folder / "song0000.wav", tmp_path / "a.db"
    shown = run_on_terminal("scan", folder, "--db", database, columns=24).stdout
    assert "Traceback" not in shown
    assert "4/4" in shown
    lufs = auralis_fp.analyze(song).format_value("lufs")
    for arguments in (("analyze", song), ("analyze", "--table", song)):
        lines = run_on_terminal(*arguments, columns=24).stdout.splitlines()
        assert [line.split()[1] for line in lines if " lufs " in line] == [lufs]
    shown = run_on_terminal("show", song, "--db", database, columns=24).stdout
    assert "…" not in shown
    assert "computed by core" in shown
    assert '{"' not in shown
    assert "Traceback" not in run_on_terminal("similar", song, "--db", database, columns=24).stdout
