"""Takes the fingerprint of a track from its sidecar or from an analysis, and stores it."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, overload

from auralis_fp._types import Analyze
from auralis_fp.cancel import CancelToken
from auralis_fp.errors import AnalysisError, Cancelled, FileNotFound, Unreadable
from auralis_fp.isolation import MEMORY_LIMIT, IsolatedAnalyzer, interpreter
from auralis_fp.library.errors import LibraryError, RefusedRow
from auralis_fp.library.files import sidecar
from auralis_fp.library.files.sidecar import Content, FileState
from auralis_fp.library.work.analyzers import build_of, choose_analyzer, is_compiled
from auralis_fp.library.work.outcomes import Extraction, Outcome, message_of, what_is_away
from auralis_fp.library.work.protocol import ClaimKeeper, FailureKeeper, FingerprintRepository
from auralis_fp.library.work.settings import Settings
from auralis_fp.library.work.storing import NotStored, TrackLost, has_fingerprint, store
from auralis_fp.schema import FINGERPRINT_VERSION, NAMES

__all__ = ["FingerprintExtractor"]

_log = logging.getLogger(__name__)


class FingerprintExtractor:
    """Takes fingerprints from valid sidecars or from analyses, stores them, and writes the sidecars.

    A file that cannot be analysed never raises and never becomes a row of made-up values: its track
    gets the status ``error`` and the message. Neither the file nor its track row is ever deleted. Errors
    are raised only where no file is at fault: if the database fails (:class:`LibraryError`), and if the
    installation has no analyzer (:class:`ImportError`).

    Parameters
    ----------
    fingerprint_repository : FingerprintRepository
        Where fingerprints go.
    use_sidecar_files : bool
        Read and write ``.25d`` files.
    use_native : bool
        False uses :mod:`auralis_fp.reference` instead of the compiled core.
    use_rust_server : bool, optional
        Deprecated name of ``use_native``, from the time of the HTTP server.
    track_repository : object, optional
        Its ``mark_error`` records why a track failed, if ``fingerprint_repository`` has no such method.
        Tracks are never deleted from it.
    fingerprint_strategy : {"full-track", "sampling"}, optional
        The whole track is measured in either case; ``"sampling"`` warns of that.
    sampling_interval : float, optional
        Belongs to ``"sampling"``, and has no effect.
    analyze : Analyze, optional
        The function that measures, in place of the one that ``use_native`` chooses.
    isolate : bool, optional
        True analyses every file in a worker process, so that a file that crashes its process only fails;
        False analyses all in this process. By default, only suspect files are isolated: those that were being
        analysed when a process died. With ``analyze``, the default is False; with True, the workers import
        it by its name.

    Attributes
    ----------
    sidecar_roots : sequence of str or None
        Folders that sidecars are written in, see :func:`auralis_fp.library.files.sidecar.write`. None, until
        a scan sets it: beside every track.

    Notes
    -----
    The arguments of all versions of the application are taken, also by position: ``(repository,
    use_sidecar_files, fingerprint_strategy, sampling_interval, use_rust_server)`` and ``(repository,
    track_repository, use_sidecar_files)``. Every argument is an attribute of the same name, and
    ``fingerprint_repo`` and ``track_repo`` are the repositories.
    """

    @overload
    def __init__(
        self,
        fingerprint_repository: FingerprintRepository,
        use_sidecar_files: bool = ...,
        use_native: bool = ...,
        use_rust_server: bool | None = ...,
        *,
        track_repository: object = ...,
        fingerprint_strategy: str | None = ...,
        sampling_interval: float | None = ...,
        analyze: Analyze | None = ...,
        isolate: bool | None = ...,
    ) -> None: ...

    @overload
    def __init__(
        self,
        fingerprint_repository: FingerprintRepository,
        use_sidecar_files: bool,
        fingerprint_strategy: str,
        sampling_interval: float = ...,
        use_rust_server: bool | None = ...,
        *,
        analyze: Analyze | None = ...,
        isolate: bool | None = ...,
    ) -> None: ...

    @overload
    def __init__(
        self,
        fingerprint_repository: FingerprintRepository,
        track_repository: object,
        use_sidecar_files: bool = ...,
        *,
        analyze: Analyze | None = ...,
        isolate: bool | None = ...,
    ) -> None: ...

    def __init__(
        self, fingerprint_repository: FingerprintRepository, *arguments: Any, **options: Any
    ) -> None:
        settings = Settings.of(arguments, options)
        self.repository: Final = fingerprint_repository
        self.fingerprint_repo: Final = fingerprint_repository
        self.track_repo: Final = settings.track_repository
        self.use_sidecar_files: Final = settings.use_sidecar_files
        self.use_native: Final = settings.use_native
        self.use_rust_server: Final = settings.use_native
        self.fingerprint_strategy: Final = settings.fingerprint_strategy or "full-track"
        self.sampling_interval: Final = settings.sampling_interval
        self.isolate: Final = settings.isolate
        self.sidecar_roots: Sequence[str] | None = None
        self._analyze: Final = settings.analyze or choose_analyzer(settings.use_native)
        # The reference analyzer holds all samples of a file, which may be gigabytes.
        memory_limit = MEMORY_LIMIT if is_compiled(self._analyze) else None
        self._isolated: Final = IsolatedAnalyzer(self._analyze, memory_limit=memory_limit)
        self._build: Final = build_of(self._analyze)
        chosen_here = settings.isolate is None and settings.analyze is None
        self._isolates_suspects: Final = chosen_here and interpreter() is not None

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
        """Store the fingerprint of a track, and return the outcome.

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
            Whether a process has died while it analysed the track; see ``isolate``.
        """
        started = time.monotonic()
        extraction = self._extract(track_id, filepath, timeout, cancel, read_sidecar, suspect)
        return replace(extraction, seconds=time.monotonic() - started)

    def _extract(
        self,
        track_id: int,
        filepath: object,
        timeout: float | None,
        cancel: CancelToken | None,
        read_sidecar: bool,
        suspect: bool,
    ) -> Extraction:
        isolated = self.isolate or (suspect and self._isolates_suspects)
        analyze = self._isolated if isolated else self._analyze
        path = str(filepath)
        try:
            path = _path(filepath)
            content, state, cached = self._content(path, analyze, timeout, cancel, read_sidecar)
        except Cancelled:
            self._release(track_id)
            return Extraction(Outcome.CANCELLED, "cancelled")
        except ImportError:
            raise
        except (KeyboardInterrupt, GeneratorExit):
            self._release(track_id)
            raise
        except BaseException as error:  # a defect in the analyzer must not stop the worker either
            return self._failed(track_id, path, error)
        try:
            store(self.repository, track_id, self._row(content))
        except TrackLost as loss:
            return Extraction(Outcome.LOST, str(loss))
        except NotStored as refusal:
            return self._refused(track_id, path, refusal)
        return Extraction(
            Outcome.CACHED if cached else Outcome.ANALYZED,
            audio_seconds=content.metadata.duration if content.metadata and not cached else 0.0,
            sidecar_error="" if cached else self._write_sidecar(path, content, state),
            metadata=content.metadata,
        )

    def extract_batch(self, tracks: Iterable[tuple[int, str]], max_failures: int = 10) -> dict[str, int]:
        """Store the fingerprints of many tracks, one after the other.

        Parameters
        ----------
        tracks : iterable of (id, path)
            The tracks. Those that have a fingerprint already are skipped.
        max_failures : int
            Stop when this many in a row have failed.

        Returns
        -------
        dict
            ``success``: tracks that got a fingerprint, ``cached``: those of them that got it from the
            sidecar, ``failed`` and ``skipped``.
        """
        return self._batch(((*track, False) for track in tracks), max_failures)

    def _batch(self, tracks: Iterable[tuple[int, str, bool]], max_failures: int = 10) -> dict[str, int]:
        counts = {"success": 0, "failed": 0, "skipped": 0, "cached": 0}
        in_a_row = 0
        for track_id, path, suspect in tracks:
            if has_fingerprint(self.repository, track_id):
                counts["skipped"] += 1
                continue
            extraction = self.extract(track_id, path, suspect=suspect)
            counts["success" if extraction.stored else "failed"] += 1
            counts["cached"] += extraction.outcome is Outcome.CACHED
            in_a_row = 0 if extraction.stored else in_a_row + 1
            if in_a_row >= max(max_failures, 1):
                _log.error("stopped after %d failures in a row", in_a_row)
                break
        return counts

    def extract_missing_fingerprints(self, limit: int | None = None) -> dict[str, int]:
        """Run :meth:`extract_batch` on the tracks without a fingerprint, or ``limit`` of them."""
        missing = self.repository.get_missing_fingerprints(limit=limit)
        return self._batch((t.id, t.filepath, getattr(t, "suspect", False)) for t in missing)

    def update_fingerprint(self, track_id: int, filepath: str | os.PathLike[str]) -> bool:
        """Analyse a track again, whatever its sidecar says, and store the result."""
        return self.extract(track_id, filepath, read_sidecar=False).stored

    def get_fingerprint(self, track_id: int) -> Any:
        """Return the stored fingerprint of a track, as a mapping if possible; None if there is none."""
        row = self.repository.get_by_track_id(track_id)
        return row.to_dict() if hasattr(row, "to_dict") and not isinstance(row, Mapping) else row

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

    def _row(self, content: Content) -> dict[str, Any]:
        row: dict[str, Any] = dict(content.values)
        if getattr(self.repository, "keeps_builds", False) is True:  # a BuildKeeper
            row["fingerprint_build"] = content.build
        return row

    def _write_sidecar(self, path: str, content: Content, state: FileState) -> str:
        """Write the sidecar of a file, if sidecars are used; return why that failed, if it did."""
        if not self.use_sidecar_files:
            return ""
        try:
            sidecar.write(
                path, content.values, state, metadata=content.metadata, build=content.build,
                roots=self.sidecar_roots,
            )  # fmt: skip
        except Exception as error:  # whatever it is, the fingerprint is stored
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            _log.info("%s: sidecar not written: %s", path, reason)
            return reason or type(error).__name__
        return ""

    def _failed(self, track_id: int, path: str, error: BaseException) -> Extraction:
        away = what_is_away(path, error)
        if away is not None:
            _log.warning("track %s: %s: %s", track_id, path, away)
            self._release(track_id, retry_later=True)
            return Extraction(Outcome.UNAVAILABLE, away, postponed=True)
        message = message_of(error)
        _log.warning("track %s: %s: %s", track_id, path, message)
        if not isinstance(error, AnalysisError):
            _log.debug("track %s", track_id, exc_info=error)
        return self._recorded(track_id, Extraction(Outcome.FAILED, message))

    def _refused(self, track_id: int, path: str, refusal: NotStored) -> Extraction:
        message = message_of(refusal)
        _log.warning("track %s: %s: %s", track_id, path, message)
        extraction = Extraction(Outcome.FAILED, message, refused=True)
        if isinstance(refusal.__cause__, RefusedRow):  # the next try would end in the same way
            return self._recorded(track_id, extraction)
        self._release(track_id, retry_later=True)
        return replace(extraction, postponed=True)

    def _recorded(self, track_id: int, failure: Extraction) -> Extraction:
        """Record why a track failed; return the failure, with the reason if it could not be recorded."""
        for repository in (self.repository, self.track_repo):
            if isinstance(repository, FailureKeeper):
                try:
                    repository.mark_error(track_id, failure.message)
                except Exception as error:
                    if isinstance(error, LibraryError) and not isinstance(error, RefusedRow):
                        raise
                    self._release(track_id, retry_later=True)
                    message = f"{failure.message}; this could not be recorded: {error}"
                    return replace(failure, message=message, postponed=True)
                break
        return failure

    def _release(self, track_id: int, *, retry_later: bool = False) -> None:
        if isinstance(self.repository, ClaimKeeper):
            self.repository.release_claim(track_id, retry_later=retry_later)


def _path(filepath: object) -> str:
    if not isinstance(filepath, str | bytes | os.PathLike):
        raise TypeError(f"the track's row names no file: {filepath!r}")
    path = os.fsdecode(filepath)
    if not path:
        raise ValueError("the track's row names no file")
    return path


def _state(path: str) -> FileState:
    try:
        return FileState.of(path)
    except OSError as error:
        kind = FileNotFound if isinstance(error, FileNotFoundError) else Unreadable
        raise kind(error.strerror or str(error), stage="open", path=path) from error
