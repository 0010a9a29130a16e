"""What the numbers of a library are for: similar tracks, playlists, copies of one recording.

Needs the extra ``auralis-fp[library]``. The library is in a database or, with ``auralis-fp[parquet]``, in
Parquet files; ``auralis-fp[ann]`` is for libraries of a million tracks.

Examples
--------
>>> from auralis_fp.library.similar import Neighbours, find_track, open_source
>>> def like(database, name):
...     library = Neighbours(open_source(database))
...     seeds = library.seeds([find_track(library.source, name)])
...     return [(one.track.path, one.why.sentence) for one in library.nearest(seeds, 10)]
"""

from auralis_fp.library.similar.copies import Copies, Copy, find_copies
from auralis_fp.library.similar.m3u import write_m3u8
from auralis_fp.library.similar.naming import find_track
from auralis_fp.library.similar.neighbours import Neighbour, Neighbours, Seeds
from auralis_fp.library.similar.playlist import Playlist, Wish, make_playlist
from auralis_fp.library.similar.sources import DatabaseSource, open_source
from auralis_fp.library.similar.tracks import Track

__all__ = [
    "Copies",
    "Copy",
    "DatabaseSource",
    "Neighbour",
    "Neighbours",
    "Playlist",
    "Seeds",
    "Track",
    "Wish",
    "find_copies",
    "find_track",
    "make_playlist",
    "open_source",
    "write_m3u8",
]
