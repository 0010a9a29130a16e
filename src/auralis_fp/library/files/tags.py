"""What a file says about itself: title, duration and format, read by mutagen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen

from auralis_fp._text import printable

__all__ = ["Tags", "read_tags"]


@dataclass(frozen=True, slots=True)
class Tags:
    """Facts for a new track row; None where the file does not say.

    Attributes
    ----------
    title : str
        The title tag, or else the file's name without its extension.
    duration : float or None
        Seconds.
    sample_rate, bit_depth, channels : int or None
        As the header declares them.
    """

    title: str
    duration: float | None = None
    sample_rate: int | None = None
    bit_depth: int | None = None
    channels: int | None = None


def read_tags(path: str) -> Tags:
    """Read the tags of an audio file; a file that mutagen cannot read has its name for a title."""
    stem = printable(Path(path).stem)
    try:
        file = mutagen.File(path, easy=True)
        if file is None:
            return Tags(stem)
        titles = (file.tags or {}).get("title") if file.tags is not None else None
        title = printable(str(titles[0]).strip()) if titles else ""
        return Tags(
            title or stem,
            _positive(file.info, "length", float),
            _positive(file.info, "sample_rate", int),
            _positive(file.info, "bits_per_sample", int),
            _positive(file.info, "channels", int),
        )
    except Exception:  # a parser in the hands of hostile files: anything may come out
        return Tags(stem)


def _positive(info: Any, name: str, kind: type[Any]) -> Any:
    value = getattr(info, name, None)
    usable = isinstance(value, int | float) and math.isfinite(value) and 0 < value < 2**31
    return kind(value) if usable else None
