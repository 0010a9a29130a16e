"""How well the 25 numbers find similar tracks and duplicates, how fast, and the built-in space.

scripts/python benchmarks/similarity.py retrieval LABELS.csv     precision of each comparison of a library
scripts/python benchmarks/similarity.py duplicates LABELS.csv    30 tracks in 8 encodings among the others
scripts/python benchmarks/similarity.py speed LABELS.csv         queries over 10 000 to 1 000 000 tracks
scripts/python benchmarks/similarity.py builtin LABELS.csv       writes the built-in space

LABELS.csv has the columns path (relative to its folder) and label; labelled_library.py makes one.
Fingerprints are kept beside it. Recordings of less than 30 s or more than 15 minutes are left out, and so are
second copies.
"""

from __future__ import annotations

import csv
import importlib
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")  # before NumPy is imported

import numpy as np
from numpy.typing import NDArray
from support.encode import ffmpeg

from auralis_fp import DIMENSIONS, FINGERPRINT_VERSION, NAMES, Fingerprint, analyze_many
from auralis_fp.library.similar.lists import MANY, Lists, available
from auralis_fp.similarity import Index, Space, as_rows, duplicate_pairs

Floats = NDArray[np.float64]
Search = Callable[[NDArray[np.float32]], object]

SHORTEST_S, LONGEST_S = 30, 15 * 60
BUILTIN: Final = Path(__file__).parents[1] / "src/auralis_fp/similarity/builtin.json"
SHRINKAGE: Final = 0.5
FOLDS: Final = 5
RESAMPLES: Final = 1000


# --- the library -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Library:
    paths: list[Path]
    labels: NDArray[np.str_]
    rows: NDArray[np.float32]
    durations: Floats


def library(table: Path) -> Library:
    """Return the tracks of a table of paths and labels, measured or as they were measured before."""
    with table.open(newline="") as file:
        labels = {table.parent / row["path"]: row["label"] for row in csv.DictReader(file)}
    known = dict(measured(list(labels), table.parent / f"fingerprints-{FINGERPRINT_VERSION}.jsonl"))
    paths = [path for path in labels if path in known and SHORTEST_S <= known[path][0] <= LONGEST_S]
    numbers = np.array([known[path] for path in paths])
    _, first = np.unique(numbers.round(3), axis=0, return_index=True)  # games share some files
    kept = np.sort(first)
    return Library(
        [paths[track] for track in kept],
        np.array([labels[paths[track]] for track in kept]),
        as_rows(numbers[kept, 1:]),
        numbers[kept, 0],
    )


def measured(paths: list[Path], store: Path) -> Iterator[tuple[Path, list[float]]]:
    """Yield paths with duration and 25 numbers, NaN where undefined; without those that are no recordings."""
    known: dict[str, list[float]] = {}
    if store.exists():
        known = dict(json.loads(line) for line in store.read_text().splitlines())
    with store.open("a") as file:
        for path, result in analyze_many([path for path in paths if str(path) not in known]):
            numbers = numbers_of(result) if isinstance(result, Fingerprint) else []
            known[str(path)] = numbers
            file.write(json.dumps([str(path), numbers]) + "\n")
    yield from ((path, known[str(path)]) for path in paths if known[str(path)])


def numbers_of(fingerprint: Fingerprint) -> list[float]:
    return [fingerprint.metadata.duration, *map(float, as_rows(fingerprint)[0])]


# --- comparisons: from vectors to the distance of every track from every other -----------------------


def euclid(places: Floats) -> Floats:
    squares = (places**2).sum(1)
    return np.asarray(np.sqrt(np.maximum(squares[:, np.newaxis] + squares - 2 * places @ places.T, 0)))


def city_block(places: Floats) -> Floats:
    return np.array([np.abs(places - place).sum(1) for place in places])


def z_scores(rows: Floats) -> Floats:
    return np.asarray((rows - rows.mean(0)) / rows.std(0))


def robust(rows: Floats) -> Floats:
    scales = Space.fit(rows).scales.values()
    spread = np.array([scale.spread for scale in scales])
    return np.asarray(np.clip((rows - [scale.median for scale in scales]) / spread, -4, 4))


def ranks(rows: Floats) -> Floats:
    scales = Space.fit(rows).scales.values()
    columns = rows.astype(np.float32).T
    places = [scale.place(column) for scale, column in zip(scales, columns, strict=True)]
    return np.asarray(np.array(places).T, np.float64)


def by_group(places: Floats) -> Floats:
    groups = [dimension.group for dimension in DIMENSIONS]
    return np.asarray(places / np.sqrt([groups.count(group) for group in groups]))


