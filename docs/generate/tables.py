"""Tables of what the code holds as data: the 25 numbers, formats, extensions, limits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from auralis_fp import DIMENSIONS, build_info
from auralis_fp._audio_files import AUDIO_EXTENSIONS

__all__ = ["extensions", "formats", "limits", "numbers", "table"]

_COMPONENTS: Final = Path(__file__).parents[2] / "packaging/ffmpeg/components.txt"

_LIMITS: Final = {
    "memory_bytes": "memory of one analysis, beyond what the process holds; 10 to 60 MB is usual",
    "channels": "channels",
    "min_sample_rate_hz": "lowest sample rate",
    "max_sample_rate_hz": "highest sample rate",
    "hours": "duration",
    "header_bytes": "headers, tags and pictures in front of the audio, without what is skipped",
    "matroska_header_bytes": "the same in Matroska and WebM",
    "tags": "tags and chapters",
    "streams": "streams, pictures included",
    "index_packets": "packets that a container's index lists",
    "edits": "entries in the edit lists of MP4",
    "fragments": "fragments of MP4, times streams",
    "packet_samples": "samples per channel in one packet",
    "ffmpeg_block_bytes": "one block of memory that FFmpeg asks for",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def numbers() -> str:
    """Return the table of the 25 numbers."""
    head = ("#", "name", "range", "undefined", "tolerance", "meaning")
    return table(
        head,
        (
            (
                str(position),
                f"`{d.name}`",
                f"{_number(d.minimum)} to {_number(d.maximum)} {d.unit}".strip(),
                _number(d.undefined),
                _number(d.tolerance),
                d.meaning,
            )
            for position, d in enumerate(DIMENSIONS, start=1)
        ),
    )


def formats() -> str:
    """Return the table of the containers that the core opens."""
    section = _COMPONENTS.read_text().partition("[demuxers]\n")[2].partition("[")[0]
    lines = [line.split(maxsplit=1) for line in section.splitlines() if line and not line.startswith("#")]
    return table(("format", "FFmpeg's name"), ((users, f"`{name}`") for name, users in lines))


def extensions() -> str:
    """Return the extensions of the files that a scan takes for audio."""
    return " ".join(f"`{extension}`" for extension in sorted(AUDIO_EXTENSIONS))


def limits() -> str:
    """Return the table of the limits of one analysis."""
    values = build_info()["limits"]
    if values.keys() != _LIMITS.keys():
        raise ValueError(
            f"limits without a description, or the other way round: {values.keys() ^ _LIMITS.keys()}"
        )
    rows = ((meaning, _limit(name, values[name]), f"`{name}`") for name, meaning in _LIMITS.items())
    return table(("what", "limit", "name in `build_info()`"), rows)


def _limit(name: str, value: int) -> str:
    if name.endswith("_bytes"):
        return f"{value >> 20} MiB"
    if name.endswith("_hz"):
        return f"{value:,} Hz".replace(",", " ")
    if name == "hours":
        return f"{value} hours"
    return f"{value:,}".replace(",", " ")


def _number(value: float) -> str:
    return "1/12" if value == 1 / 12 else f"{value:g}".replace("-", "−")  # noqa: RUF001
