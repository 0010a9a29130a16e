"""Findings about the recordings of a library: truncated, damaged, clipped, silent, mono in stereo."""

from __future__ import annotations

import csv
import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, BinaryIO, Final

from auralis_fp._text import printable
from auralis_fp.library.files import sidecar
from auralis_fp.library.report.export import Encoded
from auralis_fp.library.store.database import Database
from auralis_fp.library.store.queries import stored_tracks
from auralis_fp.metadata import Metadata

__all__ = ["Finding", "Findings", "Recording", "library_recordings", "write_findings"]


@dataclass(frozen=True, slots=True)
class Recording:
    """A track with a fingerprint, and the metadata of its recording.

    ``metadata`` is None where it is not known, and ``unknown`` is then the reason, one of :data:`UNKNOWN`.
    """

    track_id: int
    path: str
    metadata: Metadata | None
    unknown: str = "no sidecar"


@dataclass(frozen=True, slots=True)
class Finding:
    """A kind of finding.

    Attributes
    ----------
    title : str
        Its name.
    detail : callable
        Describes a recording that has it, in a few words.
    severity : callable
        The worse a recording is, the larger.
    """

    title: str
    detail: Callable[[Metadata], str]
    severity: Callable[[Metadata], float]


FINDINGS: Final[dict[str, Finding]] = {
    "truncated": Finding(
        "Truncated",
        lambda m: f"{m.duration:.1f} s of {m.declared_duration or 0:.1f} s",
        lambda m: (m.declared_duration or 0) - m.duration,
    ),
    "damaged_packets": Finding(
        "Damaged", lambda m: f"{m.damaged_packets} damaged packets", lambda m: m.damaged_packets
    ),
    "clipping": Finding(
        "Clipping",
        lambda m: f"{m.clipped_runs} runs at full scale, peak {m.peak:.3f}",
        lambda m: m.clipped_runs,
    ),
    "silent": Finding("Silent", lambda m: f"{m.duration:.1f} s, peak {m.peak:.1g}", lambda m: m.duration),
    "identical_channels": Finding(
        "Mono in stereo", lambda m: f"{m.channels} channels with one signal", lambda m: m.duration
    ),
    "dc_offset": Finding(
        "DC offset", lambda m: f"{100 * m.dc_offset:+.1f} % of full scale", lambda m: abs(m.dc_offset)
    ),
}
"""Every kind of :attr:`auralis_fp.Metadata.findings`, in its order."""

UNKNOWN: Final = {
    "no sidecar": "without a valid .25d file beside the recording; a scan of its folder into a new database "
    "(auralis-fp scan DIR --db new.db) writes one",
    "bare sidecar": "with a .25d file of version 0.1.0, which lacks these facts; delete that file, then scan "
    "its folder into a new database (auralis-fp scan DIR --db new.db)",
    "not read": "not measured in this scan, and --no-sidecar keeps it from reading .25d files",
}
"""Why the metadata of a recording is not known, and what to do."""


@dataclass
class Findings:
    """Counts of findings, and the worst examples of each kind.

    Attributes
    ----------
    recordings, found : int
        Number of recordings in all, and with findings.
    unknown : dict
        Number of recordings without metadata, by reason.
    counts : dict
        Number of recordings by kind of finding.
    examples : int
        How many of each kind to keep.
    """

    examples: int = 10
    recordings: int = 0
    found: int = 0
    unknown: dict[str, int] = field(default_factory=lambda: dict.fromkeys(UNKNOWN, 0))
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FINDINGS, 0))
    _worst: dict[str, list[tuple[float, int, str]]] = field(default_factory=lambda: {n: [] for n in FINDINGS})

    def add(self, recording: Recording) -> None:
        """Count a recording."""
        self.recordings += 1
        if recording.metadata is None:
            self.unknown[recording.unknown] += 1
            return
        names = recording.metadata.findings
        self.found += bool(names)
        for name in names:
            self.counts[name] += 1
            finding = FINDINGS[name]
            line = f"{printable(recording.path)}: {finding.detail(recording.metadata)}"
            heapq.heappush(
                self._worst[name], (finding.severity(recording.metadata), -recording.track_id, line)
            )
            if len(self._worst[name]) > self.examples:
                heapq.heappop(self._worst[name])

    def add_all(self, recordings: Iterable[Recording]) -> None:
        """Count recordings."""
        for recording in recordings:
            self.add(recording)

    def lines(self) -> Iterator[str]:
        """Yield the report, a few lines for a library of any size."""
        unknown = sum(self.unknown.values())
        yield f"Recordings: {self.recordings}, {self.found} with findings, {unknown} not known"
        yield from (f"  {count} {UNKNOWN[reason]}" for reason, count in self.unknown.items() if count)
        for name, count in self.counts.items():
            if not count:
                continue
            yield f"{FINDINGS[name].title}: {count}"
            worst = sorted(self._worst[name], reverse=True)
            yield from (f"  {line}" for _severity, _id, line in worst)
            if count > len(worst):
                yield f"  and {count - len(worst)} more"


def library_recordings(
    database: Database, known: Mapping[int, Metadata] | None = None, *, use_sidecar_files: bool = True
) -> Iterator[Recording]:
    """Yield all tracks with a fingerprint of this version.

    Parameters
    ----------
    database : Database
        The library.
    known : mapping, optional
        Metadata by id of the track, for tracks whose sidecar has none.
    use_sidecar_files : bool
        Read the metadata from sidecars, where they are valid.
    """
    for track in stored_tracks(database):
        metadata, unknown = (known or {}).get(track.id), "not read"
        if metadata is None and use_sidecar_files:
            content = sidecar.load(track.path)
            metadata = content.metadata if content else None
            unknown = "bare sidecar" if content else "no sidecar"
        yield Recording(track.id, track.path, metadata, unknown)


def write_findings(recordings: Iterable[Recording], out: BinaryIO, *, as_json: bool) -> Iterator[Recording]:
    """Write the recordings with findings, one per line, as a list of JSON objects or as CSV.

    Yields
    ------
    Recording
        Every recording, with or without findings, for the caller to count.
    """
    columns = ("track_id", "filepath", "findings", *(f.name for f in fields(Metadata)))
    writer = None if as_json else csv.writer(Encoded(out))
    if writer:
        writer.writerow(columns)
    else:
        out.write(b"[")
    first = True
    for recording in recordings:
        if recording.metadata is not None and (names := recording.metadata.findings):
            row: dict[str, Any] = {"track_id": recording.track_id, "filepath": printable(recording.path)}
            metadata = asdict(recording.metadata)
            if writer:
                writer.writerow([*row.values(), " ".join(names), *metadata.values()])
            else:
                out.write(b"\n" if first else b",\n")
                out.write(json.dumps({**row, "findings": names, **metadata}, ensure_ascii=False).encode())
            first = False
        yield recording
    if not writer:
        out.write(b"\n]\n")
