"""Sidecar files by the contract with the existing application, written independently of the package."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from auralis_fp import FINGERPRINT_VERSION, NAMES

VALUES = {name: index + 0.5 for index, name in enumerate(NAMES)}


def content_for(song: str) -> dict[str, Any]:
    """Return the content of a valid sidecar, with the version where it once was."""
    info = Path(song).stat()
    return {
        "format_version": "1.0",
        "auralis_version": "1.0.0",
        "generated_at": "2025-12-09T22:54:35.394772Z",
        "audio_file": {
            "path": Path(song).name,
            "size_bytes": info.st_size,
            "modified_at": datetime.fromtimestamp(info.st_mtime).isoformat(),
        },
        "fingerprint": {**VALUES, "fingerprint_version": FINGERPRINT_VERSION},
        "processing_cache": {},
        "metadata": {},
    }


def store(song: str, content: object) -> None:
    """Write a sidecar as another program may."""
    Path(song + ".25d").write_text(json.dumps(content))


def stored(song: str) -> dict[str, Any]:
    """Return what a sidecar holds."""
    content = json.loads(Path(song + ".25d").read_text())
    assert isinstance(content, dict)
    return content
