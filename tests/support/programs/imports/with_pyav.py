"""Decode PATH with PyAV and with auralis_fp, of which FIRST is imported first; print samples and loudness."""

from __future__ import annotations

import importlib
import sys

first, path = sys.argv[1:]
for module in sorted(("av", "auralis_fp"), key=lambda name: name != first):
    importlib.import_module(module)

import av  # noqa: E402

import auralis_fp  # noqa: E402

loudness = auralis_fp.analyze(path).lufs
with av.open(path) as file:
    samples = sum(frame.samples for frame in file.decode(audio=0))
assert auralis_fp.analyze(path).lufs == loudness
print(samples, loudness)
