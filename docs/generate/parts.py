"""Everything that is written from the code, by file."""

from __future__ import annotations

from typing import Final

from generate.commands import command_line
from generate.pages import Page, marked, whole
from generate.rooms import rooms
from generate.signal_flow import signal_flow
from generate.tables import extensions, formats, limits, numbers

__all__ = ["PAGES"]

PAGES: Final[tuple[Page, ...]] = (
    marked("docs/dimensions.md", numbers=numbers),
    marked("docs/recordings.md", formats=formats, extensions=extensions, limits=limits),
    whole("docs/cli.md", command_line),
    whole("docs/pictures/signal-flow.svg", signal_flow),
    whole("docs/pictures/rooms.svg", rooms),
)
