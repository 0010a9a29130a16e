"""Import auralis_fp from FOLDER, a copy without metadata; run the other arguments as a command."""

from __future__ import annotations

import sys

# An editable installation finds the package first, wherever else it may be.
sys.meta_path[:] = [finder for finder in sys.meta_path if not hasattr(finder, "known_source_files")]
sys.path.insert(0, sys.argv[1])
sys.modules["importlib.metadata"] = None  # type: ignore[assignment]

import auralis_fp  # noqa: E402

assert auralis_fp.__file__.startswith(sys.argv[1]), auralis_fp.__file__
print(auralis_fp.__version__, auralis_fp.build_info())
if sys.argv[2:]:
    del sys.modules["importlib.metadata"]
    from auralis_fp.cli import main

    sys.argv = ["auralis-fp", *sys.argv[2:]]
    main()
