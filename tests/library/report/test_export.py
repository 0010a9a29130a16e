"""Exports: what they hold besides the numbers."""

from __future__ import annotations

import json
from pathlib import Path

from support.library import Music, application_database, run_command

import auralis_fp
from auralis_fp.library.work.analyzers import build_of


def test_exports_tell_the_build(music: Music, tmp_path: Path) -> None:
    path = application_database(tmp_path / "app.db", music(2))
    assert run_command("scan", "--db", path).returncode == 0
    for options, expected in (((), build_of(auralis_fp.analyze)), (("--no-sidecar",), None)):
        rows = json.loads(run_command("export", "--db", path, "--format", "json", *options).stdout)
        assert [row["fingerprint_build"] for row in rows] == [expected] * 2
    shown = json.loads(run_command("show", "1", "--json", "--db", path).stdout)
    assert shown["build"] == build_of(auralis_fp.analyze)
