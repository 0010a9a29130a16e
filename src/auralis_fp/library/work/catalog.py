"""Brings the track rows of a database in line with the files in some folders.

New files become rows, changed ones wait for a new fingerprint, moved ones keep their row where that
is certain. Rows of files that are gone stay, and are counted as missing.
"""

# Paths are strings here: they come from and go to the database, 54 000 at a time.
# ruff: noqa: PTH100, PTH116, PTH118, PTH119, PTH122

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Insert, and_, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from auralis_fp._text import printable
from auralis_fp.errors import FileNotFound
from auralis_fp.library.errors import RefusedRow
from auralis_fp.library.files.placing import remove_orphans
from auralis_fp.library.files.walk import AudioFile, Places, Walk
from auralis_fp.library.store.columns import as_count, as_epoch, as_path, as_text, reading
from auralis_fp.library.store.database import Database, utc_now
from auralis_fp.library.store.filenames import to_column
from auralis_fp.library.store.tables import ERROR, PENDING, PROCESSING, UNREAD, is_new, is_suspect

__all__ = ["Changes", "synchronize"]

_PAGE: Final = 500
_BATCH: Final = 64  # new files per transaction: workers can start on the first while the walk goes on
_NAMED: Final = 20


@dataclass
class Changes:
    """What a walk found, compared with the database.

    Attributes
    ----------
    files, new, changed, moved, missing : int
        Number of files found, and of those that differ from the rows in one way or another.
    missing_paths : list of str
        The first few files that are gone.
    other_names : int
        Links to files that are already listed under another name.
    unreadable : list of (str, str)
        Folders and files that could not be examined, and why.
    refused : list of (str, str)
        Files that the database did not take, and why.
    not_followed : list of str
        Links that were left out because of where they lead.
    busy : list of str
        Files that have changed while their tracks are being worked on; look at them again.
    unsettled : int
        Files with several names that only a walk through everything can settle.
    """

    files: int = 0
    new: int = 0
    changed: int = 0
    moved: int = 0
    missing: int = 0
    missing_paths: list[str] = field(default_factory=list)
    other_names: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    not_followed: list[str] = field(default_factory=list)
    busy: list[str] = field(default_factory=list)
    unsettled: int = 0

    def add(self, later: Changes) -> None:
        """Add what a look at some places, later, has found."""
        self.new += later.new
        self.changed += later.changed
        self.moved += later.moved
        self.refused += later.refused


def synchronize(
    database: Database | None,
    folders: Sequence[str],
    *,
    dry_run: bool = False,
    stop: Callable[[], bool] = lambda: False,
    changes: Changes | None = None,
    places: Places | None = None,
    is_quiet: Callable[[AudioFile], bool] = lambda _file: True,
) -> Changes:
    """Walk ``folders`` and bring the rows of their files up to date.

    Parameters
    ----------
    database : Database or None
        None for an empty one, in a dry run.
    folders : sequence of str
        Where to look.
    dry_run : bool
        Only count.
    stop : callable
        True ends the walk early; what was found until then is in the database.
    changes : Changes, optional
        Filled as the walk goes on, for a display.
    places : Places, optional
        Look only there.
    is_quiet : callable
        Whether a file can be taken; others are passed over.
    """
    changes = Changes() if changes is None else changes
    walk = Walk([os.path.abspath(folder) for folder in folders], stop, places)
    changes.unreadable, changes.not_followed = walk.unreadable, walk.not_followed
    _Synchronization(database, walk, changes, dry_run, is_quiet).run()
    return changes


@dataclass(frozen=True, slots=True)
class _Row:
    """A track in the database.

    ``fingerprinted_at`` is in seconds since the epoch; ``gone`` if the file was not there when it was to be
    measured.
    """

    id: int
    path: str
    size: int | None
    mtime_ns: int | None
    status: str | None
    fingerprinted_at: float | None
    gone: bool

    def differs_from(self, file: AudioFile) -> bool:
        if self.gone:
            return True
        if self.size is not None and self.size != file.size:
            return True
        if self.mtime_ns is not None:
            return self.mtime_ns != file.mtime_ns
        # Application databases do not hold the file's time; there, a file newer than its fingerprint has
        # changed. A time in the future would be newer than every fingerprint.
        return (
            self.fingerprinted_at is not None and self.fingerprinted_at < file.mtime_ns / 1e9 <= time.time()
        )

    def identity(self) -> _Identity:
        by = os.path.basename(self.path) if self.mtime_ns is None else self.mtime_ns
        return self.size, by


