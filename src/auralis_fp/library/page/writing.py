"""Puts the page together: template, style, scripts and content in one file under a strict policy."""

from __future__ import annotations

import base64
import hashlib
import importlib
import importlib.util
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from auralis_fp._text import printable
from auralis_fp._version import __version__
from auralis_fp.library.files.replacing import replacing
from auralis_fp.library.page.content import Levels, packed, texts_of
from auralis_fp.library.page.reading import Overview, Tracks, read_overview, read_shown
from auralis_fp.library.report.findings import FINDINGS
from auralis_fp.library.similar.parquet import ParquetSource
from auralis_fp.library.store.database import Database
from auralis_fp.schema import FINGERPRINT_VERSION

__all__ = ["MOST_TRACKS", "Written", "write_page"]

MOST_TRACKS: Final = 60_000
"""With more tracks than this, the page shows a sample."""

_CHARTS: Final = ("bokeh.min.js", "bokeh-api.min.js")
_SCRIPTS: Final = ("library.js", "similar.js", "charts.js", "map.js", "tables.js", "details.js", "page.js")
_NEEDED: Final = "the page needs Jinja2 and Bokeh: pip install 'auralis-fp[page]'"


@dataclass(frozen=True)
class Written:
    """What a page holds.

    Attributes
    ----------
    tracks : int
        Tracks on the page.
    comparable : int
        Tracks of the library that could be there; more than ``tracks`` if the page shows a sample.
    unknown : int
        Tracks on the page without a sidecar, whose findings are not known.
    """

    tracks: int
    comparable: int
    unknown: int


def write_page(
    library: Database | ParquetSource,
    output: str | os.PathLike[str],
    *,
    most: int = MOST_TRACKS,
    use_sidecar_files: bool = True,
) -> Written:
    """Write the page of a library: one HTML file, which needs no other.

    Parameters
    ----------
    library : Database or ParquetSource
        The library: a database, or what :func:`auralis_fp.library.similar.open_source` returns for Parquet
        files. Nothing is written to it.
    output : str or os.PathLike
        The file. It links to the tracks relative to its folder.
    most : int
        With more tracks than this, the page shows so many, evenly spaced, and says so.
    use_sidecar_files : bool
        Read from the ``.25d`` files beside the tracks what is wrong with them.

    Raises
    ------
    LibraryError
        No track has a fingerprint of this version.
    ImportError
        Jinja2 or Bokeh is not installed.
    OSError
        The file cannot be written.
    """
    template = _template()
    charts = _chart_library()
    path = Path(output)
    overview = read_overview(library)
    shown = read_shown(library, most, use_sidecar_files=use_sidecar_files)
    levels = Levels.of(shown.values)
    written = Written(len(shown.tracks), shown.comparable, shown.metadata.count(None))
    own = "\n".join(_own(name) for name in _SCRIPTS)
    scripts = [charts, f'"use strict";\n(() => {{\n{own}\n}})();']
    page = template.stream(
        name=printable(_name(library)),
        made=f"auralis_fp {__version__}",
        when=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        policy=_policy(scripts),
        style=_own("page.css"),
        scripts=scripts,
        texts=packed(texts_of(overview, shown, levels, path.absolute().parent)),
        levels=packed(levels.data),
        written=written,
        overview=overview,
        hours=overview.seconds / 3600,
        versions=_versions(overview),
        found=_found(shown),
    )
    with replacing(path) as file:
        page.enable_buffering(64)
        page.dump(file)
    return written


def _name(library: Database | ParquetSource) -> str:
    is_path = library.is_sqlite if isinstance(library, Database) else True
    return Path(library.name).name if is_path else library.name


def _template() -> Any:
    try:
        jinja2: Any = importlib.import_module("jinja2")
    except ImportError as error:
        raise ImportError(_NEEDED) from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("auralis_fp.library.page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = _figure
    return environment.get_template("page.html")


def _chart_library() -> str:
    """Return the scripts that come with Bokeh; Bokeh itself is not imported, which would take a second."""
    spec = importlib.util.find_spec("bokeh")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError(_NEEDED)
    folder = Path(next(iter(spec.submodule_search_locations))) / "server" / "static" / "js"
    try:
        return "\n".join((folder / name).read_text("utf-8") for name in _CHARTS)
    except OSError as error:
        raise ImportError(f"{_NEEDED} ({error})") from error


def _own(name: str) -> str:
    return files("auralis_fp.library.page").joinpath("templates").joinpath(name).read_text("utf-8")


def _policy(scripts: Iterable[str]) -> str:
    """Return a policy under which these scripts run and nothing else, and nothing but music is loaded."""
    hashes = (base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts)
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(f"'sha256-{one}'" for one in hashes),
        "style-src": "'unsafe-inline'",  # Bokeh makes rules while it draws
        "img-src": "data: blob:",
        "media-src": "'self' file:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _versions(overview: Overview) -> list[tuple[str, int]]:
    def note(version: int) -> str:
        if version == FINGERPRINT_VERSION:
            return f"{version}"
        kind = "older" if version < FINGERPRINT_VERSION else "newer"
        return f"{version} ({kind}, not comparable)"

    return [(note(version), count) for version, count in overview.status.by_version.items()]


def _found(shown: Tracks) -> list[tuple[str, int]]:
    names = [name for one in shown.metadata if one is not None for name in one.findings]
    return [(finding.title, names.count(key)) for key, finding in FINDINGS.items() if key in names]


def _figure(number: float) -> str:
    """Return a number with thin spaces between thousands; with a decimal if it is small and not whole."""
    digits = 1 if number < 100 and number != int(number) else 0
    return f"{number:,.{digits}f}".replace(",", "\u202f")