def whitened(places: Floats) -> Floats:
    covariance = np.cov(places.T)
    mean_variance = np.trace(covariance) / len(covariance)
    values, vectors = np.linalg.eigh(
        (1 - SHRINKAGE) * covariance + SHRINKAGE * mean_variance * np.eye(len(covariance))
    )
    return np.asarray(places @ vectors / np.sqrt(values))


def mutual(apart: Floats) -> Floats:
    """Return 1 - Mutual Proximity, with mean and spread from all tracks."""
    others = ~np.eye(len(apart), dtype=bool)
    mean = apart.mean(1, where=others)
    spread = apart.std(1, where=others)
    nearer = share_below((apart - mean[:, np.newaxis]) / spread[:, np.newaxis])
    return np.asarray(nearer + nearer.T - nearer * nearer.T)


def share_below(standard: Floats) -> Floats:
    return np.array([math.erfc(-value / math.sqrt(2)) / 2 for value in standard.flat]).reshape(standard.shape)


def shipped(rows: Floats, weights: dict[str, float] | None = None) -> Floats:
    """Return the place of every track in every track's list, as the package orders them."""
    index = Space.fit(rows).index(rows, weights=weights)
    places = np.zeros((len(rows), len(rows)))
    for track, row in enumerate(rows):
        near = index.nearest(row, len(rows), exclude=[track])[0]
        places[track, near] = np.arange(len(near))
    return places


COMPARISONS: Final[dict[str, Callable[[Floats], Floats]]] = {
    "z-score, Euclid": lambda rows: euclid(z_scores(rows)),
    "robust z, clipped at 4, Euclid": lambda rows: euclid(robust(rows)),
    "normal scale, Euclid": lambda rows: euclid(ranks(rows)),
    "normal scale, L1": lambda rows: city_block(ranks(rows)),
    "normal scale, Euclid, Mutual Proximity": lambda rows: mutual(euclid(ranks(rows))),
    "normal scale, L1, Mutual Proximity": lambda rows: mutual(city_block(ranks(rows))),
    "normal scale, one weight per group, Euclid": lambda rows: euclid(by_group(ranks(rows))),
    "whitened, Euclid, Mutual Proximity": lambda rows: mutual(euclid(whitened(ranks(rows)))),
    "**`Space` with its defaults**": shipped,
}
TEMPO_WEIGHTS: Final = (0.0, 0.5, 1.0)
REFERENCES: Final = (100, 200, 300, 400, 600)


# --- retrieval ---------------------------------------------------------------------------------------


def retrieval(table: Path) -> None:
    tracks = library(table)
    rows = np.where(np.isnan(tracks.rows), np.nanmedian(tracks.rows, 0), tracks.rows).astype(float)
    chosen = np.array([(tracks.labels == label).sum() > 1 for label in tracks.labels])
    print(f"{len(rows)} tracks, {len(np.unique(tracks.labels[chosen]))} labels with more than one track\n")
    labels = tracks.labels[chosen]
    resampled = list(resamples(labels))
    average: dict[str, Floats] = {}
    weighted: dict[str, Floats] = {}
    print("| comparison | P@10 | R-precision | MAP, 95 % | MAP against z-score, 95 % | never recommended |")
    print("|---|---|---|---|---|---|")
    first: Floats | None = None
    for name, compare in COMPARISONS.items():
        apart = compare(rows)
        quality = judged(apart, tracks.labels)[chosen]
        first = quality if first is None else first
        values = macro(quality, labels)
        interval = bounds(quality[:, 2], resampled)
        gain = "" if quality is first else bounds(quality[:, 2] - first[:, 2], resampled, "+.3f")
        print(
            f"| {name} | {values[0]:.3f} | {values[1]:.3f} | {values[2]:.3f}, {interval} | {gain} "
            f"| {never_recommended(apart):.1%} |"
        )
        average[name] = quality[:, 2]
    for weight in TEMPO_WEIGHTS:
        quality = judged(shipped(rows, {"tempo_bpm": weight}), tracks.labels)[chosen]
        weighted[str(weight)] = quality[:, 2]
        print(f"\ntempo_bpm weighs {weight}: MAP {macro(quality[:, 2], labels):.3f}")
    for count in REFERENCES:
        with patch("auralis_fp.similarity.index._REFERENCES", count):
            quality = judged(shipped(rows), tracks.labels)[chosen]
        print(f"\nMutual Proximity from {count} tracks: MAP {macro(quality, labels)[2]:.3f}")
    print("\nMAP if chosen on four fifths of the labels and judged on the others:")
    print(f"   the comparison {chosen_elsewhere(average, labels):.3f}")
    print(f"   the weight of tempo_bpm {chosen_elsewhere(weighted, labels):.3f}")


