"""Settings: from the command line, the environment, the configuration file, or the defaults."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.library import Music, command

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AURALIS_FP_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("AURALIS_FP_DB", raising=False)
    return tmp_path / "config.toml"


def run(*arguments: str, variables: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, env={**os.environ, **variables}, timeout=60
    )


def shown(*arguments: str, variables: Mapping[str, str] = {}) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values that ``config`` shows for a scan, and where they come from."""
    done = run(*arguments, "config", "scan", variables=variables)
    assert done.returncode == 0, done.stderr
    lines = [line.partition("  # ") for line in done.stdout.splitlines()]
    values = tomllib.loads(done.stdout)
    return {**values, **values["scan"]}, {line.partition(" = ")[0]: origin for line, _, origin in lines}


def test_what_comes_first(file: Path) -> None:
    file.write_text('log-format = "json"\ndb = "~/a.db"\n[scan]\nfolders = ["~/Music"]\nworkers = 4\n')
    values, origins = shown()
    assert (values["workers"], values["folders"]) == (4, [str(file.parent / "Music")])
    assert (values["db"], values["log-format"]) == (str(file.parent / "a.db"), "json")
    assert {origins[name] for name in ("workers", "folders", "db", "log-format")} == {"configuration file"}
    assert (values["claim-timeout"], origins["claim-timeout"]) == (300, "default")
    environment = {"AURALIS_FP_SCAN_WORKERS": "5", "AURALIS_FP_DB": "b.db", "AURALIS_FP_LOG_FORMAT": "text"}
    values, origins = shown(variables=environment)
    assert [values[name] for name in ("workers", "db", "log-format")] == [5, "b.db", "text"]
    found = [origins[name] for name in ("workers", "db", "log-format")]
    assert found == ["AURALIS_FP_SCAN_WORKERS", "AURALIS_FP_DB", "AURALIS_FP_LOG_FORMAT"]
    values, origins = shown("--log-format", "json", variables=environment)
    assert (values["log-format"], origins["log-format"]) == ("json", "command line")


def test_commands_take_their_settings(file: Path, music: Music, tmp_path: Path) -> None:
    folder = Path(music(3)[0]).parent
    file.write_text(f'db = "{tmp_path}/a.db"\n[scan]\nfolders = ["{folder}"]\nlimit = 1\nno-sidecar = true\n')
    assert "1 analysed" in run("scan").stdout
    assert "2 analysed" in run("scan", "--limit", "9").stdout
    assert not list(folder.glob("*.25d"))
    assert "complete: 3" in run("status").stdout
    assert (file.parent / "a.db").exists()


def test_all_settings_of_all_commands_are_shown(file: Path) -> None:
    file.write_text("")
    values = tomllib.loads(run("config").stdout)
    assert values["serve"]["port"] == 8766
    assert values["export"]["db"].endswith("auralis-fp/library.db")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[scan]\nworker = 3", "[scan] there is no option 'worker'; did you mean 'workers'?"),
        ("[scann]\nworkers = 3", "there is no command 'scann'; did you mean 'scan'?"),
        ('log = "json"', "there is no option 'log'"),
        ("[scan]\nworkers = 3000", "[scan] Invalid value for '--workers': 3000 is not in the range"),
        ("[scan]\nworkers = true", "[scan] workers: a value of the wrong type: True"),
        ("[scan]\nquiet = 1", "[scan] quiet: a value of the wrong type: 1"),
        ('[scan]\nworkers = "many"', "[scan] Invalid value for '--workers': 'many' is not a valid integer"),
        ('log-format = "x"', "Invalid value for '--log-format': 'x' is not one of"),
        ("[scan", "Expected ']'"),
    ],
)
def test_a_wrong_file_is_one_clear_error(content: str, message: str, file: Path) -> None:
    file.write_text(content)
    done = run("scan")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"auralis-fp: {file}: {message}")
    assert done.stderr.count("\n") == 1


def test_the_section_of_another_command_does_not_matter_but_to_config(file: Path) -> None:
    file.write_text("[serve]\nprot = 3")
    assert run("doctor", "--help").returncode == 0
    done = run("config")
    assert (done.returncode, "[serve] there is no option 'prot'" in done.stderr) == (2, True)


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    done = run("--config", str(tmp_path / "none.toml"), "status")
    assert (done.returncode, "none.toml: No such file or directory" in done.stderr) == (2, True)
