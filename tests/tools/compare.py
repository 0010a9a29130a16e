"""Whether this installation measures what another one did: see formats.py. Needs nothing but the package.

    python compare.py FOLDER [PART]

Exit status 1 where a number is off by more than PART of its tolerance, a tenth by default, or a file ends
another way.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import auralis_fp


def main(folder: Path, allowed: float) -> int:
    expected = json.loads((folder / "expected.json").read_text())
    tolerances = dict(zip(auralis_fp.NAMES, expected["tolerances"], strict=True))
    wrong, worst, identical, seen = 0, 0.0, 0, set()
    for name, result in expected["results"].items():
        try:
            measured = auralis_fp.analyze(folder / name)
        except auralis_fp.AnalysisError as error:
            problems = [] if error.kind == result else [str(error)]
        else:
            seen.add(measured.metadata.container)
            if isinstance(result, str):
                problems = [f"measured, where the other ends in {result}"]
            else:
                values, undefined, samples = result
                off = {
                    key: abs(measured[key] - value) / tolerances[key]
                    for key, value in zip(auralis_fp.NAMES, values, strict=True)
                }
                worst = max(worst, *off.values())
                identical += not any(off.values())
                problems = [
                    f"{key} is off by {part:.2f} of its tolerance"
                    for key, part in off.items()
                    if part > allowed
                ]
                if sorted(measured.undefined) != undefined:
                    problems.append(f"undefined: {', '.join(sorted(measured.undefined))}")
                if measured.metadata.samples_decoded != samples:
                    problems.append(f"{measured.metadata.samples_decoded} samples, not {samples}")
        for problem in problems:
            print(f"{name}: {problem}")
        wrong += bool(problems)
    files = len(expected["results"])
    print(f"{files} files, {wrong} wrong, {identical} identical, worst {worst:.4f} of a tolerance")
    print(f"containers: {', '.join(sorted(seen))}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0.1))
