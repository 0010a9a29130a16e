"""What is written to the page, without a browser to look at it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.collections import made_up, store_fingerprints
from support.library import run_command

from auralis_fp import DIMENSIONS, NAMES
from auralis_fp.library.errors import LibraryError
from auralis_fp.library.page import write_page
from auralis_fp.library.page.axes import principal_axes
from auralis_fp.library.page.content import ABSENT, Levels
from auralis_fp.library.store.database import Database
from auralis_fp.similarity import Space


def content(page: Path) -> dict[str, Any]:
    """The texts of a page."""
    found = re.search(r'id="texts">([^<]*)<', page.read_text("utf-8"))
    assert found
    texts: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(found[1])))
    return texts


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    return Database(
        store_fingerprints(tmp_path_factory.mktemp("writing") / "music.db", made_up(500)), readonly=True
    )


def test_levels_are_closer_than_any_tolerance() -> None:
    values = Space.builtin()
    places = np.random.default_rng(1).normal(size=(5000, len(NAMES)))
    numbers = np.stack(
        [
            np.interp(places[:, d], values.scales[name].places, values.scales[name].values)
            for d, name in enumerate(NAMES)
        ],
        axis=1,
    ).astype(np.float32)
    numbers[7, 3] = np.nan
    numbers[:, 5] = 4.5
    packed = Levels.of(numbers)
    levels = np.frombuffer(packed.data, "<u2").reshape(len(NAMES), -1)
    assert levels[3, 7] == ABSENT
    for d, dimension in enumerate(DIMENSIONS):
        scale = packed.scales[d]
        found = np.interp(
            scale.places[0] + levels[d].astype(float) * packed.steps[d], scale.places, scale.values
        )
        known = np.isfinite(numbers[:, d])
        assert np.abs(found - numbers[:, d])[known].max() < dimension.tolerance


def test_axes_are_named_by_what_tells_tracks_apart() -> None:
    numbers = made_up(400, seed=2).astype(np.float32)
    one = np.random.default_rng(3).uniform(0.1, 0.9, 400)
    for name in ("spectral_centroid", "spectral_rolloff", "air_pct", "transient_density"):
        numbers[:, NAMES.index(name)] = one
    first, second = principal_axes(Space.fit(numbers), numbers)
    assert set(first.high.split(", ")) == {"brighter", "airier", "busier"}
    assert set(first.low.split(", ")) == {"darker", "less airy", "calmer"}
    assert first.share > second.share > 0


def test_a_sample_says_that_it_is_one(database: Database, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    written = write_page(database, page, most=50)
    assert (written.tracks, written.comparable, written.unknown) == (50, 500, 50)
    assert "This page shows a sample: 50 of 500 tracks" in page.read_text("utf-8")
    ids = content(page)["tracks"]["id"]
    assert (ids[0], ids[-1], len(ids)) == (1, 500, 50)
    assert max(np.diff(ids)) <= 11
    write_page(database, page)
    assert "shows a sample" not in page.read_text("utf-8")


def test_only_the_scripts_of_the_page_may_run(database: Database, tmp_path: Path) -> None:
    write_page(database, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text("utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts]
    rules = dict(rule.split(" ", 1) for rule in policy[1].replace("&#39;", "'").split("; "))
    assert rules["script-src"].split() == [f"'sha256-{one}'" for one in hashes]
    assert rules["default-src"] == "'none'"
    assert not re.search(
        r"\son\w+=|javascript:|https?://", re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    )


def test_a_library_without_fingerprints_has_no_page(tmp_path: Path) -> None:
    Database(tmp_path / "empty.db").close()
    (tmp_path / "page.html").write_text("the old page")
    with pytest.raises(LibraryError, match="no track has a fingerprint yet; run auralis-fp scan"):
        write_page(Database(tmp_path / "empty.db", readonly=True), tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == "the old page"


@pytest.mark.parametrize("tracks", [1, 2, 11])
def test_a_few_tracks_are_a_library(tmp_path: Path, tracks: int) -> None:
    database = Database(store_fingerprints(tmp_path / "few.db", made_up(tracks)), readonly=True)
    assert write_page(database, tmp_path / "page.html").tracks == tracks
    assert content(tmp_path / "page.html")["dimensions"][0]["compared"] is not None


def test_the_command_says_what_it_wrote(database: Database, tmp_path: Path) -> None:
    done = run_command("page", "--db", database.name, "--output", tmp_path / "page.html", "--tracks", "7")
    assert done.stdout.splitlines() == [
        f"7 tracks, a sample of 500 written to {tmp_path / 'page.html'}",
        "Findings of 7 tracks are not known: without a valid .25d file beside them",
    ]
    done = run_command("page", "--db", database.name, "--output", tmp_path / "no such folder/page.html")
    assert (done.returncode, done.stderr) == (
        2,
        f"auralis-fp: {tmp_path / 'no such folder/page.html'}: No such file or directory\n",
    )
