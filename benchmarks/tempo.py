"""How often the tempo is right: on grooves and composed pieces that it renders, or on annotated recordings.

    scripts/evaluate-tempo grooves [COUNT]          accompaniments in 3/4 and 4/4, each in a style of its own
    scripts/evaluate-tempo composed PATH...         MIDI files, and Doom's WADs of them, in these folders
    scripts/evaluate-tempo annotated AUDIO NOTES    GTZAN, Ballroom, GiantSteps: see annotated()

Prints a Markdown table: the share of pieces whose tempo is exact (within 4 %), the share where it or its half
or double is, and the median error of the latter; of auralis_fp and of ``librosa.feature.tempo``, over all and
by true tempo.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import auralis_fp

EXACT: Final = 0.04
RANGES_BPM: Final = (0, 70, 90, 110, 130, 150, 1000)
AUDIO: Final = {".aac", ".au", ".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wav"}

STYLES: Final = Path("/usr/share/mma/lib")  # of MMA, the Musical MIDI Accompaniment
CHORDS: Final = ("C Am F G", "Dm7 G7 CM7 A7", "Em C G D", "Am F C G", "F Bb C F", "Cm Ab Eb Bb", "Gm Dm Eb F")
GROOVE_SKIP_S, GROOVE_S = 3, 30
COMPOSED_S: Final = 45
ON_GRID: Final = 0.8  # share of the notes on quarters and thirds of the beat; of notes anywhere, 0.6 are


@dataclass(frozen=True)
class Piece:
    """A recording and its true tempo."""

    audio: Path
    bpm: float


# --- pieces to render -----------------------------------------------------------------------------------


def render(midi: Path, audio: Path, soundfont: Path, start_s: float, length_s: float) -> bool:
    """Write an excerpt of a MIDI file as FLAC; return whether the music is long enough."""
    if not audio.exists():
        part = audio.with_suffix(".part.flac")
        synth = ["fluidsynth", "-ni", "-T", "raw", "-O", "s16", "-r", "44100", "-g", "0.6", "-F", "-"]
        cut = ["ffmpeg", "-v", "error", "-y", "-f", "s16le", "-ar", "44100", "-ac", "2", "-i", "-"]
        cut += ["-ss", f"{start_s:.3f}", "-t", f"{length_s}", str(part)]
        with subprocess.Popen(
            [*synth, str(soundfont), str(midi)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as rendering:
            done = subprocess.run(cut, stdin=rendering.stdout, check=False, stderr=subprocess.DEVNULL)
            assert rendering.stdout is not None
            rendering.stdout.close()  # an excerpt ends the rendering
        if done.returncode or not part.exists():
            return False
        part.rename(audio)
    return auralis_fp.analyze(audio).metadata.duration > length_s - 1


def grooves(count: int, work: Path, soundfont: Path) -> Iterator[Piece]:
    """Thirty seconds in each of so many styles, at tempi drawn from 68 to 163 BPM."""
    draw = random.Random(20261129)
    styles = []
    for path in sorted(STYLES.glob("stdlib/*.mma")) + sorted(STYLES.glob("casio/*.mma")):
        text = path.read_text(errors="ignore")
        beats = re.search(r"^\s*Time\s+([34])\s*$", text, re.M | re.I)
        names = re.findall(r"^\s*DefGroove\s+(\S+)", text, re.M | re.I)
        names = [name for name in names if not re.search("intro|end|fill", name, re.I)]
        if beats and names:
            styles.append((names, int(beats[1])))
    draw.shuffle(styles)
    jobs = []
    for number, (names, beats_a_bar) in enumerate(styles):
        bpm, groove, chords = (
            int(2 ** draw.uniform(6.1, 7.35)),
            draw.choice(names),
            draw.choice(CHORDS).split(),
        )
        bars = int((GROOVE_S + GROOVE_SKIP_S + 12) * bpm / 60 / beats_a_bar) + 2
        score = "".join(f"{bar + 1} {chords[bar % 4]}\n" for bar in range(bars))
        jobs.append((work / f"groove-{number}", bpm, f"Tempo {bpm}\nGroove {groove}\n{score}"))

    def make(job: tuple[Path, int, str]) -> Piece | None:
        name, bpm, score = job
        midi, audio = name.with_suffix(".mid"), name.with_suffix(".flac")
        if not midi.exists():
            name.with_suffix(".mma").write_text(score)
            subprocess.run(
                ["mma", "-f", midi, name.with_suffix(".mma")], check=False, capture_output=True, timeout=120
            )
        found = midi.exists() and render(midi, audio, soundfont, GROOVE_SKIP_S, GROOVE_S)
        return Piece(audio, bpm) if found else None

    made = 0
    with ThreadPoolExecutor(2) as threads:
        for start in range(0, len(jobs), 10):
            for piece in threads.map(make, jobs[start : start + 10]):
                if piece is not None and made < count:
                    made += 1
                    yield piece
            if made >= count:
                return


def composed(paths: Iterable[Path], work: Path, soundfont: Path) -> Iterator[Piece]:
    """45 seconds of each MIDI file that keeps its tempo so long and whose notes stand on its beats."""
    files = [file for path in paths for file in sorted([path, *path.rglob("*")]) if file.is_file()]
    songs: list[tuple[str, bytes]] = []
    for file in files:
        if file.suffix.lower() in (".mid", ".midi"):
            songs.append((f"{len(songs)}-{file.stem}", file.read_bytes()))
        elif file.suffix.lower() == ".wad":
            songs += [(f"{len(songs)}-{file.stem}-{n}", lump) for n, lump in enumerate(midi_lumps(file))]
    seen: set[bytes] = set()
    jobs = [(name, data) for name, data in songs if not (data in seen or seen.add(data))]  # type: ignore[func-returns-value]

    def make(job: tuple[str, bytes]) -> Piece | None:
        name, data = job
        midi = work / f"composed-{name}.mid"
        midi.write_bytes(data)
        found = steady_excerpt(midi)
        if found is None:
            return None
        start_s, bpm = found
        audio = midi.with_suffix(".flac")
        return Piece(audio, bpm) if render(midi, audio, soundfont, start_s, COMPOSED_S) else None

    with ThreadPoolExecutor(2) as threads:
        yield from (piece for piece in threads.map(make, jobs) if piece is not None)


def midi_lumps(wad: Path) -> list[bytes]:
    data = wad.read_bytes()
    _, count, directory = struct.unpack_from("<4sII", data)
    places = struct.iter_unpack("<II8s", data[directory : directory + 16 * count])
    lumps = (data[start : start + size] for start, size, _ in places)
    return [lump for lump in lumps if lump.startswith(b"MThd")]


def steady_excerpt(midi: Path) -> tuple[float, float] | None:
    """Return start (s) and tempo (BPM) of the first 45 s at one tempo, all with notes on the beat grid."""
    import mido

    try:
        song = mido.MidiFile(midi, clip=True)
    except (EOFError, ValueError, OSError, IndexError, mido.KeySignatureError):
        return None
    tick, now_s, tempo = 0, 0.0, 500_000
    tempi, notes = [(0.0, 0, tempo)], []
    for message in mido.merge_tracks(song.tracks):
        tick += message.time
        now_s += mido.tick2second(message.time, song.ticks_per_beat, tempo)
        if message.type == "set_tempo" and message.tempo != tempo:
            tempo = message.tempo
            tempi.append((now_s, tick, tempo))
        elif message.type == "note_on" and message.velocity:
            notes.append((now_s, tick))
    if not notes:
        return None
    for (start_s, origin, tempo), (end_s, _, _) in pairwise([*tempi, (notes[-1][0], tick, 0)]):
        begin_s = max(start_s, notes[0][0])
        if end_s - begin_s < COMPOSED_S:
            continue
        beats = [
            (at - origin) / song.ticks_per_beat % 1
            for at_s, at in notes
            if begin_s <= at_s < begin_s + COMPOSED_S
        ]
        on_grid = [min(abs(beat * n - round(beat * n)) / n for n in (3, 4)) < 0.05 for beat in beats]
        if len(beats) >= COMPOSED_S and statistics.fmean(on_grid) >= ON_GRID:
            return begin_s, 60e6 / tempo
        return None
    return None


# --- annotated recordings -------------------------------------------------------------------------------


def annotated(audio: Path, notes: Path) -> Iterator[Piece]:
    """Pair recordings with the files of the same name that hold their tempo, in any folder below.

    Read are a number alone (``.bpm``, ``.tempo``: GiantSteps, GTZAN, Ballroom), beat times
    in seconds, one in a line with or without its place in the bar (``.beats``, ``.txt``: Ballroom, GTZAN; the
    tempo is that of the median interval), and JAMS files with a tempo or beats (``.jams``: GTZAN-Rhythm).
    """
    recordings = {
        key(path): path
        for path in sorted(audio.rglob("*"))
        if path.suffix.lower() in AUDIO and path.is_file()
    }
    done = set()
    for path in sorted(notes.rglob("*")):
        found = recordings.get(key(path))
        if found is None or found in done or path.suffix.lower() not in READERS:
            continue
        bpm = READERS[path.suffix.lower()](path.read_text())
        if bpm:
            done.add(found)
            yield Piece(found, bpm)


def key(path: Path) -> str:
    """The name without its ending; ``gtzan_blues_00000`` and ``blues.00000`` are the same."""
    name = path.name.rsplit(".", 1)[0].lower().removesuffix(".lofi").removesuffix(".wav")
    return re.sub(r"[^a-z0-9]+", ".", name.removeprefix("gtzan_"))


def number_or_beats(text: str) -> float:
    """Tempo of a file with one number (BPM), or with beat times."""
    firsts = [float(line.split()[0]) for line in text.splitlines() if line.strip() and line[0] != "#"]
    return firsts[0] if len(firsts) == 1 else of_beats(firsts)


def of_beats(times_s: list[float]) -> float:
    return 60 / statistics.median(b - a for a, b in pairwise(times_s)) if len(times_s) > 2 else 0.0


def jams(text: str) -> float:
    kinds: dict[str, list[Any]] = {}
    for annotation in json.loads(text)["annotations"]:
        kinds.setdefault(annotation["namespace"], annotation["data"])
    if "tempo" in kinds:
        return float(max(kinds["tempo"], key=lambda entry: entry.get("confidence") or 0)["value"])
    return of_beats([entry["time"] for entry in kinds.get("beat", [])])


READERS: Final[dict[str, Callable[[str], float]]] = {
    ".bpm": number_or_beats,
    ".tempo": number_or_beats,
    ".beats": number_or_beats,
    ".txt": number_or_beats,
    ".jams": jams,
}


# --- the tables -----------------------------------------------------------------------------------------


def ours(path: Path) -> float:
    return auralis_fp.analyze(path).tempo_bpm


def librosas(path: Path) -> float:
    import librosa

    y, rate = librosa.load(path, sr=22050)
    return float(librosa.feature.tempo(y=y, sr=rate)[0])


ESTIMATORS: Final = {"auralis_fp": ours, "librosa": librosas}


def figures(true: list[float], estimated: list[float]) -> tuple[float, float, float]:
    """Return the shares of tempi that are exact, and exact but for an octave, and the latter's error in %."""

    def error(estimate: float, bpm: float) -> float:
        return min(abs(estimate / (bpm * octave) - 1) for octave in (0.5, 1, 2))

    pairs = list(zip(estimated, true, strict=True))
    exact = statistics.fmean(abs(estimate / bpm - 1) <= EXACT for estimate, bpm in pairs)
    errors = [error(*pair) for pair in pairs]
    right = [value for value in errors if value <= EXACT]
    return exact, len(right) / len(errors), 100 * statistics.median(right) if right else float("nan")


