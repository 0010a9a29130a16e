"""The folder of a run: its manifest, and the shards of results that are done."""

from __future__ import annotations

import contextlib
import json
import os
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from auralis_fp.cluster.listing import FILES_SCHEMA
from auralis_fp.cluster.rows import RESULT_SCHEMA
from auralis_fp.cluster.storage import ARROW_ERRORS, StorageError, first_line, locate, patiently
from auralis_fp.errors import AnalysisError
from auralis_fp.schema import FINGERPRINT_VERSION

__all__ = ["SHARD_FILES", "Manifest", "Results"]

SHARD_FILES: Final = 10_000
"""Files of a shard, by default."""

_OURS: Final = "_auralis_fp"  # readers of data sets ignore names that begin like this
_MANIFEST: Final = f"{_OURS}/manifest.parquet"
_SHARD: Final = re.compile(r"shard-(\d{6,})\.parquet")
_KEY: Final = b"auralis_fp"
_ONE_PUT: Final = ("s3", "gcs")  # where an object is there as a whole or not at all


@dataclass(frozen=True)
class Manifest:
    """What a run is to measure.

    Attributes
    ----------
    sources : tuple of str
        Where the files were listed.
    files, shards : int
        How many files there are, and in how many shards.
    shard_files : int
        Files of each shard but the last.
    fingerprint_version : int
        Version of the fingerprints.
    created : str
        When the files were listed, in ISO format.
    """

    sources: tuple[str, ...]
    files: int
    shards: int
    shard_files: int
    fingerprint_version: int
    created: str

    @classmethod
    def of(
        cls,
        files: pa.Table,
        *,
        sources: Sequence[str | os.PathLike[str]] = (),
        shard_files: int = SHARD_FILES,
    ) -> Manifest:
        """Return the manifest of files, as :func:`list_files` returns them."""
        if shard_files < 1:
            raise ValueError(f"shard_files must be at least 1, not {shard_files}")
        return cls(
            sources=tuple(os.fspath(source) for source in sources),
            files=files.num_rows,
            shards=-(-files.num_rows // shard_files),
            shard_files=shard_files,
            fingerprint_version=FINGERPRINT_VERSION,
            created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        )


class Results:
    """The results of a run, in a folder on this machine or in an object store.

    Parameters
    ----------
    uri : str or os.PathLike
        The folder. The results of a shard are in ``shard-000000.parquet`` and so on, each of which is there
        when all its rows are.

    Raises
    ------
    StorageError
        From every method: the folder cannot be read or written.

    Examples
    --------
    >>> from auralis_fp.cluster import Results, analyze_table, list_files
    >>> def measure(folder, output):
    ...     results = Results(output)
    ...     manifest = results.manifest() or results.begin(list_files([folder]), sources=[folder])
    ...     for shard in results.missing(manifest):
    ...         results.write(shard, analyze_table(results.files(shard)))
    """

    def __init__(self, uri: str | os.PathLike[str]) -> None:
        self.uri: Final = os.fspath(uri).rstrip("/") or "/"
        with self._translated():
            location = locate(self.uri)
        if location.filesystem is None:
            self._filesystem: Any = fs.LocalFileSystem()
            self._folder = os.path.abspath(location.path)  # noqa: PTH100
        else:
            self._filesystem, self._folder = location.filesystem, location.path
        self._listed: Any = None  # the manifest, while it is open

    def manifest(self) -> Manifest | None:
        """Return the manifest; None if the run has not begun.

        Raises
        ------
        StorageError
            Its fingerprints are of another version.
        """
        with self._translated():
            info = patiently(lambda: self._filesystem.get_file_info(self._path(_MANIFEST)))
            if info.type != fs.FileType.File:
                return None
            known = json.loads(self._opened_manifest().schema_arrow.metadata[_KEY])
        manifest = Manifest(**{**known, "sources": tuple(known["sources"])})
        if manifest.fingerprint_version != FINGERPRINT_VERSION:
            raise StorageError(
                f"{self.uri}: holds fingerprints of version {manifest.fingerprint_version}, "
                f"not {FINGERPRINT_VERSION}: name another folder"
            )
        return manifest

    def begin(
        self,
        files: pa.Table,
        *,
        sources: Sequence[str | os.PathLike[str]] = (),
        shard_files: int = SHARD_FILES,
    ) -> Manifest:
        """Write the manifest.

        Parameters
        ----------
        files : pyarrow.Table
            Those of :func:`list_files`.
        sources : sequence of str or os.PathLike
            Where they were listed.
        shard_files : int
            Files of each shard.
        """
        manifest = Manifest.of(files, sources=sources, shard_files=shard_files)
        schema = FILES_SCHEMA.with_metadata({_KEY: json.dumps(asdict(manifest))})
        sink = pa.BufferOutputStream()
        with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
            writer.write_table(files.cast(schema), row_group_size=shard_files)
        self._listed = None
        self._put(_MANIFEST, sink.getvalue())
        return manifest

    def files(self, shard: int) -> pa.Table:
        """Return the files of a shard: the columns ``uri`` and ``size``."""
        with self._translated():
            return patiently(lambda: self._opened_manifest().read_row_group(shard))

    def finished(self) -> list[int]:
        """Return the numbers of the shards that are done, in ascending order."""
        with self._translated():
            selector = fs.FileSelector(self._folder, allow_not_found=True)
            infos = patiently(lambda: self._filesystem.get_file_info(selector))
        found = (_SHARD.fullmatch(info.base_name) for info in infos if info.type == fs.FileType.File)
        return sorted(int(match[1]) for match in found if match)

    def missing(self, manifest: Manifest) -> list[int]:
        """Return the numbers of the shards that are still to do, in ascending order."""
        done = set(self.finished())
        return [shard for shard in range(manifest.shards) if shard not in done]

    def read(self, shard: int, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the results of a shard that is done, or some columns of them."""
        with self._translated():

            def read() -> pa.Table:
                with self._filesystem.open_input_file(self._path(_name(shard))) as file:
                    return pq.ParquetFile(file).read(columns=None if columns is None else list(columns))

            return patiently(read)

    def write(self, shard: int, rows: pa.Table) -> None:
        """Write the results of a shard; what was there before stays until they are complete."""
        sink = pa.BufferOutputStream()
        pq.write_table(rows.cast(RESULT_SCHEMA), sink, compression="zstd")
        self._put(_name(shard), sink.getvalue())

    def check_writable(self) -> None:
        """Write a small file and delete it, so that what would fail at the first shard fails now."""
        name = f"{_OURS}/{uuid.uuid4().hex}.tmp"
        self._put(name, pa.py_buffer(b"auralis_fp\n"))
        with self._translated():
            patiently(lambda: self._filesystem.delete_file(self._path(name)))

    def _put(self, name: str, content: pa.Buffer) -> None:
        path = self._path(name)
        with self._translated():
            if self._filesystem.type_name in _ONE_PUT:
                patiently(lambda: self._write(path, content))
                return
            # Elsewhere, files are seen while they are written.
            other = self._path(f"{_OURS}/{uuid.uuid4().hex}.tmp")
            self._filesystem.create_dir(self._path(_OURS), recursive=True)
            try:
                self._write(other, content)
                self._filesystem.move(other, path)
            except BaseException:
                with contextlib.suppress(*ARROW_ERRORS):
                    self._filesystem.delete_file(other)
                raise

    def _write(self, path: str, content: pa.Buffer) -> None:
        if self._filesystem.type_name == "local":
            with Path(path).open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            return
        with self._filesystem.open_output_stream(path) as stream:
            stream.write(content)

    def _opened_manifest(self) -> Any:
        if self._listed is None:
            self._listed = pq.ParquetFile(
                patiently(lambda: self._filesystem.open_input_file(self._path(_MANIFEST)))
            )
        return self._listed

    def _path(self, name: str) -> str:
        return f"{self._folder.rstrip('/')}/{name}"

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except AnalysisError as error:
            raise StorageError(f"{self.uri}: {error.cause}") from error
        except ARROW_ERRORS as error:
            raise StorageError(f"{self.uri}: {first_line(error)}") from error


def _name(shard: int) -> str:
    return f"shard-{shard:06}.parquet"
