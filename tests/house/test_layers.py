"""The rooms of the house depend on each other in one direction."""

from __future__ import annotations

from graphlib import CycleError
from pathlib import Path

import pytest
from support.layers import CPP, PYTHON, Rooms, cpp_violations, python_violations

SOURCE = Path(__file__).parents[2] / "src"


def test_the_package_keeps_to_the_table() -> None:
    assert python_violations(SOURCE / "auralis_fp") == []


def test_the_core_keeps_to_the_table() -> None:
    assert cpp_violations(SOURCE / "cpp") == []


def test_no_two_rooms_may_use_each_other() -> None:
    for table in (PYTHON, CPP):
        allowed = Rooms(table).allowed
        assert not [room for room, below in allowed.items() if room in below]
    with pytest.raises(CycleError):
        Rooms("a -> b -> c\nc -> a")


def test_rooms_that_are_to_come_are_known() -> None:
    assert {"similarity", "library/similar", "library/report", "server", "cluster"} <= set(
        Rooms(PYTHON).allowed
    )


# --- the checker, on small wrong trees -------------------------------------------------------------------

PYTHON_FAULTS = {
    "ground uses a room": ("errors.py", "from auralis_fp.analysis import analyze", "must not use analysis"),
    "reference uses analysis": (
        "reference/decoding.py",
        "import auralis_fp.analysis",
        "reference must not use analysis",
    ),
    "the library uses a face": (
        "library/work/scan.py",
        "def f():\n    from auralis_fp.cli.display import x",
        "library/work must not use cli",
    ),
    "a face uses a face": (
        "server/app.py",
        "from auralis_fp.cluster import x",
        "server must not use cluster",
    ),
    "store uses work": (
        "library/store/claims.py",
        "from auralis_fp.library.work.queue import x",
        "library/store must not use library/work",
    ),
    "side by side": (
        "library/report/page.py",
        "from auralis_fp.library.similar import x",
        "library/report must not use library/similar",
    ),
    "similarity uses the library": (
        "similarity/index.py",
        "if TYPE_CHECKING:\n    from auralis_fp.library.store import claims",
        "similarity must not use library/store",
    ),
    "a string names a room": (
        "analysis.py",
        "importlib.import_module('auralis_fp.batch')",
        "analysis must not use batch",
    ),
    "the package's own front": ("batch.py", "from auralis_fp import analyze", "from a name's home module"),
    "the whole package": ("batch.py", "import auralis_fp", "import a home module"),
    "a room's front": (
        "library/report/page.py",
        "from auralis_fp.library import Scan",
        "must not use library (library)",
    ),
    "relative": ("batch.py", "from . import analysis", "relative import"),
    "no room": ("helpers.py", "", "helpers: in no room"),
    "no room in a room": ("library/helpers.py", "", "library/helpers: in no room"),
    "a circle in a room": (
        "library/store/claims.py",
        "from auralis_fp.library.store import queries",
        "a circle: library/store/",
    ),
}


@pytest.mark.parametrize("fault", PYTHON_FAULTS)
def test_a_wrong_import_is_found(fault: str, tmp_path: Path) -> None:
    sound = {
        "__init__.py": "from auralis_fp.batch import x\ndef __getattr__(n):\n    import auralis_fp.library\n",
        "analysis.py": "from auralis_fp.errors import x\ndef f():\n    from auralis_fp.reference import y\n",
        "batch.py": "from auralis_fp.isolation.pool import x\n",
        "cli/__init__.py": "def main():\n    import auralis_fp.cli.app\n",
        "cli/app.py": "importlib.import_module(f'auralis_fp.cli.{x}')\n",
        "cli/scan.py": "from auralis_fp.library.work import scan\n",
        "errors.py": "from auralis_fp.schema import x\n",
        "isolation/pool.py": "import auralis_fp.analysis\n",
        "library/__init__.py": "from auralis_fp.library.work.scan import x\n",
        "library/store/claims.py": "",
        "library/store/queries.py": "from auralis_fp.library.store import claims\n",
        "library/work/scan.py": "from auralis_fp.library.store.queries import x\n",
        "reference/decoding.py": "",
        "schema.py": "",
    }
    for name, text in sound.items():
        _write(tmp_path / name, text)
    assert python_violations(tmp_path) == []
    name, text, expected = PYTHON_FAULTS[fault]
    _write(tmp_path / name, text)
    assert any(expected in found for found in python_violations(tmp_path))


CPP_FAULTS = {
    "down to up": ("dsp/stft.h", '#include "features/pitch.h"', "dsp must not use features"),
    "two arms": ("io/decoder.h", '#include "dsp/stft.h"', "io must not use dsp"),
    "the other arm": ("dsp/stft.h", '  #  include "io/decoder.h"', "dsp must not use io"),
    "past the analysis": ("features/pitch.h", '#include "io/decoder.h"', "features must not use io"),
    "python": ("io/decoder.h", "#include <Python.h>", "for bindings/ only"),
    "pybind11": ("analysis/analyze.cpp", "#include <pybind11/numpy.h>", "for bindings/ only"),
    "no such file": ("io/decoder.h", '#include "decoder.h"', "no file decoder.h"),
    "no room": ("core/error.h", "", "core/error.h: in no room"),
    "a circle": ("base/a.h", '#include "base/b.h"', "a circle: base/"),
}


@pytest.mark.parametrize("fault", CPP_FAULTS)
def test_a_wrong_include_is_found(fault: str, tmp_path: Path) -> None:
    sound = {
        "analysis/analyze.cpp": '#include "io/decoder.h"\n#include "features/pitch.h"\n#include <vector>\n',
        "base/a.h": "",
        "base/b.h": '#include "base/a.h"\n',
        "bindings/module.cpp": '#include <pybind11/pybind11.h>\n#include "dsp/stft.h"\n',
        "dsp/stft.h": '#include "base/b.h"\n',
        "features/pitch.h": '#include "dsp/stft.h"\n',
        "io/decoder.h": '#include "base/a.h"\n',
    }
    for name, text in sound.items():
        _write(tmp_path / name, text)
    assert cpp_violations(tmp_path) == []
    name, text, expected = CPP_FAULTS[fault]
    _write(tmp_path / name, text)
    assert any(expected in found for found in cpp_violations(tmp_path))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
