"""The package's metadata: its description on an index, and the licence notices of what it contains."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path
from typing import Final

import pytest

LICENSES: Final = Path(__file__).parents[2] / "licenses"


def test_the_description_has_no_link_that_an_index_cannot_follow() -> None:
    metadata = importlib.metadata.metadata("auralis-fp")
    description = metadata["Description"] or metadata.json["description"]
    assert "docs/python.md" in str(description)
    targets = re.findall(r"\]\(([^)]*)\)", str(description))
    assert [target for target in targets if not target.startswith("https://")] == []


@pytest.mark.parametrize(
    "name", ["LICENSE", "licenses/KissFFT.txt", "licenses/pybind11.txt", "licenses/README.md"]
)
def test_notices_are_part_of_the_package(name: str) -> None:
    files = [str(file) for file in importlib.metadata.files("auralis-fp") or ()]
    assert any(file.endswith(f".dist-info/licenses/{name}") for file in files)


def test_the_notice_of_pybind11_is_that_of_pybind11() -> None:
    installed = importlib.metadata.distribution("pybind11")
    texts = [file.read_text() for file in installed.files or () if file.name == "LICENSE"]
    assert (LICENSES / "pybind11.txt").read_text() in texts
