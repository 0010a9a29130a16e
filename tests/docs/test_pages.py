"""The pages are current, complete and short, and their links are not dead."""

from __future__ import annotations

import importlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from generate.pages import marked, whole
from generate.signal_flow import Source

ROOT: Final = Path(__file__).parents[2]
PUBLIC: Final = (
    "auralis_fp", "auralis_fp.cluster", "auralis_fp.isolation", "auralis_fp.library",
    "auralis_fp.library.page",
    "auralis_fp.library.similar",
    "auralis_fp.reference", "auralis_fp.server", "auralis_fp.similarity",
)  # fmt: skip
TOP_PAGES: Final = [*ROOT.glob("*.md"), ROOT / "licenses/README.md", ROOT / "benchmarks/README.md"]


def test_what_is_written_from_the_code_is_current() -> None:
    done = subprocess.run([ROOT / "scripts/docs", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_part_that_is_not_current_is_found_and_written(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("before\n<!-- scripts/docs: sum -->\n\nthree\n\n<!-- scripts/docs: end -->\nafter\n")
    page = marked(str(path), sum=lambda: "four\n")
    assert list(page.difference()) == [("three", "four")]
    page.write()
    assert list(page.difference()) == []
    assert path.read_text().splitlines()[0] == "before"
    assert path.read_text().splitlines()[-1] == "after"


def test_a_part_without_its_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("no part\n")
    with pytest.raises(ValueError, match="parts"):
        list(marked(str(tmp_path / "page.md"), sum=str).difference())


def test_a_page_that_does_not_exist_is_not_current(tmp_path: Path) -> None:
    assert list(whole(str(tmp_path / "page.md"), lambda: "text\n").difference()) == [("", "text")]


def test_the_picture_misses_no_dimension() -> None:
    source = (ROOT / "src/cpp/analysis/analyzer.cpp").read_text()
    without = source.replace("f[lufs] = loudness_.finish();", "")
    assert without != source
    with pytest.raises(ValueError, match="lufs"):
        Source(without).steps()


def _api_pages() -> str:
    return "".join(path.read_text() for path in (ROOT / "docs/api").glob("*.md"))


@pytest.mark.parametrize("module", PUBLIC)
def test_the_api_pages_have_all_public_names(module: str) -> None:
    public = importlib.import_module(module)
    names = re.findall(rf"(?<!automodule):: {module}\.(\w+)$", _api_pages(), re.MULTILINE)
    documented = [getattr(public, name) for name in names]
    missing = [
        name for name in public.__all__ if not any(getattr(public, name) is thing for thing in documented)
    ]
    assert missing == []


def test_the_api_pages_have_public_names_only() -> None:
    documented = re.findall(r"^\.\. auto(?!module)\w+:: (\S+)\.(\w+)$", _api_pages(), re.MULTILINE)
    assert documented
    assert {module for module, _ in documented} == set(PUBLIC)
    assert [name for module, name in documented if name not in importlib.import_module(module).__all__] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().split()) < 900


def _links(page: Path) -> Iterator[Path]:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        yield page.parent / target


@pytest.mark.parametrize("page", TOP_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    assert [str(target) for target in _links(page) if not target.exists()] == []
