"""Import the package where none of MODULEs is installed; print its version."""

from __future__ import annotations

import sys

sys.modules.update(dict.fromkeys(sys.argv[1:]))  # type: ignore[arg-type]  # None makes an import fail

import auralis_fp  # noqa: E402

print(auralis_fp.__version__)
