"""The server's answers: the old server's contract for ``/fingerprint``, everything for ``/v1/analyze``.

Clients of the old server delete a track from their database when the answer is 404, or 400 with certain
words in it. So no answer to a request for a fingerprint is 404, and 400 is only for malformed requests, in
words of our own, never for files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any, Final

from starlette.responses import JSONResponse

from auralis_fp.errors import AnalysisError
from auralis_fp.fingerprint import Fingerprint
from auralis_fp.schema import FINGERPRINT_VERSION

__all__ = ["MEANINGS", "OldAnswer", "analysis_content", "failed", "fingerprint_content", "refused"]

MEANINGS: Final = {
    "FileNotFound": "there is no such file",
    "Unreadable": "the file cannot be read",
    "Unsupported": "the file is in no format that can be decoded here",
    "CorruptAudio": "nothing in the file could be decoded",
    "NoAudio": "the file holds no audio",
    "ResourceLimit": "the file would take more memory than one analysis may",
    "Timeout": "the analysis took longer than it may",
}
"""A sentence for every kind of error that a file may cause."""


@dataclass(frozen=True, slots=True)
class OldAnswer:
    """What the old contract says about a file."""

    fingerprint: Mapping[str, float]
    duration: float
    sample_rate: int
    channels: int

    @classmethod
    def of(cls, fingerprint: Fingerprint) -> OldAnswer:
        """Return what it says about a file that was measured."""
        metadata = fingerprint.metadata
        return cls(fingerprint, metadata.duration, metadata.sample_rate, metadata.channels)


def fingerprint_content(track_id: int, path: str, answer: OldAnswer, seconds: float) -> dict[str, Any]:
    """Return the old contract's answer to a request."""
    return {
        "track_id": track_id,
        "fingerprint": dict(answer.fingerprint),
        "metadata": {
            "duration_sec": answer.duration,
            "sample_rate": answer.sample_rate,
            "channels": answer.channels,
            "format": PurePath(path).suffix[1:].lower(),
        },
        "processing_time_ms": round(1000 * seconds),
    }


def analysis_content(path: str | None, fingerprint: Fingerprint, seconds: float) -> dict[str, Any]:
    """Return all results of an analysis."""
    return {
        "path": path,
        "fingerprint_version": FINGERPRINT_VERSION,
        "fingerprint": dict(fingerprint),
        "undefined": sorted(fingerprint.undefined),
        "metadata": asdict(fingerprint.metadata),
        "findings": list(fingerprint.metadata.findings),
        "seconds": seconds,
    }


def failed(error: AnalysisError) -> JSONResponse:
    """Return the answer for a file that cannot be measured."""
    content = {
        "error": f"{MEANINGS.get(error.kind, 'the file cannot be measured')} ({error.kind})",
        "kind": error.kind,
        "stage": error.stage,
        "cause": error.cause,
    }
    return JSONResponse(content, 422)


def refused(status: int, text: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return the answer to a request that is refused."""
    return JSONResponse({"error": text}, status, headers)
