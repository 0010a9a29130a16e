"""Fingerprints for a whole music library: a database, sidecar files, worker threads, scans.

Needs the extra ``auralis-fp[library]``. An application with a repository and threads of its own needs
only :class:`FingerprintExtractor`; see ``docs/library.md``.
"""

try:
    from auralis_fp.library.errors import LibraryError
    from auralis_fp.library.files.watcher import FolderWatcher
    from auralis_fp.library.store.claims import ClaimedTrack
    from auralis_fp.library.store.database import Database
    from auralis_fp.library.store.repository import LibraryRepository
    from auralis_fp.library.store.stored import StoredFingerprint
    from auralis_fp.library.work.extractor import FingerprintExtractor
    from auralis_fp.library.work.outcomes import Extraction, Outcome
    from auralis_fp.library.work.protocol import (
        BuildKeeper,
        ClaimKeeper,
        FailureKeeper,
        FingerprintRepository,
        StoreConfirmer,
        TagKeeper,
    )
    from auralis_fp.library.work.queue import AsyncFingerprintQueue, FingerprintQueue, QueueStatistics
    from auralis_fp.library.work.scan import Scan, ScanSummary

    ScanReport = ScanSummary  # its name in version 0.1.0
except ModuleNotFoundError as error:
    if error.name in ("sqlalchemy", "mutagen"):
        message = f"auralis_fp.library needs {error.name}: pip install 'auralis-fp[library]'"
        raise ImportError(message) from error
    raise

__all__ = [
    "AsyncFingerprintQueue",
    "BuildKeeper",
    "ClaimKeeper",
    "ClaimedTrack",
    "Database",
    "Extraction",
    "FailureKeeper",
    "FingerprintExtractor",
    "FingerprintQueue",
    "FingerprintRepository",
    "FolderWatcher",
    "LibraryError",
    "LibraryRepository",
    "Outcome",
    "QueueStatistics",
    "Scan",
    "ScanReport",
    "ScanSummary",
    "StoreConfirmer",
    "StoredFingerprint",
    "TagKeeper",
]
