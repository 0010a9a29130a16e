"""The two tables this package reads and writes, as it creates them in a new database.

An existing application database keeps its own definition: :mod:`auralis_fp.library.store.database` reflects
it, and only the names below are ever used of it.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    false,
    func,
    literal,
    literal_column,
)

from auralis_fp.schema import NAMES

__all__ = [
    "BUILD",
    "CLAIM_INDEX",
    "COMPLETE",
    "CRASHED",
    "ERROR",
    "LARGEST",
    "PENDING",
    "PLACEHOLDER_LUFS",
    "PLACEHOLDER_VERSION",
    "PROCESSING",
    "UNREAD",
    "fingerprints",
    "holds_fingerprint",
    "is_new",
    "is_suspect",
    "metadata",
    "tracks",
]

PENDING: Final = "pending"
PROCESSING: Final = "processing"
COMPLETE: Final = "complete"
ERROR: Final = "error"

CRASHED: Final = "Crashed: "
"""Beginning of the message of a track whose file may crash the process that analyses it."""

UNREAD: Final = "its tags have not been read yet"
"""End of the message of a track that a scan has added, until its tags are read."""

PLACEHOLDER_LUFS: Final = -100.0
PLACEHOLDER_VERSION: Final = 8
LARGEST: Final = 1e300
"""Magnitude up to which a value of a fingerprint counts as finite."""

metadata = MetaData()

tracks = Table(
    "tracks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("title", String, nullable=False),
    Column("filepath", String, nullable=False, unique=True),
    Column("duration", Float),
    Column("sample_rate", Integer),
    Column("bit_depth", Integer),
    Column("channels", Integer),
    Column("format", String),
    Column("filesize", BigInteger().with_variant(Integer, "sqlite")),
    # Nanoseconds: shows that a file was replaced by an older one of the same size. Application
    # databases lack this column; there, the time of the fingerprint is used instead.
    Column("file_mtime_ns", BigInteger().with_variant(Integer, "sqlite")),
    Column("peak_level", Float),
    Column("rms_level", Float),
    Column("dr_rating", Float),
    Column("lufs_level", Float),
    Column("fingerprint_status", String, server_default=PENDING),
    Column("fingerprint_started_at", DateTime),
    Column("fingerprint_computed_at", DateTime),
    Column("fingerprint_error_message", Text),
    Column("fingerprint_vector", Text),
    Column("album_id", Integer),
    Column("created_at", DateTime),
    Column("updated_at", DateTime),
)

CLAIM_INDEX: Final = Index("ix_tracks_fingerprint_claims", tracks.c.fingerprint_status, tracks.c.id)

fingerprints = Table(
    "track_fingerprints",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("track_id", Integer, ForeignKey("tracks.id", ondelete="CASCADE"), unique=True, nullable=False),
    *(Column(name, Float, nullable=False) for name in NAMES),
    Column("fingerprint_version", Integer, nullable=False, server_default="1"),
    Column("created_at", DateTime),
    Column("updated_at", DateTime),
)

BUILD: Final = Column("fingerprint_build", Text)
"""What computed a row; a column of ``track_fingerprints`` in databases that this package makes."""


def holds_fingerprint(table: Table) -> ColumnElement[bool]:
    """Return the SQL condition that a row holds a fingerprint of any version.

    The claim schemes of applications insert a row of zeros with ``lufs = -100`` and their own version, 1
    to 8, and leave it there when a worker dies. Version 0 is ours: the file has changed since the row was
    computed. Nor is a row a fingerprint whose 25 values are not all finite numbers; SQLite stores anything
    in any column, and compares text as larger than every number.
    """
    columns: Any = table.c
    # In the statement's text: as parameters, they would take longer than the rest of it.
    least, largest = literal_column(f"{-LARGEST:g}", Float), literal_column(f"{LARGEST:g}", Float)
    numbers = [columns[name].between(least, largest) for name in NAMES]
    claimed = and_(columns.lufs <= PLACEHOLDER_LUFS, columns.fingerprint_version <= PLACEHOLDER_VERSION)
    return func.coalesce(and_(columns.fingerprint_version.between(1, 2**31 - 1), ~claimed, *numbers), false())


def is_suspect(table: Table) -> ColumnElement[bool]:
    """Return the SQL condition that a track is suspect: its file may have crashed a process."""
    return _message(table).startswith(CRASHED)


def is_new(table: Table) -> ColumnElement[bool]:
    """Return the SQL condition that a scan has added a track whose tags have not been read yet."""
    return _message(table).endswith(UNREAD)


def _message(table: Table) -> ColumnElement[str]:
    columns: Any = table.c
    if "fingerprint_error_message" not in columns:
        return literal("")
    return func.coalesce(columns.fingerprint_error_message, "")
