"""Which room may use which, and a checker of it: reads the imports of Python and the includes of C++."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path
from typing import Final

PACKAGE: Final = "auralis_fp"

# A room left of an arrow may use every room that arrows lead to from there. A room is a folder, with all that
# is in it, or a single module; a room with rooms inside is its __init__.py alone. Rooms without a folder are
# still to come.
PYTHON: Final = """
ground = cancel fingerprint metadata schema errors _audio_files _types _build _version _text _garbage _native

__init__ -> batch -> isolation -> analysis -> reference -> ground
picture -> similarity -> ground
library -> library/work library/report library/similar -> library/store library/files
library/store library/files -> library/errors -> ground
library/files library/work library/report -> isolation
library/similar -> similarity
cli -> server cluster -> batch library/work library/report library/similar
cli -> picture
cli -> library/page -> library/report library/similar
__main__ -> cli
"""

CPP: Final = """
bindings -> analysis -> features -> dsp -> base
            analysis -> io -> base
"""

Graph = dict[str, set[str]]


class Rooms:
    """The rooms of a table, and what each may use.

    Raises
    ------
    CycleError
        The table itself leads in a circle.
    """

    def __init__(self, table: str) -> None:
        self._modules: dict[str, str] = {}  # of rooms that are several single modules: module -> room
        arrows: Graph = {}
        for line in filter(None, map(str.strip, table.splitlines())):
            if "=" in line:
                room, _, modules = line.partition(" = ")
                self._modules |= dict.fromkeys(modules.split(), room)
                continue
            stations = [part.split() for part in line.split("->")]
            for room in (room for station in stations for room in station):
                arrows.setdefault(room, set())
            for above, below in pairwise(stations):
                for room in above:
                    arrows[room] |= set(below)
        self.allowed: Graph = {}
        for room in TopologicalSorter(arrows).static_order():  # from the ground up
            self.allowed[room] = arrows[room].union(*(self.allowed[below] for below in arrows[room]))

    def of(self, path: str) -> str | None:
        """Return the room of a module, such as ``library/work/queue``; None if it is in none."""
        if path in self.allowed:
            return path
        while path:
            if path in self._modules:
                return self._modules[path]
            path = path.rpartition("/")[0]
            inner = any(room.startswith(f"{path}/") for room in self.allowed)
            if path in self.allowed and not inner:
                return path
        return None


def python_violations(root: Path, table: str = PYTHON) -> list[str]:
    """Return the faults in the imports of a package in the folder ``root``, a line for each."""
    rooms = Rooms(table)
    files = {_module(root, file): file for file in sorted(root.rglob("*.py"))}
    found: list[str] = []
    uses: Graph = {}
    for module, file in files.items():
        wrong, imported = _imports(ast.parse(file.read_text()), set(files))
        found += [f"{module}: {fault}" for fault in wrong]
        uses[module] = imported
    return [*found, *_wrong_directions(rooms, uses), *_circles(uses)]


def cpp_violations(root: Path, table: str = CPP) -> list[str]:
    """Return the faults in the includes of the core in the folder ``root``, a line for each."""
    found: list[str] = []
    uses: Graph = {}
    for file in sorted([*root.rglob("*.h"), *root.rglob("*.cpp")]):
        name = file.relative_to(root).as_posix()
        includes = re.findall(r'^\s*#\s*include\s*([<"])([^>"]+)', file.read_text(), re.MULTILINE)
        uses[name] = {target for mark, target in includes if mark == '"'}
        python = [t for mark, t in includes if mark == "<" and re.match(r"(Python\.h|pybind11/|numpy/)", t)]
        if not name.startswith("bindings/"):
            found += [f"{name}: <{target}> is for bindings/ only" for target in python]
        found += [f"{name}: no file {target}" for target in uses[name] if not (root / target).is_file()]
    return [*found, *_wrong_directions(Rooms(table), uses), *_circles(uses)]


def _wrong_directions(rooms: Rooms, uses: Mapping[str, Iterable[str]]) -> Iterator[str]:
    for module, targets in uses.items():
        room = rooms.of(module)
        if room is None:
            yield f"{module}: in no room of the table"
            continue
        for target in sorted(targets):
            other = rooms.of(target)
            if other is not None and other != room and other not in rooms.allowed[room]:
                yield f"{module}: {room} must not use {other} ({target})"


def _circles(uses: Graph) -> Iterator[str]:
    try:
        TopologicalSorter(uses).prepare()
    except CycleError as error:
        yield f"a circle: {' <- '.join(error.args[1])}"


def _module(root: Path, file: Path) -> str:
    path = file.relative_to(root).with_suffix("").as_posix()
    return path.removesuffix("/__init__")


def _imports(tree: ast.Module, modules: set[str]) -> tuple[list[str], set[str]]:
    """Return what is wrong with the way a module imports, and the modules of the package it imports.

    Imports inside functions count, and so do those for type checkers only: to know a room's types is to know
    the room. Imports in a module's ``__getattr__`` do not count: they keep a name for callers.
    """
    wrong: list[str] = []
    imported: set[str] = set()
    for node in _nodes(tree):
        match node:
            case ast.ImportFrom(level=level) if level:
                wrong.append("relative import")
            case ast.ImportFrom(module=name) if name == PACKAGE:
                wrong.append(f"from {PACKAGE} import: import from a name's home module")
            case ast.ImportFrom(module=str(name), names=names) if name.startswith(f"{PACKAGE}."):
                home = _path(name)
                inner = {f"{home}/{alias.name}" for alias in names} & modules
                imported |= inner or {home}
            case ast.Import(names=names):
                wrong += [f"import {PACKAGE}: import a home module" for a in names if a.name == PACKAGE]
                imported |= {_path(a.name) for a in names if a.name.startswith(f"{PACKAGE}.")}
            case ast.Call(func=ast.Attribute(attr="import_module") | ast.Name(id="import_module")):
                named = [str(n.value) for n in ast.walk(node) if isinstance(n, ast.Constant)]
                imported |= {_path(name) for name in named[:1] if name.startswith(f"{PACKAGE}.")}
    return wrong, imported


def _nodes(tree: ast.Module) -> Iterator[ast.AST]:
    for statement in tree.body:
        if not (isinstance(statement, ast.FunctionDef) and statement.name == "__getattr__"):
            yield from ast.walk(statement)


def _path(name: str) -> str:
    path = name.removeprefix(f"{PACKAGE}.").replace(".", "/")
    return f"{path}*" if path.endswith("/") else path  # the beginning of a name that is put together
