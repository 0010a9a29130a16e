"""An adapter for the later versions of the application, which have other definitions under the same names.

They store every fingerprint as version 8, with shares of the energy from 0 to 1 and two numbers in the
opposite direction, and have moved the claims out of the repository of fingerprints. Use it like this:

    repository = LaterRepository(application.fingerprints, application.claims)
    extractor = FingerprintExtractor(repository, use_sidecar_files=False)
    FingerprintQueue(extractor, workers=16).start()

Their frequency bands have other edges, which no adapter can convert: the results of their own analyzer and of
this one are similar, not the same. Let one of the two measure the whole library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from auralis_fp.library import ClaimedTrack
from auralis_fp.schema import DIMENSIONS, FINGERPRINT_VERSION, NAMES

PERCENTAGES: Final = tuple(d.name for d in DIMENSIONS if d.unit == "%")
REVERSED: Final = ("chroma_energy", "peak_consistency")
PLACEHOLDER_LUFS: Final = -100.0


class Fingerprints(Protocol):
    """The methods of the application's repository of fingerprints."""

    def upsert(self, track_id: int, fingerprint_data: Mapping[str, float]) -> Any: ...
    def get_by_track_id(self, track_id: int) -> Any: ...
    def get_missing_fingerprints(self, limit: int | None = None) -> Sequence[ClaimedTrack]: ...


class ClaimSource(Protocol):
    """The methods of the application's claims."""

    def claim_next_unfingerprinted_track(self) -> ClaimedTrack | None: ...


class LaterRepository:
    """A repository for :class:`FingerprintExtractor` on top of two objects of the application."""

    def __init__(self, fingerprints: Fingerprints, claims: ClaimSource) -> None:
        self._fingerprints: Final = fingerprints
        self._claims: Final = claims
        self._stored_here: Final[set[int]] = set()

    def exists(self, track_id: int) -> bool:
        """Return whether the track has a fingerprint; the placeholder of a claim is not one."""
        row = self._fingerprints.get_by_track_id(track_id)
        return row is not None and float(value_of(row, "lufs")) > PLACEHOLDER_LUFS

    def upsert(self, track_id: int, fingerprint_data: Mapping[str, float]) -> Any:
        """Store a fingerprint in the application's units; return None if it could not be stored."""
        stored = self._fingerprints.upsert(track_id, to_theirs(fingerprint_data))
        if stored is not None:
            self._stored_here.add(track_id)
        return stored

    def get_by_track_id(self, track_id: int) -> dict[str, float] | None:
        """Return a fingerprint in our units; it has our version if it was stored through this adapter."""
        row = self._fingerprints.get_by_track_id(track_id)
        if row is None:
            return None
        version = (
            FINGERPRINT_VERSION if track_id in self._stored_here else value_of(row, "fingerprint_version")
        )
        values = to_ours({name: float(value_of(row, name)) for name in NAMES})
        return {**values, "fingerprint_version": version}

    def get_missing_fingerprints(self, limit: int | None = None) -> Sequence[ClaimedTrack]:
        """Return the tracks for which the application has no fingerprint."""
        return self._fingerprints.get_missing_fingerprints(limit)

    def claim_next_unfingerprinted_track(self) -> ClaimedTrack | None:
        """Claim a track through the application's claims."""
        return self._claims.claim_next_unfingerprinted_track()


def to_theirs(values: Mapping[str, float]) -> dict[str, float]:
    """Return our 25 numbers in the units and directions of the application."""
    theirs = {name: values[name] for name in NAMES}
    theirs.update({name: values[name] / 100 for name in PERCENTAGES})
    theirs.update({name: 1 - values[name] for name in REVERSED})
    return theirs


def to_ours(values: Mapping[str, float]) -> dict[str, float]:
    """Return the 25 numbers from which :func:`to_theirs` computed a row."""
    ours = {name: values[name] for name in NAMES}
    ours.update({name: 100 * values[name] for name in PERCENTAGES})
    ours.update({name: 1 - values[name] for name in REVERSED})
    return ours


def value_of(row: Any, name: str) -> Any:
    """Return a value of a row, which is a mapping or has attributes."""
    return row[name] if isinstance(row, Mapping) else getattr(row, name)
