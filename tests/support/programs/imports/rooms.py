"""Check that large parts are imported when they are asked for, and not before."""

from __future__ import annotations

import sys

import auralis_fp

ROOMS = ("isolation", "library", "reference", "server")
NAMES = tuple(f"auralis_fp.{room}" for room in ROOMS)

assert not [module for module in sys.modules if module.startswith(NAMES)]
assert set(ROOMS) <= set(dir(auralis_fp))
print(auralis_fp.isolation.IsolatedAnalyzer, auralis_fp.library.Scan)
print(auralis_fp.reference.analyze, auralis_fp.server.create_app)
assert not hasattr(auralis_fp, "nonsense")
