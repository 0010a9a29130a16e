"""The command line: ``auralis-fp``. Needs the extra ``auralis-fp[library]``."""

from __future__ import annotations

import sys

from auralis_fp._garbage import collect_in_own_thread

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    collect_in_own_thread()
    for stream in (sys.stdout, sys.stderr):
        # File names may hold what the terminal's encoding does not.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        from auralis_fp.cli.app import app
    except ImportError as error:
        print(f"auralis-fp: {error}", file=sys.stderr)
        print("The command line needs: pip install 'auralis-fp[library]'", file=sys.stderr)
        sys.exit(2)
    app(prog_name="auralis-fp")
