"""``python -m auralis_fp``: the command line."""

from auralis_fp.cli import main

main()
