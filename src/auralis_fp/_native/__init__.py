"""The compiled core: one extension module per CPU level, of which the best that this machine runs is chosen.

``AURALIS_FP_CPU_LEVEL`` forces a level (``x86-64-v3``, ``x86-64-v2``, ``baseline``), for tests and for
comparing results between machines. Where no compiled core can be imported, :data:`core` is None and
:data:`import_error` says why; :mod:`auralis_fp.reference` then takes over where it is installed.
"""

from __future__ import annotations

import atexit
import importlib
import os
import re
import threading
from types import ModuleType
from typing import Any, Final

__all__ = ["CPU_LEVEL_VARIABLE", "core", "import_error", "installed_levels"]

CPU_LEVEL_VARIABLE: Final = "AURALIS_FP_CPU_LEVEL"
_LEVELS: Final = ("x86-64-v3", "x86-64-v2", "baseline")  # best first


def _module_name(level: str) -> str:
    return "auralis_fp._native._core_" + level.replace("-", "_")


def installed_levels() -> list[str]:
    """Return the CPU levels of this installation that this machine can run, best first."""
    cpu = importlib.import_module("auralis_fp._native._cpu")
    return [level for level in _LEVELS if level in cpu.built_levels() and cpu.supports(level)]


def _refuse_sub_interpreter() -> None:
    """Raise ImportError in a sub-interpreter, where NumPy and the bindings fail or hang."""
    for name in ("_interpreters", "_xxsubinterpreters"):  # since Python 3.13, and before
        try:
            interpreters: Any = importlib.import_module(name)
        except ImportError:
            continue
        if interpreters.get_current() != interpreters.get_main():
            raise ImportError("auralis_fp works in the main interpreter only, not in a sub-interpreter")
        return


def _load() -> ModuleType:
    levels = installed_levels()
    forced = os.environ.get(CPU_LEVEL_VARIABLE)
    if forced:
        if forced not in levels:
            raise ImportError(
                f"{CPU_LEVEL_VARIABLE}={forced!r}: this installation on this machine has {', '.join(levels)}"
            )
        levels = [forced]
    if not levels:
        raise ImportError("the compiled core was built for CPU levels that this machine lacks")
    importlib.import_module("numpy")  # or the extension would, with C++ on the stack all the while
    return importlib.import_module(_module_name(levels[0]))


def _explained(error: ImportError) -> ImportError:
    """Return an error that also says to build again, if FFmpeg or soxr has changed since the build."""
    library = re.search(r"lib(avformat|avcodec|avutil|soxr)\b[\w.-]*", str(error))
    if library is None:
        return error
    return ImportError(
        f"{error}. It was built with another {library[0]} than this system has now: build it again, "
        "with 'pip install --force-reinstall --no-deps .' in the folder of its source"
    ).with_traceback(error.__traceback__)


# An interpreter that exits stops daemon threads wherever they run Python code. If C++ is on the stack, as it
# is when an extension that is being imported calls Python, the process aborts. So the exit waits.
_loading: Final = threading.Lock()
_PATIENCE_S: Final = 5.0


def _wait_for_the_import() -> None:
    if _loading.acquire(timeout=_PATIENCE_S):
        _loading.release()


atexit.register(_wait_for_the_import)
_refuse_sub_interpreter()

core: ModuleType | None
import_error: ImportError | None
with _loading:
    try:
        core, import_error = _load(), None
    except ImportError as error:
        core, import_error = None, _explained(error)
