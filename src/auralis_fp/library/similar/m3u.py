"""Writes playlists as M3U8: UTF-8, lengths and names, and paths that hold wherever the folder is moved to."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from auralis_fp.library.files.replacing import replacing
from auralis_fp.library.similar.tracks import Track

__all__ = ["write_m3u8"]


def write_m3u8(tracks: Iterable[Track], output: Path) -> list[Track]:
    """Write a playlist in one step: the file is there as a whole or as it was.

    Parameters
    ----------
    tracks : iterable of Track
        In their order.
    output : Path
        The file. The paths in it are relative to its folder.

    Returns
    -------
    list of Track
        Those that were left out, as the format cannot name their files: with a line break in the name, or
        a name that is not UTF-8.
    """
    folder = os.path.realpath(output.parent)
    lines = ["#EXTM3U"]
    left_out = []
    for track in tracks:
        path = _relative(track.path, folder)
        if path is None:
            left_out.append(track)
            continue
        seconds = -1 if track.duration is None else round(track.duration)
        lines += [f"#EXTINF:{seconds},{_one_line(track.name)}", path]
    text = "\n".join(lines) + "\n"
    with replacing(output) as file:
        file.write(text)
    return left_out


def _relative(path: str, folder: str) -> str | None:
    try:
        path.encode()
    except UnicodeEncodeError:
        return None
    if len(path.splitlines()) > 1 or path != path.strip("\r\n"):
        return None
    if "://" in path:
        return path
    # Of the folder itself, since ".." leads out of where links lead to; the file keeps the name that it has.
    parent, name = os.path.split(path)
    relative = os.path.relpath(os.path.join(os.path.realpath(parent), name), folder)  # noqa: PTH118
    # Players strip what is around a line, and take "#" for a comment.
    return f"./{relative}" if relative[:1] in "# \t" else relative


def _one_line(text: str) -> str:
    return " ".join(text.encode("utf-8", "replace").decode().split())
