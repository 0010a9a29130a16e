"""Import the library where rich is not installed."""

import importlib
import sys

sys.modules["rich"] = None  # type: ignore[assignment]
importlib.import_module("auralis_fp.library")
