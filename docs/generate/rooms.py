"""The picture of the rooms: which imports which, read from the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Final, TypeAlias

from generate.pages import ROOT
from generate.svg import GREEN, NAVY, SLATE, Box, Drawing, text_width

__all__ = ["rooms"]

Graph: TypeAlias = "dict[str, set[str]]"  # a room, and the rooms that it imports

_CORE: Final = ROOT / "src/cpp"
_PACKAGE: Final = ROOT / "src/auralis_fp"
_NATIVE: Final = "_native"
# These modules are rooms of their own; the other single ones are the ground under all rooms.
_MODULES: Final = {"__init__": "auralis_fp", "analysis": "analysis", "batch": "batch"}
_GROUND: Final = "ground"
_BASE: Final = "base"

_WIDTH, _HEIGHT, _PITCH, _GAP = 800.0, 30.0, 62.0, 34.0


def rooms() -> str:
    """Return the picture as SVG."""
    package, ground = _package()
    drawing = Drawing(
        "The rooms of the package, above, and of the core, below; arrows point to what is imported"
    )
    y = _layers(_without(package, _GROUND, _NATIVE), drawing, 1, NAVY)
    y = _bar(drawing, y, f"{', '.join(sorted(ground))}: for all rooms above", NAVY)
    y = _bar(drawing, y, f"{_NATIVE}: the compiled core", SLATE)
    y = _layers(_without(_core(), _BASE), drawing, y, GREEN)
    _bar(drawing, y, f"{_BASE}: for all rooms of the core", GREEN)
    return drawing.markup()


# --- reading the source ------------------------------------------------------------------------------


def _core() -> Graph:
    """Return the rooms of src/cpp, and those whose headers each includes."""
    graph: Graph = {path.parent.name: set() for path in _CORE.rglob("*.h")}
    for path in _CORE.rglob("*.[ch]*"):
        graph[path.parent.name].update(re.findall(r'#include "(\w+)/', path.read_text("utf-8")))
    return graph


def _package() -> tuple[Graph, set[str]]:
    """Return the rooms of src/auralis_fp, those that each imports, and the public modules of the ground."""
    graph: Graph = {}
    for path in _PACKAGE.rglob("*.py"):
        graph.setdefault(_room(path), set()).update(_room(module) for module in _imports(path))
    modules = {path.stem for path in _PACKAGE.glob("*.py") if _room(path) == _GROUND}
    return graph, {module for module in modules if not module.startswith("_")}


def _room(path: Path) -> str:
    *folders, module = path.relative_to(_PACKAGE).with_suffix("").parts
    if not folders:
        return _MODULES.get(module, _GROUND)
    return _GROUND if module == "errors" else "/".join(folders)


def _imports(path: Path) -> Iterator[Path]:
    for name in _names(ast.parse(path.read_text("utf-8"))):
        package, *parts = name.split(".")
        while package == "auralis_fp":
            module = _PACKAGE.joinpath(*parts)
            found = [file for file in (module.with_suffix(".py"), module / "__init__.py") if file.exists()]
            if found or not parts:
                yield from found[:1]
                break
            parts.pop()


def _names(tree: ast.AST) -> Iterator[str]:
    """Yield the names that are imported, but for those that only type checkers or old callers import."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.FunctionDef) and node.name == "__getattr__":
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (str(name.value) for name in node.args if isinstance(name, ast.Constant))
        yield from _names(node)


# --- drawing -----------------------------------------------------------------------------------------


def _without(graph: Graph, *names: str) -> Graph:
    return {room: used - {room, *names} for room, used in graph.items() if room not in names}


def _bar(drawing: Drawing, y: float, text: str, fill: str) -> float:
    drawing.boxes.append(Box(1, y, _WIDTH, _HEIGHT, text, fill, bold=True))
    return y + _HEIGHT + 8


def _layers(graph: Graph, drawing: Drawing, top: float, fill: str) -> float:
    """Draw rooms so that each is below those that import it; return the height at which to go on."""
    levels = {room: _level(room, graph) for room in graph}
    rows: list[list[str]] = [[] for _ in range(max(levels.values()) + 1)]
    lines: list[tuple[str, str]] = []  # from row to row
    for room in sorted(graph, key=lambda room: (levels[room], room)):
        rows[levels[room]].append(room)
        for used in sorted(_direct(room, graph)):
            above = room
            for level in range(levels[room] + 1, levels[used]):  # a place in each row that the line crosses
                place = f"{room} {used} {level}"
                rows[level].append(place)
                lines.append((above, place))
                above = place
            lines.append((above, used))
    centres: dict[str, float] = {}
    for level, row in enumerate(rows):
        wanted = {room: fmean([centres[a] for a, b in lines if b == room] or [_WIDTH / 2]) for room in row}
        row.sort(key=wanted.__getitem__)
        _spread(row, wanted, centres, graph)
        for room in row:
            if room in graph:
                width, y = _width(room), top + level * _PITCH
                drawing.boxes.append(Box(centres[room] - width / 2, y, width, _HEIGHT, room, fill, bold=True))
    level_of = {room: level for level, row in enumerate(rows) for room in row}
    for a, b in lines:
        y = top + level_of[a] * _PITCH + (_HEIGHT if a in graph else 0)
        points = [(centres[a], y), (centres[b], top + level_of[b] * _PITCH)]
        if b not in graph:
            points.append((centres[b], points[-1][1] + _HEIGHT))
        if a not in graph:
            points[0] = (centres[a], y + _HEIGHT)
        drawing.line(points, arrow=b in graph)
    return top + len(rows) * _PITCH - (_PITCH - _HEIGHT) + 22


def _spread(row: list[str], wanted: dict[str, float], centres: dict[str, float], graph: Graph) -> None:
    """Set centres near the wanted ones, without overlap, from left to right; then centre the row."""
    edge = 1.0
    for room in row:
        half = (_width(room) if room in graph else 0) / 2
        centres[room] = max(wanted[room], edge + half)
        edge = centres[room] + half + _GAP
    too_far = min(fmean(centres[room] - wanted[room] for room in row), centres[row[0]] - 90)
    for room in row:
        centres[room] -= max(0.0, too_far)


def _width(room: str) -> float:
    return text_width(room) + 26


def _level(room: str, graph: Graph) -> int:
    return 1 + max((_level(user, graph) for user, used in graph.items() if room in used), default=-1)


def _direct(room: str, graph: Graph) -> set[str]:
    """Return what a room imports, without what it also reaches through another room."""
    used = graph[room]
    return {name for name in used if not any(name in _all(other, graph) for other in used - {name})}


def _all(room: str, graph: Graph) -> set[str]:
    return graph[room].union(*(_all(used, graph) for used in graph[room]))
