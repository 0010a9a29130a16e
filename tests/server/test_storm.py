"""A short storm; tests/tools/storm.py has the long one."""

from __future__ import annotations

from pathlib import Path

from support.encode import EncodedFiles
from tools.storm import storm


def test_clients_that_leave_and_clients_that_mean_harm(tmp_path: Path, encoded: EncodedFiles) -> None:
    for name in ("wav-s16", "mp3-vbr-0"):
        source = encoded.file(name)
        (tmp_path / source.name).write_bytes(source.read_bytes())
    (tmp_path / "out").symlink_to("/etc")
    assert storm(tmp_path, requests=400, clients=40, seed=1) == []
