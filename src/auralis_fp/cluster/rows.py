"""The rows of results: one for each file, with its fingerprint or the reason why there is none."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timezone
from typing import Any, Final

import pyarrow as pa

from auralis_fp._build import build_label
from auralis_fp.errors import AnalysisError
from auralis_fp.fingerprint import Fingerprint
from auralis_fp.metadata import Metadata
from auralis_fp.schema import FINGERPRINT_VERSION, NAMES

__all__ = ["RESULT_SCHEMA", "row_of"]

_METADATA: Final = {
    "duration": pa.float64(),
    "sample_rate": pa.int32(),
    "channels": pa.int32(),
    "codec": pa.string(),
    "container": pa.string(),
    "samples_decoded": pa.int64(),
    "damaged_packets": pa.int64(),
    "declared_duration": pa.float64(),
    "clipped_runs": pa.int64(),
    "peak": pa.float64(),
    "dc_offset": pa.float64(),
    "identical_channels": pa.bool_(),
}
assert list(_METADATA) == [field.name for field in fields(Metadata)]

RESULT_SCHEMA: Final = pa.schema(
    [
        pa.field("uri", pa.string(), nullable=False),
        *((name, pa.float64()) for name in NAMES),
        ("undefined", pa.list_(pa.string())),
        ("fingerprint_version", pa.int32()),
        ("fingerprint_build", pa.string()),
        *_METADATA.items(),
        ("findings", pa.list_(pa.string())),
        ("error_kind", pa.string()),
        ("error_stage", pa.string()),
        ("error_cause", pa.string()),
        ("size", pa.int64()),
        ("seconds", pa.float64()),
        ("cpu_seconds", pa.float64()),
        pa.field("computed_at", pa.timestamp("us", "UTC"), nullable=False),
    ]
)
"""The columns of results.

``uri``
    The file, as it was given.
The 25 names of :data:`auralis_fp.NAMES`
    The numbers; null in the row of a file that could not be measured.
``undefined``, ``fingerprint_version``, ``fingerprint_build``
    The names of the numbers that could not be measured and have their undefined value; the version of the
    definitions; what computed them, as JSON.
``duration`` to ``identical_channels``, ``findings``
    The fields of :class:`auralis_fp.Metadata`, and its findings.
``error_kind``, ``error_stage``, ``error_cause``
    Kind, stage and cause of the :class:`auralis_fp.AnalysisError`; null in the row of a fingerprint.
``size``, ``seconds``, ``cpu_seconds``
    Bytes of the file, null where it could not be opened; how long reading and analysing it took, and how much
    of that a processor was busy, null where another process did the work.
``computed_at``
    When that was.
"""

_BUILD: Final = build_label()


def row_of(
    uri: str,
    result: Fingerprint | AnalysisError,
    *,
    size: int | None,
    seconds: float,
    cpu_seconds: float | None,
) -> dict[str, Any]:
    """Return the row of a file; what is not in it is null."""
    common = {
        "uri": uri,
        "size": size,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "computed_at": datetime.now(timezone.utc),
    }
    if isinstance(result, AnalysisError):
        return {
            **common,
            "error_kind": result.kind,
            "error_stage": result.stage,
            "error_cause": _encodable(result.cause),
        }
    return {
        **common,
        **result,
        **{name: getattr(result.metadata, name) for name in _METADATA},
        "undefined": [name for name in NAMES if name in result.undefined],
        "findings": list(result.metadata.findings),
        "fingerprint_version": FINGERPRINT_VERSION,
        "fingerprint_build": _BUILD,
    }


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
