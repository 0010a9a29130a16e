"""The metadata of a recording that is held in memory."""

from __future__ import annotations

import numpy as np

from auralis_fp.metadata import Metadata
from auralis_fp.reference.definition import Array

__all__ = ["metadata_of"]


def metadata_of(
    x: Array, sr: int, codec: str, container: str, damaged_packets: int, declared_s: float | None = None
) -> Metadata:
    """Return the metadata of float samples of shape (n, channels)."""
    if x.size == 0 or not np.isfinite(x).all():  # which is refused in a moment
        return Metadata(len(x) / sr, sr, x.shape[1], codec, container, len(x), damaged_packets)
    full = np.pad(np.abs(x) >= 1 - 2.0**-15, ((1, 1), (0, 0))).astype(np.int8).T
    runs = [np.flatnonzero(np.diff(one) < 0) - np.flatnonzero(np.diff(one) > 0) for one in full]
    means = x.mean(axis=0, dtype=np.float64)
    peak = float(np.abs(x).max())
    same = x.shape[1] > 1 and peak > 2.0**-16 and bool((np.abs(x - x[:, :1]) <= 2.0**-16).all())
    return Metadata(
        duration=len(x) / sr,
        sample_rate=sr,
        channels=x.shape[1],
        codec=codec,
        container=container,
        samples_decoded=len(x),
        damaged_packets=damaged_packets,
        declared_duration=declared_s,
        clipped_runs=int(sum(np.sum(lengths >= 3) for lengths in runs)),
        peak=peak,
        dc_offset=float(means[np.abs(means).argmax()]),
        identical_channels=same,
    )
