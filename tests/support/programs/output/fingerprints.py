"""Print the CPU level, and the fingerprints of PATHs as a pickled list."""

from __future__ import annotations

import pickle
import sys

import auralis_fp

print(auralis_fp.build_info()["cpu_level"])
print(pickle.dumps([auralis_fp.analyze(path) for path in sys.argv[1:]]).hex())
