"""How far codecs and sample rates move the numbers: a minute of each recording, encoded in eight ways.

    scripts/python benchmarks/codec_shift.py RECORDING...

Prints, as a Markdown table, the shift of each dimension by each encoding: the median and the 95th percentile
over the recordings, in per cent of the dimension's inter-quartile range among them. Below it, how often the
tempo moved to another level of the beat.
"""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from support.encode import ffmpeg

import auralis_fp
from auralis_fp import NAMES

SECONDS: Final = 60
ENCODINGS: Final = {
    "FLAC 48 kHz/24 bit": ("flac", "-ar", "48000", "-sample_fmt", "s32"),
    "FLAC 96 kHz/24 bit": ("flac", "-ar", "96000", "-sample_fmt", "s32"),
    "MP3 320k": ("mp3", "-b:a", "320k"),
    "MP3 128k": ("mp3", "-b:a", "128k"),
    "AAC 128k": ("m4a", "-b:a", "128k"),
    "Vorbis q5": ("ogg", "-c:a", "libvorbis", "-q:a", "5"),
    "Opus 128k": ("opus", "-b:a", "128k"),
    "Opus 96k": ("opus", "-b:a", "96k"),
}
OCTAVE: Final = 0.3  # octaves: a tempo that moved further is another level of the beat


def encoded(recording: Path) -> NDArray[Any]:
    """Return the vectors of the excerpt and of its encodings, in this order."""
    with tempfile.TemporaryDirectory(prefix="auralis-fp-codecs-") as folder:
        original = Path(folder, "original.wav")
        start_s = max(0.0, auralis_fp.analyze(recording).metadata.duration / 2 - SECONDS / 2)
        stereo = ("-vn", "-ar", "44100", "-ac", "2", "-c:a", "pcm_s16le")
        ffmpeg("-ss", f"{start_s:.2f}", "-i", recording, "-t", str(SECONDS), *stereo, original)
        vectors = [auralis_fp.analyze(original).vector]
        for ending, *options in ENCODINGS.values():
            path = original.with_suffix(f".{ending}")
            ffmpeg("-i", original, *options, path)
            vectors.append(auralis_fp.analyze(path).vector)
    return np.array(vectors)


def main() -> None:
    recordings = [Path(argument) for argument in sys.argv[1:]]
    with ThreadPoolExecutor(2) as threads:
        numbers = np.array(list(threads.map(encoded, recordings)))
    originals, variants = numbers[:, 0], numbers[:, 1:]
    low, high = np.percentile(originals, [25, 75], axis=0)
    spread = np.where(high > low, high - low, np.nan)  # silence_ratio: most music has no silence
    shifts = 100 * np.abs(variants - originals[:, np.newaxis]) / spread
    middle, most = np.median(shifts, axis=0), np.percentile(shifts, 95, axis=0)
    print(f"{len(recordings)} recordings, median / 95th percentile of the shift in % of the range\n")
    print(f"| dimension | {' | '.join(ENCODINGS)} |\n|---|{'---|' * len(ENCODINGS)}")
    for column, name in enumerate(NAMES):
        pairs = zip(middle[:, column], most[:, column], strict=True)
        cells = ["" if np.isnan(a) else f"{a:.2f} / {b:.1f}" for a, b in pairs]
        print(f"| `{name}` | {' | '.join(cells)} |")
    tempo = NAMES.index("tempo_bpm")
    moved = np.abs(np.log2(variants[..., tempo] / originals[:, np.newaxis, tempo])) > OCTAVE
    print(f"\nRecordings whose tempo changed its level: {moved.any(axis=1).sum()} of {len(recordings)}")
    for number, encoding in np.argwhere(moved):
        before, after = originals[number, tempo], variants[number, encoding, tempo]
        print(f"  {recordings[number].name}, {list(ENCODINGS)[encoding]}: {before:.1f}, {after:.1f}")


if __name__ == "__main__":
    main()
