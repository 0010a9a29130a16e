"""What the extractor and the queue need of a repository, so that an application can plug in its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

__all__ = [
    "BuildKeeper",
    "ClaimKeeper",
    "FailureKeeper",
    "FingerprintRepository",
    "StoreConfirmer",
    "TagKeeper",
    "TrackLike",
]


class TrackLike(Protocol):
    """A track as a repository hands it out.

    ``duration`` (seconds) and ``suspect`` (a process that analysed it died) are used if they exist.
    """

    @property
    def id(self) -> int:
        """Primary key."""

    @property
    def filepath(self) -> str:
        """The audio file."""


@runtime_checkable
class FingerprintRepository(Protocol):
    """The five methods that every repository has.

    :class:`auralis_fp.library.LibraryRepository` is this package's own repository. Further methods
    (:class:`FailureKeeper`, :class:`ClaimKeeper`, :class:`BuildKeeper`, :class:`StoreConfirmer`,
    :class:`TagKeeper`) are used if a repository has them.
    """

    def exists(self, track_id: int) -> bool:
        """Return whether the track has a fingerprint; a placeholder row is not one."""

    def upsert(self, track_id: int, fingerprint_data: Mapping[str, float]) -> Any:
        """Store the 25 values and ``fingerprint_version``.

        Returns
        -------
        Any
            True, or the stored row, which is then read back with :meth:`get_by_track_id`. None if it could
            not be stored; False if another process has taken over the track, or there is no such track.
        """

    def get_by_track_id(self, track_id: int) -> Any:
        """Return the stored fingerprint, or None."""

    def get_missing_fingerprints(self, limit: int | None = None) -> Sequence[TrackLike]:
        """Return the tracks without a fingerprint, except those that failed."""

    def claim_next_unfingerprinted_track(self) -> TrackLike | None:
        """Claim a track for the caller; return None if there is none."""


@runtime_checkable
class FailureKeeper(Protocol):
    """A repository that records why a track has no fingerprint."""

    def mark_error(self, track_id: int, message: str) -> Any:
        """Set the track's status to ``error``, with the message."""


@runtime_checkable
class ClaimKeeper(Protocol):
    """A repository whose claims expire and can be released."""

    @property
    def claim_timeout_s(self) -> float:
        """Seconds after which anyone may take over a claim that was not renewed."""

    def renew_claims(self) -> Any:
        """Renew every claim of this process."""

    def release_claim(self, track_id: int, *, retry_later: bool = False) -> Any:
        """Release a claim without a result; with ``retry_later``, the track is not offered again at once."""


@runtime_checkable
class BuildKeeper(Protocol):
    """A repository that may store the build that computed a fingerprint."""

    @property
    def keeps_builds(self) -> bool:
        """True if ``upsert`` also accepts the value ``fingerprint_build``, a text."""


@runtime_checkable
class StoreConfirmer(Protocol):
    """A repository that reads back what it stores, so that its callers need not."""

    @property
    def confirms_stores(self) -> bool:
        """True if ``upsert`` returns True only after reading back the same numbers."""


@runtime_checkable
class TagKeeper(Protocol):
    """A repository that takes the tags of new tracks."""

    def fill_in(self, track_id: int, values: Mapping[str, Any]) -> Any:
        """Take ``title``, ``duration``, ``sample_rate``, ``bit_depth`` and ``channels`` of a new track.

        They must be stored by the time that its result is.
        """
