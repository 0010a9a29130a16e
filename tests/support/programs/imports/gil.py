"""Print whether the GIL is on after the import."""

from __future__ import annotations

import auralis_fp

print(auralis_fp.build_info()["gil"])
