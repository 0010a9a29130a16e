"""The page in a browser: nothing breaks it, every control works, and everybody can use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.hostile import HOSTILE

from auralis_fp import NAMES
from auralis_fp.library.similar.vectors import read_vectors
from auralis_fp.library.store.database import Database
from auralis_fp.similarity import Space


class Watched:
    """A page of the browser, all requests it made, and everything that it complained about."""

    def __init__(self, page: Any, file: Path) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                self.complaints.append(message.text)
                if message.type in ("error", "warning") and "GL Driver" not in message.text
                else None
            ),
        )
        page.set_default_timeout(180_000)  # other work may have the machine
        page.goto(file.as_uri())
        page.wait_for_selector("html[data-ready=all]")

    def titles(self) -> list[str]:
        """The titles in the table of tracks."""
        texts: list[str] = self.page.locator("#tracks-table tbody th").all_inner_texts()
        return texts


@pytest.fixture(scope="module")
def opened(chromium: Any, page_file: Path) -> Iterator[Watched]:
    watched = Watched(chromium.new_page(viewport={"width": 1300, "height": 900}), page_file)
    yield watched
    watched.page.close()


@pytest.fixture(autouse=True)
def flawless(opened: Watched, page_file: Path) -> Iterator[None]:
    """Nothing may be asked for but the file, nothing logged, and no name may have become code."""
    yield
    own = (page_file.as_uri(), "blob:", "data:", (page_file.parent / "music").as_uri())
    assert [url for url in opened.requests if not url.startswith(own)] == []
    assert opened.complaints == []
    assert opened.page.evaluate("window.broken") is None


def test_hostile_names_are_text(opened: Watched) -> None:
    page = opened.page
    assert page.locator("h1").inner_text() == "<b>'quoted\" & library<b>.db"
    assert page.locator("main b, main i, main img, main script").count() == 0
    titles = opened.titles()
    assert HOSTILE[0] in titles
    assert HOSTILE[2] in titles
    assert r"\u202egnp.exe \u2066left\u200f" in titles
    assert max(map(len, titles)) == 400
    for track in range(1, 13):
        page.evaluate(f"auralis.choose({track})")
        assert page.locator("#details b, #details img, #details script").count() == 0
    links = page.evaluate("[9, 10, 11, 12].map((track) => auralis.library.link(track))")
    assert links == [
        "./music/disc-2/%FF%FE%20not%20UTF-8.flac",
        "./music/disc-0/100%20%25%20%231%3F%20a%3Db%26c.opus",
        "./music/disc-1/javascript%3Awindow.broken%3D1",
        "./music/disc-2/two%0Alines.ogg",
    ]
    assert r"/disc-2/\udcff\udcfe not UTF-8.flac" in page.evaluate(
        "(auralis.choose(9), document.querySelector('#details .path').textContent)"
    )


def test_a_click_on_the_map_shows_the_track(opened: Watched) -> None:
    page = opened.page
    page.locator("#canvas").scroll_into_view_if_needed()
    at = page.evaluate(
        "(() => { const { map } = auralis, box = map.place.getBoundingClientRect(),"
        " frame = map.view.frame.bbox;"
        " return [box.x + frame.left + map.view.frame.x_scale.compute(map.values(0)[40]) - frame.left,"
        " box.y + map.view.frame.y_scale.compute(map.values(1)[40])] })()"
    )
    page.mouse.move(*at)
    page.mouse.click(*at)
    page.wait_for_selector("#details h3")
    title = page.evaluate("auralis.library.title(auralis.chosen)")
    assert page.locator("#details h3").inner_text() == title
    assert page.locator("#details .values tbody tr").count() == len(NAMES)
    assert page.locator("#details .alike li").count() == 12


def test_neighbours_and_reasons_are_those_of_the_command(opened: Watched, library: Path) -> None:
    vectors = read_vectors(Database(library, readonly=True))
    space = Space.fit(vectors.values)
    index = space.index(vectors.values)
    same = sentences = 0
    for track in range(20, 40):
        expected = index.nearest(vectors.values[track], 10, exclude=[track])[0].tolist()
        found = opened.page.evaluate(
            f"auralis.similar.nearest({track}, 10).map((one) => [one.track, one.distance])"
        )
        same += len(set(expected) & {one for one, _distance in found})
        distances = space.distances(vectors.values[track], vectors.values[[one for one, _d in found]])
        np.testing.assert_allclose([distance for _one, distance in found], distances, atol=1e-4)
        why = opened.page.evaluate(f"auralis.similar.explain({track}, {expected[0]})")
        sentences += why == str(
            space.explain(vectors.values[track], vectors.values[expected[0]], names=("this", "it"))
        )
    assert same >= 198  # of 200: 16-bit levels may turn the order of equals
    assert sentences >= 18  # of 20: and round a figure the other way


def test_search_narrows_table_and_map(opened: Watched) -> None:
    opened.page.fill("#search", "PLAIN /11 artist")  # paths are searched: 11 alone may be in a folder
    assert len(opened.titles()) == opened.page.evaluate("auralis.map.matching.reduce((a, b) => a + b)") > 1
    assert all("Plain" in title for title in opened.titles())
    opened.page.fill("#search", "<script>window")
    assert HOSTILE[0] in opened.titles()
    opened.page.fill("#search", "no such thing")
    assert opened.titles() == []
    opened.page.fill("#search", "")
    assert len(opened.titles()) == 25


def test_tables_are_sorted_and_turned(opened: Watched) -> None:
    page = opened.page
    head = page.get_by_role("button", name="LUFS", exact=True)
    for descending in (False, True):
        head.click()
        column = page.locator("#tracks-table tbody td:nth-child(8)").all_inner_texts()
        values = [float(text) for text in column]
        assert values == sorted(values, reverse=descending)
    assert page.locator("#tracks-table [aria-sort=descending]").count() == 1
    page.locator("[data-pages=tracks][data-step='1']").click()
    assert "26 to 50 of 321" in page.locator("#tracks-count").inner_text()
    page.locator("[data-pages=tracks][data-step='-1']").click()
    assert "1 to 25 of 321" in page.locator("#tracks-count").inner_text()


def test_axes_and_colours_can_be_chosen(opened: Watched) -> None:
    page = opened.page
    assert "→" in page.locator("#across-high").inner_text()
    for colour in page.locator("#colour option").all_inner_texts():
        page.select_option("#colour", label=colour)
        counts = page.locator("#legend .count").all_inner_texts()
        assert sum(map(int, counts)) == 321
    page.select_option("#up", label="loudness, LUFS")
    page.get_by_role("button", name="Put tempo on the map").click()
    assert page.locator("#across-high").inner_text() == "tempo, BPM →"
    for button in ("#closer", "#farther", "#whole"):
        page.locator(button).click()


def test_the_keyboard_reaches_every_track(opened: Watched) -> None:
    page = opened.page
    page.locator("#canvas").focus()
    seen = set()
    for key in ("ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown", "+", "-"):
        page.keyboard.press(key)
        seen.add(page.locator("#at").inner_text())
    assert len(seen) >= 3
    page.keyboard.press("Enter")
    assert page.locator("#details h3").inner_text() in page.locator("#at").inner_text()


def test_a_selection_is_a_playlist(opened: Watched, library: Path) -> None:
    page = opened.page
    page.fill("#search", "disc-2/")
    page.locator("#select-found").click()
    page.fill("#search", "")
    with page.expect_download() as download:
        page.locator("#download").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert text.startswith("#EXTM3U\n#EXTINF:")
    paths = [line for line in text.splitlines() if not line.startswith("#")]
    assert f"{library.parent}/music/disc-2/012 plain.flac" not in paths
    assert all(path.startswith(f"{library.parent}/music/disc-2/") for path in paths)
    assert len(paths) == 106 - 2
    assert "2 left out" in page.locator("#selected").inner_text()
    page.locator("#clear").click()
    assert page.locator("#bar").is_hidden()


def test_dragging_selects_what_is_inside(opened: Watched) -> None:
    page = opened.page
    page.select_option("#drag", "select")
    page.locator("#whole").click()
    page.locator("#canvas").scroll_into_view_if_needed()
    box = page.locator("#canvas").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    page.wait_for_selector("#bar:not([hidden])")
    assert page.evaluate("auralis.selected.size") > 5
    assert page.evaluate("auralis.selected.size") < 321
    page.locator("#clear").click()
    page.select_option("#drag", "move")


def test_findings_and_failures_are_listed(opened: Watched) -> None:
    page = opened.page
    table = page.locator("#findings-table tbody tr")
    page.select_option("#kind", label="Failed (1)")
    assert table.count() == 1
    assert HOSTILE[0] in table.first.inner_text()
    page.select_option("#kind", label="all")
    page.fill("#findings-search", "mono in nothing")
    assert table.count() == 0
    page.fill("#findings-search", "")
    page.locator("#copy-paths").click()
    assert "paths copied" in page.locator("#findings-count").inner_text()
    assert "320 tracks it is not known" in page.locator("#overview .note").inner_text()


def test_the_file_is_played(opened: Watched) -> None:
    page = opened.page
    page.evaluate("auralis.choose(0)")
    page.get_by_role("button", name="▶ Play").click()
    # The policy forbids what Playwright waits for functions with.
    known = (
        "new Promise((done) => player.duration ? done() : player.addEventListener('durationchange', done))"
    )
    page.evaluate(known)
    assert page.evaluate("player.duration") > 2.9


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(opened: Watched, theme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe")
    opened.page.select_option("#theme", theme)
    opened.page.evaluate("auralis.choose(3)")
    found = axe.Axe().run(opened.page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []


def test_a_narrow_page_is_no_wider_than_its_window(opened: Watched) -> None:
    opened.page.set_viewport_size({"width": 380, "height": 800})
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 380
