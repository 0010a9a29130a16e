"""End with an endless ``analyze_many`` of PATH begun."""

from __future__ import annotations

import itertools
import sys

import auralis_fp

results = auralis_fp.analyze_many(itertools.repeat(sys.argv[1]), workers=4)
first = next(results)[1]
assert isinstance(first, auralis_fp.Fingerprint)
print(first.metadata.codec)
