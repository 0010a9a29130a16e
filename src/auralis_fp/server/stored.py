"""Answers from a library: fingerprints of files that have not changed since they were measured."""

from __future__ import annotations

import logging
import os
from typing import Final

from sqlalchemy import select

from auralis_fp.library.errors import LibraryError
from auralis_fp.library.store.database import Database
from auralis_fp.library.store.filenames import to_column
from auralis_fp.library.store.stored import StoredFingerprint
from auralis_fp.library.store.tables import holds_fingerprint
from auralis_fp.schema import FINGERPRINT_VERSION, NAMES
from auralis_fp.server.responses import OldAnswer

__all__ = ["StoredAnswers"]

_log: Final = logging.getLogger(__name__)
_NEEDED: Final = ("filesize", "file_mtime_ns", "duration", "sample_rate", "channels")


class StoredAnswers:
    """The fingerprints of a library; nothing is written to it.

    Parameters
    ----------
    database : str or os.PathLike
        SQLite file or SQLAlchemy URL.

    Raises
    ------
    LibraryError
        The database cannot be opened, or does not hold the size and the time of its files.
    """

    def __init__(self, database: str | os.PathLike[str]) -> None:
        self._database: Final = Database(database, readonly=True)
        missing = [name for name in _NEEDED if name not in self._database.tracks.c]
        if missing:
            self._database.close()
            raise LibraryError(f"{self._database.name}: tracks has no column {', '.join(missing)}")

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def find(self, path: str, status: os.stat_result) -> OldAnswer | None:
        """Return a file's stored fingerprint if it is of this version and the file unchanged, else None."""
        t, f = self._database.tracks, self._database.fingerprints
        query = (
            select(t.c.duration, t.c.sample_rate, t.c.channels, t.c.id, *(f.c[name] for name in NAMES))
            .select_from(t.join(f, f.c.track_id == t.c.id))
            .where(
                t.c.filepath == to_column(path),
                t.c.filesize == status.st_size,
                t.c.file_mtime_ns == status.st_mtime_ns,
                f.c.fingerprint_version == FINGERPRINT_VERSION,
                holds_fingerprint(f),
            )
        )
        try:
            with self._database.read() as connection:
                row = connection.execute(query).first()
            if row is None or None in row:
                return None
            duration, sample_rate, channels, track_id, *values = row
            fingerprint = StoredFingerprint(track_id, FINGERPRINT_VERSION, values)
            return OldAnswer(fingerprint, float(duration), int(sample_rate), int(channels))
        except (LibraryError, ValueError, TypeError, OverflowError) as error:  # then it is measured anew
            _log.warning("%s", error)
            return None