def judged(apart: Floats, labels: NDArray[np.str_]) -> Floats:
    """Return P@10, R-precision and average precision of every track's list."""
    quality = np.zeros((len(apart), 3))
    for track, row in enumerate(apart):
        order = np.argsort(row, kind="stable")
        hits = (labels == labels[track])[order[order != track]]
        found = np.flatnonzero(hits) + 1
        if len(found):
            precision = np.arange(1, len(found) + 1) / found
            quality[track] = hits[:10].mean(), hits[: len(found)].mean(), precision.mean()
    return quality


def macro(quality: Floats, labels: NDArray[np.str_]) -> Floats:
    """Return the mean over labels of the means over their tracks."""
    return np.asarray(np.mean([quality[labels == label].mean(0) for label in np.unique(labels)], axis=0))


def resamples(labels: NDArray[np.str_]) -> Iterator[list[NDArray[np.intp]]]:
    """Yield labels drawn with replacement, and of each, tracks drawn with replacement."""
    rng = np.random.default_rng(1)
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    for _ in range(RESAMPLES):
        drawn = rng.integers(len(members), size=len(members))
        yield [rng.choice(members[label], len(members[label])) for label in drawn]


def bounds(values: Floats, resampled: Iterable[list[NDArray[np.intp]]], form: str = ".3f") -> str:
    means = [np.mean([values[tracks].mean() for tracks in sample]) for sample in resampled]
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{low:{form}} to {high:{form}}"


def never_recommended(apart: Floats) -> float:
    """Return the share of tracks that are in nobody's list of ten."""
    others = np.where(np.eye(len(apart), dtype=bool), np.inf, apart)
    return 1 - len(np.unique(np.argsort(others, axis=1, kind="stable")[:, :10])) / len(apart)


def chosen_elsewhere(average: dict[str, Floats], labels: NDArray[np.str_]) -> float:
    """Return the MAP if, for each fifth of the labels, what is best on the others is taken."""
    names = np.random.default_rng(2).permutation(np.unique(labels))
    crossed = np.zeros(len(labels))
    for fold in range(FOLDS):
        test = np.isin(labels, names[fold::FOLDS])
        best = max(average, key=lambda name: float(macro(average[name][~test], labels[~test])))
        crossed[test] = average[best][test]
    return float(macro(crossed, labels))


# --- duplicates --------------------------------------------------------------------------------------

ENCODINGS: Final = {
    "320.mp3": ("-c:a", "libmp3lame", "-b:a", "320k"),
    "128.mp3": ("-c:a", "libmp3lame", "-b:a", "128k"),
    "128.m4a": ("-c:a", "aac", "-b:a", "128k"),
    "q5.ogg": ("-c:a", "libvorbis", "-q:a", "5"),
    "96.opus": ("-c:a", "libopus", "-b:a", "96k"),
    "64.opus": ("-c:a", "libopus", "-b:a", "64k"),
    "96k.flac": ("-c:a", "flac", "-ar", "96000"),
    "128.wma": ("-c:a", "wmav2", "-b:a", "128k"),
}
COPIED: Final = 30
COPIED_S: Final = 45


def duplicates(table: Path) -> None:
    tracks = library(table)
    long_enough = np.flatnonzero(tracks.durations > COPIED_S)
    copied = long_enough[np.linspace(0, len(long_enough) - 1, COPIED).astype(int)]
    rows, durations, recording = list(tracks.rows), list(tracks.durations), list(range(len(tracks.rows)))
    with tempfile.TemporaryDirectory() as name:
        with ThreadPoolExecutor(4) as pool:
            folders = [Path(name) / str(track) for track in copied]
            groups = list(pool.map(encoded, [tracks.paths[track] for track in copied], folders))
        for path, result in analyze_many([path for group in groups for path in group]):
            assert isinstance(result, Fingerprint), result
            rows.append(as_rows(result)[0])
            durations.append(result.metadata.duration)
            recording.append(-int(Path(str(path)).parent.name) - 1)  # the excerpt, not the whole track
    of = np.array(recording)

    def found(**options: Any) -> NDArray[np.intp]:
        return duplicate_pairs(np.array(rows), durations, **options).indices

    for label, pairs in {
        "threshold 0.2": found(),
        "threshold 0.15": found(threshold=0.15),
        "threshold 0.3": found(threshold=0.3),
        "any duration": found(seconds=1e9),
        "other_gain": found(other_gain=True),
        "mono": found(mono=True),
    }.items():
        right = (of[pairs[:, 0]] == of[pairs[:, 1]]).sum()
        whole = COPIED * math.comb(len(ENCODINGS), 2)
        print(f"{label}: recall {right / whole:.3f}, precision {right / len(pairs):.4f}, {len(pairs)} pairs")
        if label == "threshold 0.2":
            for a, b in pairs[of[pairs[:, 0]] != of[pairs[:, 1]]]:
                print(
                    "   not copied by this program:",
                    *(named(track, tracks) for track in (a, b)),
                    sep="\n      ",
                )


