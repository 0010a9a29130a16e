"""A picture of one fingerprint: its 25 numbers among those of a library, and its energy by band.

Needs the extra ``auralis-fp[plot]``; matplotlib is imported when something is drawn, and no window is opened.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from auralis_fp._text import printable
from auralis_fp.fingerprint import Fingerprint
from auralis_fp.schema import DIMENSIONS, NAMES
from auralis_fp.similarity.rows import as_rows
from auralis_fp.similarity.space import Space

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw", "save"]

_NORMAL: Final = NormalDist()
_SHARES: Final = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_EDGE: Final = 2.75  # of the scale; what lies farther out is drawn there
_LONGEST_TITLE: Final = 90

_BANDS: Final = [dimension for dimension in DIMENSIONS if dimension.group == "frequency"]
_RANGES: Final = [dimension.meaning.rpartition(" in ")[2] for dimension in _BANDS]
_COLOURS: Final = {
    "frequency": "#0072b2",
    "dynamics": "#d55e00",
    "temporal": "#009e73",
    "spectral": "#b8860b",
    "harmonic": "#8c62c9",
    "variation": "#c0504d",
    "stereo": "#4b5563",
}
_LIBRARY: Final = "#5b6b7f"

_SETTINGS: Final[Any] = {
    "font.size": 9,
    "font.family": "sans-serif",
    "text.parse_math": False,  # what stands in a name is no formula, whatever signs it has
    # Text stays text in SVG, and the same numbers make the same file.
    "svg.fonttype": "none",
    "svg.hashsalt": "auralis_fp",
}


def draw(fingerprint: Fingerprint, space: Space | None = None, *, title: str = "") -> Figure:
    """Return a picture of a fingerprint; see :meth:`auralis_fp.Fingerprint.plot`."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("pictures need matplotlib: pip install 'auralis-fp[plot]'") from error
    known = Space.builtin() if space is None else space
    with rc_context(_SETTINGS):
        figure = Figure(figsize=(9.6, 7.2), layout="constrained")
        left, right = figure.subplots(1, 2, width_ratios=[2.1, 1])
        _draw_numbers(left, fingerprint, known)
        _draw_bands(right, fingerprint, known)
        m = fingerprint.metadata
        facts = [m.codec, f"{m.duration:.1f} s", f"{m.sample_rate} Hz", f"{m.channels} channels"]
        about = ", ".join([*facts, *(finding.replace("_", " ") for finding in m.findings)])
        shown = printable(title)
        if len(shown) > _LONGEST_TITLE:
            shown = f"{shown[: _LONGEST_TITLE - 1]}…"
        figure.suptitle(f"{shown}\n{about}" if shown else about, x=0.01, ha="left", fontsize=11)
    return figure


def save(fingerprint: Fingerprint, output: Path, space: Space | None = None, *, title: str = "") -> None:
    """Write the picture of a fingerprint to a PNG or SVG file."""
    figure = draw(fingerprint, space, title=title)
    from matplotlib import rc_context

    with rc_context(_SETTINGS):
        figure.savefig(output, dpi=150, metadata={"Date": None} if output.suffix.lower() == ".svg" else None)


def _draw_numbers(axes: Axes, fingerprint: Fingerprint, space: Space) -> None:
    """Draw the place of every number among those of the library."""
    count = len(NAMES)
    for outer, alpha in ((0.05, 0.10), (0.25, 0.16)):
        edges = [_NORMAL.inv_cdf(share) for share in (outer, 1 - outer)]
        axes.axvspan(*edges, color=_LIBRARY, alpha=alpha, lw=0)
    axes.axvline(0, color=_LIBRARY, lw=1)
    values = as_rows(fingerprint)[0]
    ticks, first = [], 0
    for group, members in groupby(DIMENSIONS, key=lambda dimension: dimension.group):
        colour = _COLOURS[group]
        for row, dimension in enumerate(members, start=first):
            place = float(space.scales[dimension.name].place(values[row : row + 1])[0])
            if np.isfinite(place):
                at = min(max(place, -_EDGE), _EDGE)
                axes.plot([0, at], [row, row], color=colour, lw=2, alpha=0.5, solid_capstyle="round")
                axes.plot([at], [row], "o", color=colour, ms=7)
            value = fingerprint.format_value(dimension.name)
            text = (
                f"{value} {dimension.unit}".strip() if dimension.name not in fingerprint.undefined else value
            )
            axes.text(_EDGE + 0.25, row, text, va="center", ha="left", color=colour)
            ticks.append(dimension.name.replace("_", " "))
            last = row
        if last + 1 < count:
            axes.axhline(last + 0.5, color=_LIBRARY, lw=0.5, alpha=0.5)
        first = last + 1
    axes.set_yticks(range(count), ticks)
    axes.set_ylim(count - 0.5, -0.5)
    axes.set_xlim(-_EDGE - 0.15, _EDGE + 0.15)
    axes.set_xticks([_NORMAL.inv_cdf(share) for share in _SHARES], [f"{share:.0%}" for share in _SHARES])
    axes.set_xlabel(
        f"share of {space.tracks} tracks with a smaller number; half of them lie in the dark band"
    )
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _draw_bands(axes: Axes, fingerprint: Fingerprint, space: Space) -> None:
    """Draw the energy by band, and what is usual in the library."""
    rows = range(len(_BANDS))
    undefined = [dimension.name in fingerprint.undefined for dimension in _BANDS]
    shares = [0.0 if gone else fingerprint[one.name] for one, gone in zip(_BANDS, undefined, strict=True)]
    axes.barh(rows, shares, color="#9cc3e0", height=0.7)
    for row, dimension in enumerate(_BANDS):
        scale = space.scales[dimension.name]
        if not len(scale.values):
            continue
        quarter = np.interp([_NORMAL.inv_cdf(0.25), _NORMAL.inv_cdf(0.75)], scale.places, scale.values)
        axes.plot(quarter, [row, row], color="black", lw=1)
        axes.plot([scale.median], [row], "|", color="black", ms=14, mew=2)
    axes.set_yticks(rows, _RANGES)
    axes.set_ylim(len(_BANDS) - 0.4, -0.6)
    axes.set_xlim(0, None)
    axes.set_xlabel("% of the energy; black:\nthe middle half of the tracks", ha="right", x=1)
    axes.set_title("Energy by band", loc="left", fontsize=10)
    if all(undefined):
        axes.text(0.5, 0.5, "undefined", transform=axes.transAxes, ha="center")
    axes.spines[["top", "right"]].set_visible(False)
