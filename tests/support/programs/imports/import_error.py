"""Print why the compiled core could not be imported."""

from __future__ import annotations

import auralis_fp

print(auralis_fp.build_info().get("import_error"))