def table(pieces: list[Piece], estimates: dict[str, list[float]]) -> str:
    columns = [f"{name}: {what}" for name in estimates for what in ("exact", "octave", "error")]
    lines = [f"| true tempo | pieces | {' | '.join(columns)} |", "|---|---|" + "---|" * len(columns)]
    for low, high in [(0, 1000), *pairwise(RANGES_BPM)]:
        chosen = [n for n, piece in enumerate(pieces) if low <= piece.bpm < high]
        if not chosen:
            continue
        name = "all" if high - low == 1000 else f"{low} to {high}" if high < 1000 else f"from {low}"
        cells = []
        for estimated in estimates.values():
            exact, octave, error = figures([pieces[n].bpm for n in chosen], [estimated[n] for n in chosen])
            cells += [f"{exact:.3f}", f"{octave:.3f}", f"{error:.2f} %"]
        lines.append(f"| {name} | {len(chosen)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--work", type=Path, metavar="FOLDER", help="keeps what was rendered for the next run"
    )
    parser.add_argument(
        "--soundfont", type=Path, default=Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"), metavar="FILE"
    )
    parser.add_argument("--pieces", action="store_true", help="also prints every piece")
    kinds = parser.add_subparsers(dest="kind", required=True)
    kinds.add_parser("grooves").add_argument("count", type=int, nargs="?", default=100, metavar="COUNT")
    kinds.add_parser("composed").add_argument("paths", type=Path, nargs="+", metavar="PATH")
    recordings = kinds.add_parser("annotated")
    recordings.add_argument("audio", type=Path, metavar="AUDIO")
    recordings.add_argument("notes", type=Path, metavar="NOTES")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="auralis-fp-tempo-") as temporary:
        work = options.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        if options.kind == "grooves":
            pieces = list(grooves(options.count, work, options.soundfont))
        elif options.kind == "composed":
            pieces = list(composed(options.paths, work, options.soundfont))
        else:
            pieces = list(annotated(options.audio, options.notes))
        estimates = {
            name: [estimate(piece.audio) for piece in pieces] for name, estimate in ESTIMATORS.items()
        }
    if options.pieces:
        for piece, *values in zip(pieces, *estimates.values(), strict=True):
            print(f"{piece.audio.name}: {piece.bpm:.1f}, " + ", ".join(f"{value:.1f}" for value in values))
    print(table(pieces, estimates))


if __name__ == "__main__":
    main()
