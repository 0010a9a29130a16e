"""Run a command that succeeds; then print the packages that were imported for it."""

from __future__ import annotations

import sys

from auralis_fp.cli import main

try:
    main()
except SystemExit as end:
    print(f"exit status {end.code}")
print("imported:", *{module.partition(".")[0] for module in sys.modules})
