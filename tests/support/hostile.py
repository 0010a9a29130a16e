"""Titles and names of files that were made to break whatever shows them."""

from __future__ import annotations

import os
from typing import Final

HOSTILE: Final = (
    "<script>window.broken = 1</script>",
    '"><img src=x onerror="window.broken=1">',
    "</script><script>window.broken = 1</script><!--",
    "\u202egnp.exe \u2066left\u200f",
    "{{ 7 * 7 }} {% raw %} &amp; &lt;",
    "N" * 10_000,
    "عنوان 歌 🎵",
    "' onclick='window.broken=1",
)
FILES: Final = (
    *(f"{one[:100].replace('/', '_')}.mp3" for one in HOSTILE),
    os.fsdecode(b"\xff\xfe not UTF-8.flac"),
    "100 % #1? a=b&c.opus",
    "javascript:window.broken=1",
    "two\nlines.ogg",
)