_Identity = tuple[int | None, str | int]


class _Synchronization:
    def __init__(
        self,
        database: Database | None,
        walk: Walk,
        changes: Changes,
        dry_run: bool,
        is_quiet: Callable[[AudioFile], bool],
    ) -> None:
        self.database = database
        self.walk = walk
        self.changes = changes
        self.dry_run = dry_run
        self.is_quiet = is_quiet
        self.vanished: dict[_Identity, list[_Row]] = {}
        self.maybe_moved: list[AudioFile] = []
        self.linked: list[AudioFile] = []
        self.listed_inodes: set[tuple[int, int]] = set()

    def run(self) -> None:
        self._find_vanished()
        for folder in self.walk:
            if folder.inside and not self.dry_run:  # what a killed process left behind
                remove_orphans(folder.path, folder.hidden)
            self.changes.files += len(folder.files)
            files = [file for file in folder.files if self.is_quiet(file)]
            for start in range(0, len(files), _BATCH):
                self._visit(files[start : start + _BATCH])
        if not self.walk.stop():  # only a whole walk can decide these
            if self.walk.places is None:
                self._settle_links()
            else:
                self.changes.unsettled += len(self.linked)
            self._settle_moves()
        self.changes.other_names += self.walk.other_names

    def _find_vanished(self) -> None:
        for row in self._rows_walked():
            if self.walk.stop():
                return
            try:
                os.stat(row.path)
            except (FileNotFoundError, NotADirectoryError):
                self.vanished.setdefault(row.identity(), []).append(row)
                self.changes.missing += 1
                if len(self.changes.missing_paths) < _NAMED:
                    self.changes.missing_paths.append(row.path)
            except (OSError, ValueError):
                continue

    def _visit(self, files: list[AudioFile]) -> None:
        known = self._known([file.path for file in files])
        changed, new = [], []
        for file in files:
            row = known.get(file.path)
            if row is not None:
                if file.other_name_of:
                    self.listed_inodes.add(file.other_name_of)
                if row.differs_from(file):
                    if row.status == PROCESSING:
                        self.changes.busy.append(file.path)
                    else:
                        changed.append((row, file))
            elif file.other_name_of:
                self.linked.append(file)  # one of its other names may be in the database, and found later
            elif self._candidates(file):
                self.maybe_moved.append(file)
            else:
                new.append(file)
        self._mark_changed(changed)
        self._add(new)

    def _settle_links(self) -> None:
        """Add files under their first name, if the database has them under none of their names."""
        for file in self.linked:
            assert file.other_name_of is not None
            if file.other_name_of in self.listed_inodes:
                self.changes.other_names += 1
                continue
            self.listed_inodes.add(file.other_name_of)
            if self._candidates(file):
                self.maybe_moved.append(file)
            else:
                self._add([file])

    def _settle_moves(self) -> None:
        """Move the row of a missing file to a new file if each is the only match of the other."""
        matches: dict[int, list[AudioFile]] = {}
        for file in self.maybe_moved:
            for row in self._candidates(file):
                matches.setdefault(row.id, []).append(file)
        for file in self.maybe_moved:
            rows = self._candidates(file)
            if not (len(rows) == 1 and len(matches[rows[0].id]) == 1 and self._move(rows[0], file)):
                self._add([file])

    def _candidates(self, file: AudioFile) -> list[_Row]:
        by_time = self.vanished.get((file.size, file.mtime_ns), [])
        return by_time + self.vanished.get((file.size, os.path.basename(file.path)), [])

    def _select(self) -> Any:
        assert self.database is not None
        t = self.database.tracks.c
        known = ("filepath", "filesize", "file_mtime_ns", "fingerprint_status", "fingerprint_error_message")
        names = [name for name in known if name in t]
        times = [n for n in ("fingerprint_computed_at", "fingerprint_started_at") if n in t]
        return select(t.id, *(reading(t[n]) for n in names), *(self.database.epoch(t[n]) for n in times))

    def _row(self, mapping: Any) -> _Row:
        times = (mapping.get("fingerprint_computed_at"), mapping.get("fingerprint_started_at"))
        return _Row(
            id=mapping["id"],
            path=as_path(mapping["filepath"]),
            size=as_count(mapping.get("filesize")),
            mtime_ns=_whole(mapping.get("file_mtime_ns")),
            status=as_text(mapping.get("fingerprint_status")),
            fingerprinted_at=next((t for t in map(as_epoch, times) if t is not None), None),
            gone=(as_text(mapping.get("fingerprint_error_message")) or "").startswith(_GONE),
        )

    def _rows_walked(self) -> Iterator[_Row]:
        """Yield the rows whose files the walk would find."""
        places = self.walk.places
        if places is None:
            yield from self._rows_below(self.walk.roots)
            return
        if places.trees:
            yield from self._rows_below(list(places.trees))
        trees = tuple(os.path.join(tree, "") for tree in places.trees)
        if shallow := [path for path in places.folders if not os.path.join(path, "").startswith(trees)]:
            yield from self._rows_below(shallow, directly=True)

    def _rows_below(self, roots: list[str], *, directly: bool = False) -> Iterator[_Row]:
        if self.database is None:
            return
        column, key = self.database.tracks.c.filepath, self.database.tracks.c.id

        def starts_with(prefix: str) -> ColumnElement[bool]:
            below = column.startswith(prefix, autoescape=True)
            return and_(below, ~func.substr(column, len(prefix) + 1).contains("/")) if directly else below

        # A name that is not UTF-8 below a root that is: stored as a URI.
        prefixes = {os.path.join(root, "") for root in roots}
        stored = {to_column(p) for p in prefixes} | {
            to_column(p + "\udcff").removesuffix("%FF") for p in prefixes
        }
        below = or_(*map(starts_with, stored))
        last = None
        while True:
            query = self._select().where(below).order_by(key).limit(_PAGE)
            with self.database.read() as connection:
                page = connection.execute(query if last is None else query.where(key > last)).mappings().all()
            for row in map(self._row, page):
                if row.path.startswith(tuple(prefixes)):  # LIKE ignores the case of letters on SQLite
                    yield row
            if len(page) < _PAGE:
                return
            last = page[-1]["id"]

    def _known(self, paths: list[str]) -> dict[str, _Row]:
        if self.database is None:
            return {}
        query = self._select().where(self.database.tracks.c.filepath.in_([to_column(path) for path in paths]))
        with self.database.read() as connection:
            rows = [self._row(mapping) for mapping in connection.execute(query).mappings()]
        return {row.path: row for row in rows}

    def _mark_changed(self, changed: list[tuple[_Row, AudioFile]]) -> None:
        self.changes.changed += len(changed)
        if self.dry_run or not changed:
            return
        assert self.database is not None
        for (row, file), _refusal in self.database.run_each(self._wait_again, changed):
            for (_row, same), reason in self.database.run_each(self._wait_unmeasured, [(row, file)]):
                self.changes.refused.append((same.path, str(reason)))

    def _wait_again(self, connection: Connection, change: tuple[_Row, AudioFile]) -> None:
        self._make_wait(connection, change[0], _state_values(change[1]))

    def _wait_unmeasured(self, connection: Connection, change: tuple[_Row, AudioFile]) -> None:
        self._make_wait(connection, change[0], {})  # the size may be more than the column holds

    def _make_wait(self, connection: Connection, row: _Row, state: dict[str, Any]) -> None:
        assert self.database is not None
        t, f = self.database.tracks, self.database.fingerprints
        values = self.database.row(t, {**state, **_WAITING})
        if "fingerprint_error_message" in values:  # its tags are still unread
            message = t.c.fingerprint_error_message
            values["fingerprint_error_message"] = case((is_new(t), message))
        waiting = update(t).where(t.c.id == row.id, t.c.fingerprint_status.is_distinct_from(PROCESSING))
        if connection.execute(waiting.values(values)).rowcount:
            # Version 0: the numbers stay until there are new ones, but describe another recording.
            connection.execute(update(f).where(f.c.track_id == row.id).values(fingerprint_version=0))

    def _add(self, files: list[AudioFile]) -> None:
        self.changes.new += len(files)
        if self.dry_run or not files:
            return
        assert self.database is not None
        rows = [(file, self._new_row(file)) for file in files]
        try:
            self.database.run(lambda connection: self._insert(connection, [row for _file, row in rows]))
        except RefusedRow:
            for (file, row), _refusal in self.database.run_each(self._insert_one, rows):
                bare = {name: row[name] for name in ("title", "filepath")}
                for _same, reason in self.database.run_each(
                    self._insert_one, [(file, self._completed(bare))]
                ):
                    self.changes.new -= 1
                    self.changes.refused.append((file.path, str(reason)))

    def _insert(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        assert self.database is not None
        connection.execute(_insert_or_ignore(connection.dialect.name, self.database.tracks), rows)

    def _insert_one(self, connection: Connection, new: tuple[AudioFile, dict[str, Any]]) -> None:
        self._insert(connection, [new[1]])

    def _new_row(self, file: AudioFile) -> dict[str, Any]:
        """Return the row of a new file; what its tags say is read when it is claimed."""
        stem, extension = os.path.splitext(os.path.basename(file.path))
        now = utc_now()
        values = {
            "title": printable(stem),
            "filepath": to_column(file.path),
            "format": extension[1:].lower(),
            "created_at": now,
            "updated_at": now,
            **_state_values(file),
        }
        return self._completed(values)

    def _completed(self, values: dict[str, Any]) -> dict[str, Any]:
        assert self.database is not None
        values = {**values, **_WAITING, "fingerprint_error_message": UNREAD}
        return self.database.new_row(self.database.tracks, values)

    def _move(self, row: _Row, file: AudioFile) -> bool:
        """Move a row to its file's new name; return whether that was possible."""
        if not self.dry_run:
            assert self.database is not None
            try:
                self.database.run(lambda connection: self._rename(connection, row, file))
            except RefusedRow:  # another scan has just added the new name
                return False
        self.changes.moved += 1
        self.changes.missing -= 1
        if row.path in self.changes.missing_paths:
            self.changes.missing_paths.remove(row.path)
        return True

    def _rename(self, connection: Connection, row: _Row, file: AudioFile) -> None:
        assert self.database is not None
        t = self.database.tracks
        moved = update(t).where(t.c.id == row.id, t.c.filepath == to_column(row.path))
        values = {"filepath": to_column(file.path), **_state_values(file), "updated_at": utc_now()}
        connection.execute(moved.values(self.database.row(t, values)))
        # It may have failed, or been put off, only because it was not where it had been, unless it crashed.
        failed = update(t).where(t.c.id == row.id, t.c.fingerprint_status == ERROR, ~is_suspect(t))
        connection.execute(failed.values(self.database.row(t, _WAITING)))
        late = update(t).where(t.c.id == row.id, t.c.fingerprint_status == PENDING)
        connection.execute(late.values(self.database.row(t, {"fingerprint_started_at": None})))


_GONE: Final = f"{FileNotFound.__name__}: "

_WAITING: Final[dict[str, Any]] = {
    "fingerprint_status": PENDING,
    "fingerprint_started_at": None,
    "fingerprint_error_message": None,
}


def _state_values(file: AudioFile) -> dict[str, Any]:
    return {"filesize": file.size, "file_mtime_ns": file.mtime_ns}


def _insert_or_ignore(dialect: str, table: Any) -> Insert:
    """Return a statement that leaves out rows that another scan has just added."""
    if dialect == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing() if dialect == "sqlite" else Insert(table)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
