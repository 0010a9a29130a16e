"""How soon an analysis must stop."""

from __future__ import annotations

from typing import Final

# It may go on for this much work (CPU time of its thread) before it notices.
STOP_S: Final = 0.1
