"""Measure PATH in every way without the compiled core, and check that one warning says so."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import auralis_fp

    assert auralis_fp.build_info()["engine"] == "reference"
    data = Path(sys.argv[1]).read_bytes()
    by_path = auralis_fp.analyze(sys.argv[1])
    by_bytes = auralis_fp.analyze_bytes(data)
    by_samples = auralis_fp.analyze_samples(np.frombuffer(data[44:], np.int16).reshape(-1, 2), 22050)
ours = [w for w in caught if "compiled core cannot be imported" in str(w.message)]
assert len(ours) == 1, ours
assert "abacus" in str(ours[0].message), ours
assert by_path.vector.tolist() == by_bytes.vector.tolist() == by_samples.vector.tolist()
print(*by_path.vector)
