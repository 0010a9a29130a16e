"""Which track somebody means: by its id, its path, a part of its name, or a file that is in no library."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from auralis_fp._text import printable
from auralis_fp.library.errors import LibraryError
from auralis_fp.library.similar.sources import Source
from auralis_fp.library.similar.tracks import Track, TrackNames, folded

__all__ = ["find_track"]

_EXAMPLES: Final = 3


def find_track(source: Source, text: str) -> Track:
    """Return the track that a text names.

    Parameters
    ----------
    source : Source
        The library.
    text : str
        In this order: the id of a track; the path of one; an audio file, which is in no library; a part of a
        title or of a path that only one track has, or that is a title as a whole.

    Returns
    -------
    Track
        With ``id`` None for a file that is in no library.

    Raises
    ------
    LibraryError
        There is no such track, or more than one.
    """
    if text.isascii() and text.isdigit() and len(text) < 19 and (found := source.tracks([int(text)])):
        return found[0]
    path = os.path.abspath(text)  # noqa: PTH100 - the path in a library: links are not resolved
    track_id = source.at_path(path)
    if track_id is not None:
        return source.tracks([track_id])[0]
    if text and Path(path).is_file():
        return Track.at(path)
    return source.tracks([_by_name(source, text).id])[0]


def _by_name(source: Source, text: str) -> TrackNames:
    wanted = folded(text).strip()
    matching = [one for one in source.names() if wanted in folded(one.title) or wanted in folded(one.path)]
    if not wanted or not matching:
        raise LibraryError(f"no track {printable(text)!r} in this library, and no such file")
    best = next(better for by in _BETTER if (better := [one for one in matching if by(one, wanted)]))
    if len(best) == 1:
        return best[0]
    shown = ", ".join(f"{one.id} ({printable(one.title)})" for one in best[:_EXAMPLES])
    more = f" and {len(best) - _EXAMPLES} more" if len(best) > _EXAMPLES else ""
    raise LibraryError(f"{printable(text)!r} is part of {len(best)} names: {shown}{more}; give the id of one")


_BETTER: Final[tuple[Callable[[TrackNames, str], bool], ...]] = (
    lambda one, wanted: (
        wanted in (folded(one.title), folded(Path(one.path).name), folded(Path(one.path).stem))
    ),
    lambda one, wanted: wanted in folded(one.title) or wanted in folded(Path(one.path).name),
    lambda one, wanted: True,
)
