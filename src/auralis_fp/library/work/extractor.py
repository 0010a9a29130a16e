"""Takes the fingerprint of a track from its sidecar or from an analysis, and stores it."""

# Paths are strings here: they come from and go to the database, 54 000 at a time.
# ruff: noqa: PTH100, PTH112, PTH120

from __future__ import annotations

import logging
import math
import os
import time
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from auralis_fp._types import Analyze
from auralis_fp.cancel import CancelToken
from auralis_fp.errors import AnalysisError, Cancelled, FileNotFound, Unreadable
from auralis_fp.isolation import MEMORY_LIMIT, IsolatedAnalyzer, interpreter
from auralis_fp.library.files import sidecar
from auralis_fp.library.files.sidecar import Content, FileState
from auralis_fp.library.work.analyzers import build_of, choose_analyzer, is_compiled
from auralis_fp.library.work.protocol import BuildKeeper, ClaimKeeper, FailureKeeper, FingerprintRepository
from auralis_fp.metadata import Metadata
from auralis_fp.schema import FINGERPRINT_VERSION, NAMES

__all__ = ["Extraction", "FingerprintExtractor", "Outcome"]

_log = logging.getLogger(__name__)


class Outcome(Enum):
    """What became of a track."""

    ANALYZED = "analyzed"
    CACHED = "cached"
    """Taken from the sidecar."""
    FAILED = "failed"
    """The file is at fault; its status is ``error``."""
    CANCELLED = "cancelled"
    """Given back unfinished."""
    UNAVAILABLE = "unavailable"
    """The folder of the file is not there, so a disk is: given back, to be tried again later."""
    LOST = "lost"
    """Another process has the track, or it is no longer in the database; nothing was stored."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """Result of :meth:`FingerprintExtractor.extract`.

    Attributes
    ----------
    outcome : Outcome
        What became of the track.
    message : str
        The reason, unless a fingerprint was stored.
    seconds : float
        Time taken.
    audio_seconds : float
        Length of the audio, where it was analysed.
    sidecar_error : str
        Why the sidecar could not be written, if so.
    metadata : Metadata or None
        What is known about the recording.
    """

    outcome: Outcome
    message: str = ""
    seconds: float = 0.0
    audio_seconds: float = 0.0
    sidecar_error: str = ""
    metadata: Metadata | None = None

    @property
    def stored(self) -> bool:
        """Whether the track has a fingerprint now."""
        return self.outcome in (Outcome.ANALYZED, Outcome.CACHED)


class FingerprintExtractor:
    """Valid sidecar, else analysis; then store, then write the sidecar.

    A file that cannot be analysed never raises and never becomes a row of made-up values: its track
    gets the status ``error`` and the message. Neither the file nor its track row is ever deleted. What
    does raise is what no file is at fault for: a database that fails (:class:`LibraryError`, or what
    another repository raises) and an installation without any analyzer (:class:`ImportError`).

    Parameters
    ----------
    fingerprint_repository : FingerprintRepository
        Where fingerprints go.
    use_sidecar_files : bool
        Read and write ``.25d`` files.
    use_native : bool
        False is the rollback switch: :mod:`auralis_fp.reference` instead of the compiled core.
    use_rust_server : bool, optional
        Deprecated name of ``use_native``, from the time of the HTTP server.
    analyze : Analyze, optional
        The function that measures, in place of the one that ``use_native`` chooses.
    isolate : bool, optional
        True analyses every file in another process, so that one that kills its process does no more than
        fail; False none. By default it is those that are under suspicion: that were in work when a process
        died. With ``analyze`` the default is none, and with True the workers import it by its name.

    Attributes
    ----------
    sidecar_roots : sequence of str or None
        Folders that sidecars are written in, see :func:`auralis_fp.library.files.sidecar.write`. None, as
        long as no scan has set it: beside every track.
    """

    def __init__(
        self,
        fingerprint_repository: FingerprintRepository,
        use_sidecar_files: bool = True,
        use_native: bool = True,
        use_rust_server: bool | None = None,
        *,
        analyze: Analyze | None = None,
        isolate: bool | None = None,
    ) -> None:
        if use_rust_server is not None:
            warnings.warn(
                "use_rust_server is now called use_native: there is no server any more",
                DeprecationWarning,
                stacklevel=2,
            )
            use_native = use_rust_server
        self.repository: Final = fingerprint_repository
        self.use_sidecar_files: Final = use_sidecar_files
        self.use_native: Final = use_native
        self.isolate: Final = isolate
        self.sidecar_roots: Sequence[str] | None = None
        self._analyze: Final = analyze or choose_analyzer(use_native)
        # The reference holds all samples of a file, which is a matter of gigabytes.
        memory_limit = MEMORY_LIMIT if is_compiled(self._analyze) else None
        self._isolated: Final = IsolatedAnalyzer(self._analyze, memory_limit=memory_limit)
        self._build: Final = build_of(self._analyze)
        self._isolates_suspects: Final = isolate is None and analyze is None and interpreter() is not None

    def extract_and_store(self, track_id: int, filepath: str | os.PathLike[str]) -> bool:
        """Store the fingerprint of a track; return whether it has one now."""
        return self.extract(track_id, filepath).stored

    def extract(
        self,
        track_id: int,
        filepath: str | os.PathLike[str],
        *,
        timeout: float | None = None,
        cancel: CancelToken | None = None,
        read_sidecar: bool = True,
        suspect: bool = False,
    ) -> Extraction:
        """Store the fingerprint of a track, and return how that went.

        Parameters
        ----------
        track_id : int
            The track.
        filepath : str or os.PathLike
            Its file.
        timeout : float, optional
            Seconds the analysis may take.
        cancel : CancelToken, optional
            Cancels it from another thread; the track is then released.
        read_sidecar : bool
            False analyses even if there is a valid sidecar.
        suspect : bool
            Whether a process that analysed it has died, see ``isolate``.
        """
        started = time.monotonic()
        path = os.fspath(filepath)
        isolated = self.isolate or (suspect and self._isolates_suspects)
        analyze = self._isolated if isolated else self._analyze
        try:
            content, state, cached = self._content(path, analyze, timeout, cancel, read_sidecar)
        except Cancelled:
            self._give_back(track_id)
            return Extraction(Outcome.CANCELLED, "cancelled", time.monotonic() - started)
        except FileNotFound as error:
            folder = os.path.dirname(os.path.abspath(path))
            if isinstance(self.repository, ClaimKeeper) and not os.path.isdir(folder):
                self._give_back(track_id, retry_later=True)
                message = f"the folder {folder} is not there"
                return Extraction(Outcome.UNAVAILABLE, message, time.monotonic() - started)
            return self._failed(track_id, path, error, started)
        except ImportError:
            raise
        except Exception as error:  # a defect in the analyzer must not stop the worker either
            return self._failed(track_id, path, error, started)

        if not self._store(track_id, content):
            message = "another process has this track, or it is no longer in the database"
            return Extraction(Outcome.LOST, message, time.monotonic() - started)
        sidecar_error = ""
        if self.use_sidecar_files and not cached:
            try:
                sidecar.write(
                    path, content.values, state, metadata=content.metadata, build=content.build,
                    roots=self.sidecar_roots,
                )  # fmt: skip
            except OSError as error:
                sidecar_error = error.strerror or str(error)
                _log.info("%s: sidecar not written: %s", path, sidecar_error)
        return Extraction(
            Outcome.CACHED if cached else Outcome.ANALYZED,
            seconds=time.monotonic() - started,
            audio_seconds=content.metadata.duration if content.metadata and not cached else 0.0,
            sidecar_error=sidecar_error,
            metadata=content.metadata,
        )

    def extract_batch(self, tracks: Iterable[tuple[int, str]], max_failures: int = 10) -> dict[str, int]:
        """Store the fingerprints of many tracks, one after the other.

        Parameters
        ----------
        tracks : iterable of (id, path)
            The tracks. Those that have a fingerprint already are skipped.
        max_failures : int
            Stop when so many have failed.

        Returns
        -------
        dict
            ``success``: tracks that got a fingerprint, ``cached``: those of them that got it from the
            sidecar, ``failed`` and ``skipped``.
        """
        return self._batch(((*track, False) for track in tracks), max_failures)

    def _batch(self, tracks: Iterable[tuple[int, str, bool]], max_failures: int = 10) -> dict[str, int]:
        counts = {"success": 0, "failed": 0, "skipped": 0, "cached": 0}
        for track_id, path, suspect in tracks:
            if self.repository.exists(track_id):
                counts["skipped"] += 1
                continue
            extraction = self.extract(track_id, path, suspect=suspect)
            counts["success" if extraction.stored else "failed"] += 1
            counts["cached"] += extraction.outcome is Outcome.CACHED
            if counts["failed"] >= max_failures:
                _log.error("stopped after %d failures", counts["failed"])
                break
        return counts

    def extract_missing_fingerprints(self, limit: int | None = None) -> dict[str, int]:
        """Run :meth:`extract_batch` on the tracks without a fingerprint, at most ``limit`` of them."""
        missing = self.repository.get_missing_fingerprints(limit=limit)
        return self._batch((t.id, t.filepath, getattr(t, "suspect", False)) for t in missing)

    def update_fingerprint(self, track_id: int, filepath: str | os.PathLike[str]) -> bool:
        """Analyse a track again, whatever its sidecar says, and store the result."""
        return self.extract(track_id, filepath, read_sidecar=False).stored

    def get_fingerprint(self, track_id: int) -> Any:
        """Return the stored fingerprint of a track, or None."""
        return self.repository.get_by_track_id(track_id)

    def _content(
        self,
        path: str,
        analyze: Analyze,
        timeout: float | None,
        cancel: CancelToken | None,
        read_sidecar: bool,
    ) -> tuple[Content, FileState, bool]:
        """Return the values, the state of the file they describe, and whether they come from the sidecar."""
        for _attempt in range(2):
            before = _state(path)
            if self.use_sidecar_files and read_sidecar and (known := sidecar.load(path, before)):
                return known, before, True
            fingerprint = analyze(path, timeout=timeout, cancel=cancel)
            if _state(path) == before:
                values: dict[str, float] = {name: float(fingerprint[name]) for name in NAMES}
                bad = [name for name in NAMES if not math.isfinite(values[name])]
                if bad:
                    raise ArithmeticError(f"the analysis gave no finite {', '.join(bad)}")
                values["fingerprint_version"] = FINGERPRINT_VERSION
                return Content(values, fingerprint.metadata, self._build), before, False
        raise OSError("the file keeps changing while it is analysed")

    def _store(self, track_id: int, content: Content) -> bool:
        values: dict[str, Any] = dict(content.values)
        if isinstance(self.repository, BuildKeeper) and self.repository.keeps_builds:
            values["fingerprint_build"] = content.build
        stored = self.repository.upsert(track_id, values)
        # Repositories differ in what they return; None says nothing.
        return self.repository.exists(track_id) if stored is None else stored is not False

    def _failed(self, track_id: int, path: str, error: Exception, started: float) -> Extraction:
        if isinstance(error, AnalysisError):
            message = f"{error.kind}: {error.cause} ({error.stage})"
        else:
            message = f"{type(error).__name__}: {error}"
            _log.debug("track %s: %s", track_id, path, exc_info=error)
        _log.warning("track %s: %s: %s", track_id, path, message)
        if isinstance(self.repository, FailureKeeper):
            self.repository.mark_error(track_id, message)
        return Extraction(Outcome.FAILED, message, time.monotonic() - started)

    def _give_back(self, track_id: int, *, retry_later: bool = False) -> None:
        if isinstance(self.repository, ClaimKeeper):
            self.repository.release_claim(track_id, retry_later=retry_later)


def _state(path: str) -> FileState:
    try:
        return FileState.of(path)
    except OSError as error:
        kind = FileNotFound if isinstance(error, FileNotFoundError) else Unreadable
        raise kind(error.strerror or str(error), stage="open", path=path) from error
