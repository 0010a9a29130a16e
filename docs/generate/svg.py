"""Drawings as SVG: all text is on filled boxes, so that it can be read in light and dark mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from xml.sax.saxutils import escape, quoteattr

__all__ = ["GREEN", "LINE", "NAVY", "SLATE", "Box", "Drawing", "text_width"]

NAVY: Final = "#1f4e79"
SLATE: Final = "#4b5563"
GREEN: Final = "#146c43"
LINE: Final = "#8b949e"  # the one colour that stands on the page: seen on white and on black

FONT_PX: Final = 13
_FONT: Final = 'font-family=\'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif\''
# Of DejaVu Sans, the widest of the usual fonts.
_WIDTHS_PX: Final = {**dict.fromkeys("mwMW→", 12.0), **dict.fromkeys("ijlftr,.:' ", 5.0)}
_WIDTH_PX: Final = 8.4


def text_width(text: str) -> float:
    """Return a width in which the text fits, in pixels."""
    return sum(_WIDTHS_PX.get(character, _WIDTH_PX) for character in text)


@dataclass(frozen=True)
class Box:
    """A filled box with a line of text in its middle."""

    x: float
    y: float
    width: float
    height: float
    text: str
    fill: str
    bold: bool = False
    hint: str = ""

    @property
    def middle(self) -> float:
        """Return the height of the box's middle."""
        return self.y + self.height / 2

    @property
    def right(self) -> float:
        """Return where the box ends."""
        return self.x + self.width

    def markup(self) -> str:
        """Return the box as SVG."""
        hint = f"<title>{escape(self.hint)}</title>" if self.hint else ""
        weight = " font-weight='600'" if self.bold else ""
        return (
            f"<g>{hint}<rect x='{self.x:g}' y='{self.y:g}' width='{self.width:g}' height='{self.height:g}' "
            f"rx='5' fill='{self.fill}'/><text x='{self.x + self.width / 2:g}' y='{self.middle + 4.5:g}' "
            f"text-anchor='middle' fill='#fff'{weight}>{escape(self.text)}</text></g>"
        )


@dataclass
class Drawing:
    """Boxes and lines, as large as what it holds."""

    title: str
    boxes: list[Box] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def line(self, points: Sequence[tuple[float, float]], *, arrow: bool = False) -> None:
        """Add a line through some points."""
        path = " ".join(f"{'L' if i else 'M'}{x:g} {y:g}" for i, (x, y) in enumerate(points))
        end = " marker-end='url(#arrow)'" if arrow else ""
        self.lines.append(f"<path d='{path}' fill='none' stroke='{LINE}' stroke-width='1.5'{end}/>")

    def markup(self) -> str:
        """Return the drawing as an SVG file."""
        width = max(box.right for box in self.boxes) + 2
        height = max(box.y + box.height for box in self.boxes) + 2
        parts = [
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:g} {height:g}' "
            f"width='{width:g}' height='{height:g}' role='img' aria-label={quoteattr(self.title)} "
            f"{_FONT} font-size='{FONT_PX}'>",
            "<!-- Drawn by scripts/docs. -->",
            f"<title>{escape(self.title)}</title>",
            f"<defs><marker id='arrow' viewBox='0 0 8 8' refX='7' refY='4' markerWidth='7' markerHeight='7' "
            f"orient='auto'><path d='M0 0L8 4L0 8z' fill='{LINE}'/></marker></defs>",
            *self.lines,
            *(box.markup() for box in self.boxes),
            "</svg>",
        ]
        return "\n".join(parts) + "\n"
