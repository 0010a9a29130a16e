"""Import the package from FOLDER; print which file that is, and its version."""

from __future__ import annotations

import sys

sys.path.append(sys.argv[1])

import auralis_fp

print(auralis_fp.__file__, auralis_fp.__version__)
