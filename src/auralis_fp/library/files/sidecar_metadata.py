"""What a sidecar holds besides the 25 numbers: metadata of the recording, and the build that computed them.

Both stand under ``auralis_fp`` in the sidecar's ``metadata``. What is read from there is checked like
anything else in a file.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any, Final

from auralis_fp.metadata import Metadata

__all__ = ["build_from", "metadata_from", "metadata_object"]

_MAX_BUILD_CHARACTERS: Final = 2000


def build_from(value: object) -> str | None:
    """Return a build that was read from a file as JSON text; None if it is not one."""
    if not isinstance(value, dict) or not isinstance(value.get("engine"), str):
        return None
    try:
        text = json.dumps(value)
    except RecursionError:
        return None
    return text if len(text) <= _MAX_BUILD_CHARACTERS else None


def metadata_object(metadata: Metadata) -> dict[str, Any] | None:
    """Return metadata as a JSON object; None if it would not be read back."""
    value = {name: getattr(metadata, name) for name in _FIELDS}
    return value if metadata_from(value) is not None else None


def metadata_from(value: object) -> Metadata | None:
    """Return metadata that was read from a file; None unless every field is there and possible."""
    if not isinstance(value, dict):
        return None
    found = {name: value.get(name, _MISSING) for name in _FIELDS}
    if all(possible(found[name]) for name, possible in _FIELDS.items()):
        return Metadata(**found)
    return None


_MISSING: Final = object()


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 63


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and abs(value) < 1e15 and math.isfinite(value)  # type: ignore[arg-type]


_POSSIBLE: Final[dict[str, Callable[[object], bool]]] = {
    "bool": lambda value: type(value) is bool,
    "float": _is_number,
    "float | None": lambda value: value is None or _is_number(value),
    "int": _is_count,
    "str": lambda value: isinstance(value, str) and len(value) <= 100 and value.isprintable(),
}

_FIELDS: Final = {field.name: _POSSIBLE[str(field.type)] for field in fields(Metadata)}
