"""Files and parts of files that are written by a function: find them, write them, and compare them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["DOCS", "ROOT", "Page", "marked", "whole"]

DOCS: Final = Path(__file__).parents[1]
ROOT: Final = DOCS.parent

_MARKED: Final = re.compile(r"(<!-- scripts/docs: (\w+) -->\n).*?(<!-- scripts/docs: end -->)", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """A file that is written by the code, in whole or in part.

    Attributes
    ----------
    path : Path
        The file.
    current : callable
        Returns the text that the file should have, from its present text.
    """

    path: Path
    current: Callable[[str], str]

    def present(self) -> str:
        """Return the text of the file, or nothing where there is no file."""
        return self.path.read_text("utf-8") if self.path.exists() else ""

    def difference(self) -> Iterator[tuple[str, str]]:
        """Yield the lines that differ, as they are and as they should be."""
        present = self.present()
        lines, wanted = present.splitlines(), self.current(present).splitlines()
        length = max(len(lines), len(wanted))
        padded = [text + [""] * (length - len(text)) for text in (lines, wanted)]
        yield from (pair for pair in zip(*padded, strict=True) if pair[0] != pair[1])

    def write(self) -> None:
        """Bring the file up to date."""
        self.path.parent.mkdir(exist_ok=True)
        self.path.write_text(self.current(self.present()), "utf-8")


def whole(path: str, make: Callable[[], str]) -> Page:
    """Return a page whose whole text is what ``make`` returns."""
    return Page(ROOT / path, lambda _: make())


def marked(path: str, **parts: Callable[[], str]) -> Page:
    """Return a page with parts between ``<!-- scripts/docs: NAME -->`` and ``<!-- scripts/docs: end -->``."""

    def current(text: str) -> str:
        found = [match[2] for match in _MARKED.finditer(text)]
        if sorted(found) != sorted(parts):
            raise ValueError(f"{path} has the parts {found}, not {list(parts)}")
        return _MARKED.sub(lambda match: f"{match[1]}\n{parts[match[2]]().strip()}\n\n{match[3]}", text)

    return Page(ROOT / path, current)
