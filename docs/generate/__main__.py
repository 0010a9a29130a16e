"""Write the generated parts of the documentation, or check that they are current.

python -m generate [--check]
"""

from __future__ import annotations

import sys

from generate.pages import ROOT
from generate.parts import PAGES


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` compare; 1 where something is not current."""
    stale = 0
    for page in PAGES:
        difference = list(page.difference())
        if not difference:
            continue
        name = page.path.relative_to(ROOT)
        if arguments != ["--check"]:
            page.write()
            print(f"written: {name}")
            continue
        stale += 1
        print(f"{name} is not what the code says; run scripts/docs")
        for present, wanted in difference[:5]:
            print(f"  - {present}\n  + {wanted}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
