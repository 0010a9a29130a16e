"""Analyse PATH before, in and after a sub-interpreter, which writes its answer to ANSWER.   PATH ANSWER"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import auralis_fp


def interpreters() -> ModuleType:
    try:
        return importlib.import_module("_interpreters")
    except ImportError:  # before Python 3.13
        return importlib.import_module("_xxsubinterpreters")


def show() -> None:
    print(auralis_fp.analyze(sys.argv[1]).vector.tobytes().hex())


show()
inside = Path(__file__).with_name("inside_sub_interpreter.py").read_text()
one = interpreters().create()
interpreters().run_string(one, f"import sys; sys.argv = {sys.argv!r}\n{inside}")
interpreters().destroy(one)
show()
