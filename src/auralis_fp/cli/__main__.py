"""``python -m auralis_fp.cli``."""

from auralis_fp.cli import main

main()
