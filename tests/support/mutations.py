"""Ways to damage a file, deterministic, each named after a kind of accident or malice."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np

Generator: TypeAlias = np.random.Generator


@dataclass(frozen=True)
class Sources:
    """The input of a mutation: a file, another one of its format, one of another format."""

    data: bytes
    sibling: bytes
    stranger: bytes


# --- without knowledge of the format -----------------------------------------------------------------


def flip_bits(rng: Generator, sources: Sources) -> bytes:
    """One to 64 bits, half of them among the first 512 bytes."""
    data = bytearray(sources.data)
    for _ in range(2 ** int(rng.integers(7))):
        reach = min(512, len(data)) if rng.random() < 0.5 else len(data)
        data[rng.integers(reach)] ^= 1 << int(rng.integers(8))
    return bytes(data)


def overwrite_runs(rng: Generator, sources: Sources) -> bytes:
    """One to four runs of zeros, ones or noise, up to 4 kB each."""
    data = bytearray(sources.data)
    for _ in range(int(rng.integers(1, 5))):
        start, length = int(rng.integers(len(data))), 2 ** int(rng.integers(13))
        length = min(length, len(data) - start)
        content = (bytes(length), b"\xff" * length, rng.bytes(length))[rng.integers(3)]
        data[start : start + length] = content
    return bytes(data)


def truncate(rng: Generator, sources: Sources) -> bytes:
    """The end is missing; sometimes nearly all but the header, sometimes the beginning as well."""
    data = sources.data
    end = int(rng.integers(min(len(data), 2048) if rng.random() < 0.4 else len(data)))
    start = int(rng.integers(end + 1)) if rng.random() < 0.2 else 0
    return data[start:end]


def insert_garbage(rng: Generator, sources: Sources) -> bytes:
    """Noise, zeros or tags without end in front, behind, or anywhere."""
    data, length = sources.data, 2 ** int(rng.integers(16))
    garbage = (bytes(length), rng.bytes(length), (b"ID3\x04\0\0\0\0\x0f\x7f" * length)[:length])[
        rng.integers(3)
    ]
    at = (0, len(data), int(rng.integers(len(data))), int(rng.integers(min(512, len(data)))))[rng.integers(4)]
    return data[:at] + garbage + data[at:]


def splice(rng: Generator, first: bytes, second: bytes) -> bytes:
    """The beginning of one file and the end of the other, sometimes the whole of both."""
    if rng.random() < 0.2:
        return first + second
    return first[: rng.integers(len(first) + 1)] + second[rng.integers(len(second) + 1) :]


def splice_same_format(rng: Generator, sources: Sources) -> bytes:
    return splice(rng, sources.data, sources.sibling)


def splice_other_format(rng: Generator, sources: Sources) -> bytes:
    return splice(rng, sources.data, sources.stranger)


# --- with knowledge of the format --------------------------------------------------------------------

# Chunks by a size field: identifier → (offset of the first chunk, does the size come first, its bytes, its
# byte order, whether it counts the 8 bytes of its own header, padding).
_Layout: TypeAlias = tuple[int, bool, int, str, bool, int]
_CHUNKS: Final[dict[bytes, _Layout]] = {
    b"RIFF": (12, False, 4, "little", False, 2),
    b"RF64": (12, False, 4, "little", False, 2),
    b"FORM": (12, False, 4, "big", False, 2),
    b"caff": (8, False, 8, "big", False, 1),
    b"ftyp": (0, True, 4, "big", True, 1),
}
_BOXES_OF_BOXES: Final = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"udta"})
# Where there are no sizes to follow, what every packet, page or cluster begins with.
_LONG_MARKS: Final = (b"OggS", b"wvpk", b"\x1f\x43\xb6\x75", b"\x82\x00\x00")
_SHORT_MARKS: Final = (b"\xff\xf8", b"\x0b\x77", b"\xff\xf1", b"\xff\xfb", b"\xff\xfd")
_LONGEST_HEADER: Final = 10_000


def _walk(data: bytes, layout: _Layout, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Offset of each chunk and of its size field."""
    _, size_first, width, order, counts_header, padding = layout
    at = start
    while at + 4 + width <= end:
        field = at if size_first else at + 4
        size = int.from_bytes(data[field : field + width], order)  # type: ignore[arg-type]
        yield at, field
        body = at + 4 + width
        following = at + size if counts_header else body + size + -size % padding
        if size_first and data[at + 4 : at + 8] in _BOXES_OF_BOXES:
            yield from _walk(data, layout, body, min(following, end))
        if following <= at:
            return
        at = following


