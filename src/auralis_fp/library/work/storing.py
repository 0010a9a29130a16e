"""Stores a fingerprint in a repository of any kind, and reads it back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from auralis_fp.library.errors import LibraryError, RefusedRow
from auralis_fp.library.store.tables import PLACEHOLDER_LUFS, PLACEHOLDER_VERSION
from auralis_fp.library.work.protocol import FingerprintRepository
from auralis_fp.schema import NAMES

__all__ = ["NotStored", "TrackLost", "has_fingerprint", "store"]

_VERSION: Final = "fingerprint_version"


class NotStored(Exception):
    """The repository did not store a fingerprint; the message says how that is known."""


class TrackLost(Exception):
    """Another process has taken over the track, or there is no such track, says the repository."""


def store(repository: FingerprintRepository, track_id: int, values: Mapping[str, Any]) -> None:
    """Store a fingerprint and make sure that it is there.

    Parameters
    ----------
    repository : FingerprintRepository
        Where the fingerprint is stored.
    track_id : int
        The track.
    values : mapping
        What ``upsert`` takes.

    Raises
    ------
    NotStored
        The repository failed with an error of its own, returned None, or returns other numbers.
    TrackLost
        The repository returned False.
    LibraryError
        The database cannot be used, or the repository stores the fingerprint under another version.
    """
    try:
        answer = repository.upsert(track_id, values)
    except RefusedRow as error:
        raise NotStored(str(error)) from error
    except LibraryError:
        raise
    except Exception as error:  # of an application's repository: it may concern this track only
        raise NotStored(f"{type(error).__name__}: {error}") from error
    if answer is False:
        raise TrackLost("another process has this track, or it is no longer in the database")
    if answer is None:
        raise NotStored("upsert returned None, as repositories do when they fail")
    if answer is True and _confirms(repository):
        return
    _confirm(repository, track_id, values, explicit=answer is True)


def has_fingerprint(repository: FingerprintRepository, track_id: int) -> bool:
    """Return whether a track has a fingerprint; ``exists`` may also be true of a claim's placeholder."""
    if not repository.exists(track_id):
        return False
    if _confirms(repository):
        return True
    row = repository.get_by_track_id(track_id)
    version, loudness = _number(row, _VERSION), _number(row, "lufs")
    if loudness is None:  # what the repository returns cannot be read here
        return row is not None
    return not (loudness <= PLACEHOLDER_LUFS and (version is None or version <= PLACEHOLDER_VERSION))


def _confirms(repository: object) -> bool:
    """Return whether a repository is a StoreConfirmer that does; isinstance takes ten times as long."""
    return getattr(repository, "confirms_stores", False) is True


def _confirm(
    repository: FingerprintRepository, track_id: int, values: Mapping[str, Any], *, explicit: bool
) -> None:
    try:
        row = repository.get_by_track_id(track_id)
    except LibraryError:
        raise
    except Exception as error:
        raise NotStored(f"it could not be read back: {type(error).__name__}: {error}") from error
    if row is None:
        raise NotStored("the repository does not have it")
    stored = {name: _number(row, name) for name in NAMES}
    if None in stored.values():
        if explicit:  # its answer cannot be read here, but the repository has confirmed it
            return
        raise NotStored("what the repository has for it is no fingerprint")
    # Columns of 32 bits, or written with few digits, hold almost the same.
    if not all(math.isclose(stored[n] or 0.0, values[n], rel_tol=1e-5, abs_tol=1e-6) for n in NAMES):
        raise NotStored("the repository has other numbers for it")
    version = _number(row, _VERSION)
    if version is not None and version != values[_VERSION]:
        raise LibraryError(
            f"the repository stores fingerprints of version {values[_VERSION]} as version {version:g}, "
            "for which its application has other definitions: docs/migration.md has an adapter"
        )


def _number(row: object, name: str) -> float | None:
    """Return a value of a row, which may be a mapping or have attributes; None if it is no number."""
    value = row.get(name) if isinstance(row, Mapping) else getattr(row, name, None)
    return float(value) if isinstance(value, int | float | Decimal) else None
