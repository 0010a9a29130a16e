"""Makes recordings in every format, and measures them here, for another installation to compare with.

    scripts/python tests/tools/formats.py FOLDER

``tests/tools/compare.py FOLDER`` is then run by the other installation, which needs nothing but the package.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from support import synth
from support.encode import EncodedFiles
from support.every_format import every_format

import auralis_fp
from auralis_fp import DIMENSIONS


def outcome(path: Path) -> Any:
    try:
        fingerprint = auralis_fp.analyze(path)
    except auralis_fp.AnalysisError as error:
        return error.kind
    return [fingerprint.vector.tolist(), sorted(fingerprint.undefined), fingerprint.metadata.samples_decoded]


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    samples = synth.to_int16(synth.song("rock", 10, bpm=124, seed=11))
    paths = every_format(EncodedFiles(folder, samples, 44100), folder)
    results = {path.name: outcome(path) for path in paths}
    tolerances = [dimension.tolerance for dimension in DIMENSIONS]
    (folder / "expected.json").write_text(json.dumps({"tolerances": tolerances, "results": results}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
