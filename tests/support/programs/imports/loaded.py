"""Import NAME; print the modules that are loaded then."""

from __future__ import annotations

import importlib
import sys

importlib.import_module(sys.argv[1])
print(*sys.modules, sep="\n")
