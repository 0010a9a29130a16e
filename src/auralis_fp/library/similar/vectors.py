"""The numbers of a whole library as one array, read from its database."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, func, select

from auralis_fp.library.similar.tracks import pages_of
from auralis_fp.library.store.database import Database
from auralis_fp.library.store.tables import holds_fingerprint
from auralis_fp.schema import DIMENSIONS, FINGERPRINT_VERSION, NAMES

__all__ = [
    "Vectors",
    "are_silent",
    "ascending",
    "comparable_ids",
    "read_values",
    "read_vectors",
    "undefined_as_nan",
    "vectors_stamp",
    "versions",
]

_PAGE: Final = 4096
_ONE_CHANNEL: Final = 0.25
"""Width above which a correlation of exactly 1 was not measured: one channel is constant, the width 0.5."""

_STAND_INS: Final = np.array([dimension.undefined for dimension in DIMENSIONS])


@dataclass(frozen=True, slots=True)
class Vectors:
    """The fingerprints of a library.

    Attributes
    ----------
    ids : ndarray of int64, shape (n,)
        Ids of the tracks, ascending.
    values : ndarray of float32, shape (n, 25)
        In the order of :data:`auralis_fp.NAMES`; NaN where a number could not be measured.
    """

    ids: NDArray[np.int64]
    values: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.ids)


def read_vectors(database: Database) -> Vectors:
    """Return all fingerprints of this version, a page of rows in memory at a time."""
    f, t = database.fingerprints.c, database.tracks.c
    columns = (f.track_id, *(f[name] for name in NAMES))
    query = select(*columns).join_from(database.fingerprints, database.tracks, t.id == f.track_id)
    with database.read() as connection:  # one transaction: both see the same rows
        most = connection.execute(select(func.count()).select_from(database.fingerprints)).scalar_one()
        ids = np.empty(most, np.int64)
        values = np.empty((most, len(NAMES)), np.float32)
        size = 0
        for page in connection.execute(query.where(*_comparable(database))).partitions(_PAGE):
            end = size + len(page)
            ids[size:end] = [row[0] for row in page]
            numbers = np.fromiter(chain.from_iterable(row[1:] for row in page), float, len(page) * len(NAMES))
            values[size:end] = undefined_as_nan(numbers.reshape(len(page), -1))
            size = end
    return ascending(ids[:size], values[:size])


def ascending(ids: NDArray[np.int64], values: NDArray[np.float32]) -> Vectors:
    """Return vectors in order of their ids."""
    if (ids[1:] > ids[:-1]).all():
        return Vectors(ids, values)
    order = np.argsort(ids, kind="stable")
    return Vectors(ids[order], values[order])


def comparable_ids(database: Database) -> NDArray[np.int64]:
    """Return the ids of all tracks with a fingerprint of this version, ascending."""
    f, t = database.fingerprints.c, database.tracks.c
    query = select(t.id).join_from(database.tracks, database.fingerprints, t.id == f.track_id)
    with database.read() as connection:
        rows = connection.execute(query.where(*_comparable(database)).execution_options(yield_per=_PAGE))
        return np.unique(np.fromiter(rows.scalars(), np.int64))


def read_values(database: Database, ids: Iterable[int]) -> NDArray[np.float32]:
    """Return the fingerprints of some tracks, in the order of their ids; those without one are left out."""
    f = database.fingerprints.c
    wanted = [int(one) for one in ids]
    query = select(f.track_id, *(f[name] for name in NAMES)).where(*_comparable(database))
    found: dict[int, list[float]] = {}
    with database.read() as connection:
        for page in pages_of(wanted):
            for track_id, *numbers in connection.execute(query.where(f.track_id.in_(page))):
                found[track_id] = [float(number) for number in numbers]
    rows = [found[one] for one in wanted if one in found]
    return undefined_as_nan(np.array(rows, np.float64).reshape(-1, len(NAMES))).astype(np.float32)


def are_silent(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which tracks nothing is known of: of silence, the share of silence is the only number."""
    others = [index for index, name in enumerate(NAMES) if name != "silence_ratio"]
    return np.asarray(np.isnan(values[:, others]).all(axis=1))


def versions(database: Database) -> dict[int, int]:
    """Return the number of fingerprints by their version."""
    f = database.fingerprints
    query = select(f.c.fingerprint_version, func.count()).where(holds_fingerprint(f))
    with database.read() as connection:
        rows = connection.execute(query.group_by(f.c.fingerprint_version)).all()
    return {int(version): count for version, count in rows}


def vectors_stamp(database: Database) -> Hashable:
    """Return what is another value as soon as any fingerprint is another, at the cost of one pass in SQL.

    No time stamp is asked: programs change rows without one.
    """
    f = database.fingerprints.c
    row: ColumnElement[Any] = sum((f[name] for name in NAMES[1:]), start=f[NAMES[0]])
    row += f.fingerprint_version
    query = select(func.count(), func.sum(row), func.sum(row * (f.track_id % 8191)), func.max(f.track_id))
    with database.read() as connection:
        return tuple(map(str, connection.execute(query).one()))


def undefined_as_nan(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put NaN where rows as they are stored hold the stand-in for what could not be measured; return them.

    Databases do not say which numbers are stand-ins, but most of these are no value that a recording can
    have, and the others go with one that is: see "undefined" in ``docs/dimensions.md``.
    """
    is_stand_in = values == _STAND_INS
    column = dict(zip(NAMES, is_stand_in.T, strict=True))
    values[is_stand_in[:, :7].all(axis=1), :7] = np.nan
    no_mid = column["crest_db"]  # what is measured on the sum of the channels
    no_stereo = no_mid & column["stereo_width"]
    no_active_frame = column["chroma_energy"]
    no_active_blocks = column["dynamic_range_variation"] & column["loudness_variation_std"]
    together = {
        "rhythm_stability": column["tempo_bpm"],
        "transient_density": no_mid,
        "silence_ratio": np.zeros_like(no_mid),
        "spectral_centroid": no_active_frame,
        "spectral_rolloff": no_active_frame,
        "spectral_flatness": no_active_frame,
        "harmonic_ratio": no_mid,
        "pitch_stability": no_active_frame,
        "dynamic_range_variation": no_active_blocks,
        "loudness_variation_std": no_active_blocks,
        "stereo_width": no_stereo,
        "phase_correlation": no_stereo | (values[:, NAMES.index("stereo_width")] > _ONE_CHANNEL),
    }
    for index, name in enumerate(NAMES[7:], start=7):
        values[is_stand_in[:, index] & together.get(name, True), index] = np.nan
    return values


def _comparable(database: Database) -> tuple[ColumnElement[bool], ...]:
    f = database.fingerprints
    return f.c.fingerprint_version == FINGERPRINT_VERSION, holds_fingerprint(f)
