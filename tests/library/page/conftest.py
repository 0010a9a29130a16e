"""A library that was made to break the page, the page of it, and a browser to look at it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from support.collections import add_artists, made_up, store_fingerprints
from support.hostile import FILES, HOSTILE
from support.library import run_command, write_noise

from auralis_fp import NAMES
from auralis_fp.library.page import write_page
from auralis_fp.library.store.database import Database
from auralis_fp.library.store.filenames import to_column

COUNT: Final = 320


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a library of hostile names and one real recording, which has a sidecar."""
    folder = tmp_path_factory.mktemp("page")
    music = folder / "music"
    music.mkdir()
    write_noise(music / "real.wav", seconds=3)
    database = folder / "<b>'quoted\" & library<b>.db"
    assert run_command("scan", music, "--db", database).returncode == 0
    values = made_up(COUNT)
    values[5, NAMES.index("tempo_bpm")] = 0  # undefined
    values[6] = values[7] * (1 + 1e-6)
    names = [*FILES, *(f"{n:03d} plain.flac" for n in range(COUNT - len(FILES)))]
    titles = [*HOSTILE, *(f"Plain {n}" for n in range(COUNT - len(HOSTILE)))]
    paths = [to_column(f"{music}/disc-{n % 3}/{name}") for n, name in enumerate(names)]
    store_fingerprints(database, values, paths=paths, titles=titles)
    add_artists(database, [HOSTILE[n % 3] if n % 40 == 1 else f"Artist {n % 9}" for n in range(COUNT + 1)])
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE tracks SET title = 'Real' WHERE id = 1")
        connection.execute(
            "INSERT INTO tracks (title, filepath, fingerprint_status, fingerprint_error_message)"
            " VALUES ('failed', ?, 'error', ?)",
            (f"{music}/<i>failed</i>.mp3", HOSTILE[0]),
        )
    connection.close()
    return database


@pytest.fixture(scope="session")
def page_file(library: Path) -> Path:
    """Write the page of the library."""
    output = library.parent / "library.html"
    assert write_page(Database(library, readonly=True), output).tracks == COUNT + 1
    return output


@pytest.fixture(scope="module")  # not longer: while Playwright runs, its thread has an event loop
def chromium() -> Iterator[Any]:
    """Start Debian's Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("needs Chromium, which scripts/setup dev installs on Debian")
    with playwright.sync_playwright() as running:
        # Root, as CI is, has no sandbox to offer; what is opened is ours.
        browser = running.chromium.launch(executable_path=executable, args=["--no-sandbox"], timeout=180_000)
        yield browser
        browser.close()