def named(track: int, tracks: Library) -> str:
    return str(tracks.paths[track]) if track < len(tracks.paths) else f"copy {track}"


def encoded(source: Path, folder: Path) -> list[Path]:
    """Return the same excerpt of a recording in every encoding."""
    folder.mkdir()
    excerpt = folder / "excerpt.wav"
    ffmpeg("-i", source, "-map", "0:a:0", "-t", str(COPIED_S), "-ar", "44100", "-ac", "2", excerpt)
    targets = [folder / name for name in ENCODINGS]
    options = [(*ENCODINGS[target.name], target) for target in targets]
    ffmpeg("-i", excerpt, *(argument for one in options for argument in one))
    return targets


# --- speed -------------------------------------------------------------------------------------------


def speed(table: Path) -> None:
    tracks = library(table)
    space = Space.fit(tracks.rows)
    rng = np.random.default_rng(1)
    for count in (10_000, 54_756, 1_000_000):
        rows = tracks.rows[rng.integers(len(tracks.rows), size=count)]
        rows += rng.normal(0, 0.3, rows.shape).astype(np.float32) * np.nanstd(tracks.rows, 0)
        queries = rows[:: count // 40]
        print(f"{count} tracks")
        started, before = time.thread_time(), resident_mb()
        index = space.index(rows)
        print(f"   index made in {time.thread_time() - started:.2f} s,", end=" ")
        print(f"{resident_mb() - before:.0f} MB for vectors of {rows.nbytes / 2**20:.0f} MB")
        for name, search in {**searches(index, rows), **faiss_searches(rows)}.items():
            timed(name, search, queries)
        if count >= MANY and available():
            with_lists(index, queries)


def with_lists(index: Index, queries: NDArray[np.float32]) -> None:
    exact = [index.nearest(query, 50)[0] for query in queries]
    started, before = time.thread_time(), resident_mb()
    index.use(Lists(index).near)
    print(f"   lists made in {time.thread_time() - started:.2f} s, {resident_mb() - before:.0f} MB more")
    timed("Index.nearest with lists, k = 50", lambda query: index.nearest(query, 50), queries)
    found = [
        np.isin(nearest, index.nearest(query, 50)[0]) for query, nearest in zip(queries, exact, strict=True)
    ]
    print(f"   recall of the 50 nearest {np.mean(found):.4f}")


def timed(name: str, search: Search, queries: NDArray[np.float32]) -> None:
    milliseconds = [cpu_ms(search, query) for query in queries]
    print(f"   {name}: {np.median(milliseconds):.2f} ms, first {milliseconds[0]:.2f} ms")


def searches(index: Index, rows: NDArray[np.float32]) -> dict[str, Search]:
    return {
        "Index.nearest, k = 50": lambda query: index.nearest(query, 50),
        "all sorted by Euclid, as players with bliss do": lambda query: np.argsort(
            ((rows - query) ** 2).sum(1)
        ),
    }


def faiss_searches(rows: NDArray[np.float32]) -> dict[str, Search]:
    if not available():
        return {}
    faiss: Any = importlib.import_module("faiss")
    faiss.omp_set_num_threads(1)
    euclid, city_block = (faiss.IndexFlat(len(NAMES), m) for m in (faiss.METRIC_L2, faiss.METRIC_L1))
    euclid.add(rows)
    city_block.add(rows)
    return {
        "faiss, exact, Euclid, k = 50": lambda query: euclid.search(query[np.newaxis], 50),
        "faiss, exact, L1, k = 50": lambda query: city_block.search(query[np.newaxis], 50),
    }


def cpu_ms(search: Search, query: NDArray[np.float32]) -> float:
    started = time.thread_time()
    search(query)
    return 1000 * (time.thread_time() - started)


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


# --- the built-in space ------------------------------------------------------------------------------


def builtin(table: Path) -> None:
    space = Space.fit(library(table).rows)
    space.save(BUILTIN)
    print(f"{BUILTIN}: {space.tracks} tracks, fingerprints of version {space.version}")


COMMANDS: Final = {
    "retrieval": retrieval, "duplicates": duplicates, "speed": speed, "builtin": builtin
}  # fmt: skip

if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    COMMANDS[sys.argv[1]](Path(sys.argv[2]))