def structure(data: bytes) -> tuple[list[int], list[tuple[int, int]]]:
    """Offsets at which chunks, pages or packets begin, and the size fields (offset, bytes)."""
    for identifier, layout in _CHUNKS.items():
        if identifier in data[:8]:
            found = list(_walk(data, layout, layout[0], len(data)))
            return [at for at, _ in found], [(field, layout[2]) for _, field in found]
    mark = next((m for m in _LONG_MARKS if data.count(m) >= 2), None) or max(_SHORT_MARKS, key=data.count)
    starts, at = [], data.find(mark)
    if at > _LONGEST_HEADER:  # by chance
        return [], []
    while at >= 0:
        starts.append(at)
        at = data.find(mark, at + 1)
    # Sizes, counts and granule positions stand in the first bytes behind the mark, or of the file.
    near = [at + len(mark) for at in starts[:64]] or [0]
    return starts, [(at + offset, 4) for at in near for offset in range(0, 24, 2)]


_EXTREMES: Final = (
    *(0, 1, 2, 7, 8, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000),
    *(0xFFFFFFFE, 0xFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF),
)


def edit_length_fields(rng: Generator, sources: Sources) -> bytes:
    """Sizes, counts and rates of the header become 0, 1, or the most that their bits hold."""
    data = bytearray(sources.data)
    _, fields = structure(sources.data)
    for _ in range(int(rng.integers(1, 4))):
        if rng.random() < 0.6 and fields:
            at, width = fields[rng.integers(len(fields))]
        else:
            at, width = int(rng.integers(min(256, len(data)))), 2 ** int(rng.integers(1, 4))
        value = _EXTREMES[rng.integers(len(_EXTREMES))] % 256**width
        data[at : at + width] = value.to_bytes(width, "big" if rng.random() < 0.5 else "little")
    return bytes(data)


def rearrange_chunks(rng: Generator, sources: Sources) -> bytes:
    """Chunks, pages or packets are lost, come twice, or in another order."""
    data = sources.data
    starts, _ = structure(data)
    if len(starts) < 2:  # nothing known of its structure: equal parts
        starts = list(range(0, len(data), max(1, len(data) // 16)))
    edges = sorted({0, *starts, len(data)})
    pieces = [data[a:b] for a, b in pairwise(edges)]
    for _ in range(int(rng.integers(1, 5))):
        if len(pieces) < 2:
            break
        one, other = (int(i) for i in rng.integers(len(pieces), size=2))
        action = rng.integers(4)
        if action == 0:
            del pieces[one]
        elif action == 1:
            pieces.insert(other, pieces[one])
        elif action == 2:
            pieces[one], pieces[other] = pieces[other], pieces[one]
        else:
            pieces[one : one + 1] = [pieces[one]] * int(rng.integers(2, 40))
    return b"".join(pieces)


_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def reseal(data: bytes) -> bytes:
    """Give damaged Ogg pages their right checksum, so that the damage reaches the decoder."""
    sealed = bytearray(data)
    at = data.find(b"OggS")
    while 0 <= at <= len(data) - 27:
        segments = data[at + 27 : at + 27 + data[at + 26]]
        end = at + 27 + len(segments) + sum(segments)
        sealed[at + 22 : at + 26] = bytes(4)
        # RFC 3533: polynomial 0x04c11db7, highest bit first, no inversion; zlib's is the same, reversed.
        checksum = zlib.crc32(sealed[at:end].translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
        sealed[at + 22 : at + 26] = checksum.to_bytes(4, "big").translate(_REVERSED)
        at = data.find(b"OggS", max(end, at + 4))
    return bytes(sealed)


MUTATIONS: Final[dict[str, Callable[[Generator, Sources], bytes]]] = {
    "bits flipped": flip_bits,
    "runs overwritten": overwrite_runs,
    "truncated": truncate,
    "garbage inserted": insert_garbage,
    "spliced, same format": splice_same_format,
    "spliced, other format": splice_other_format,
    "length fields": edit_length_fields,
    "chunks rearranged": rearrange_chunks,
}


def mutate(name: str, rng: Generator, sources: Sources) -> bytes:
    """Apply one of :data:`MUTATIONS`; of the damaged Ogg files, every second one gets valid checksums."""
    data = MUTATIONS[name](rng, sources)
    return reseal(data) if data[:4] == b"OggS" and rng.random() < 0.5 else data
