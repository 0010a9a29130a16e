"""What scripts/evaluate-tempo reads: recordings and their tempi, in files named as in the known sets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import tempo
from support import synth
from support.encode import write_wav

BEATS = "".join(f"{0.5 + beat * 0.6:.3f} {1 + beat % 3}\n" for beat in range(9))  # 100 BPM, in 3/4
BEATS_JAMS = {"namespace": "beat", "data": [{"time": 0.5}, {"time": 1.0}, {"time": 1.5}]}
TEMPO_JAMS = {
    "namespace": "tempo",
    "data": [{"value": 60, "confidence": 0.3}, {"value": 121.5, "confidence": 0.7}],
}


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def jams(*annotations: Mapping[str, object]) -> str:
    return json.dumps({"annotations": annotations})


@pytest.mark.parametrize(
    ("recording", "notes", "text", "bpm"),
    [
        ("genres/blues/blues.00000.au", "tempo/gtzan_blues_00000.bpm", "123.0\n", 123.0),
        ("genres/blues/blues.00000.wav", "jams/blues.00000.wav.jams", jams(BEATS_JAMS, TEMPO_JAMS), 121.5),
        ("genres/blues/blues.00000.wav", "jams/blues.00000.wav.jams", jams(BEATS_JAMS), 120.0),
        ("Waltz/Media-103402.wav", "Media-103402.beats", BEATS, 100.0),
        ("audio/1030011.LOFI.mp3", "tempo/1030011.LOFI.bpm", "150\n", 150.0),
        ("audio/Track 1.flac", "Track 1.txt", "# beats\n1.0\n1.5\n\n2.0\n", 120.0),
    ],
    ids=["GTZAN", "GTZAN-Rhythm", "beats in JAMS", "Ballroom", "GiantSteps", "text"],
)
def test_notes_find_their_recording(
    tmp_path: Path, recording: str, notes: str, text: str, bpm: float
) -> None:
    audio = write(tmp_path / "audio" / recording)
    write(tmp_path / "notes" / notes, text)
    (piece,) = tempo.annotated(tmp_path / "audio", tmp_path / "notes")
    assert piece.audio == audio
    assert piece.bpm == pytest.approx(bpm)


def test_what_is_not_annotated_is_left_out(tmp_path: Path) -> None:
    for name in ("without-notes", "without-tempo", "empty", "twice"):
        write(tmp_path / f"{name}.wav")
    write(tmp_path / "without-tempo.bpm", "0\n")  # GiantSteps: listeners heard no tempo
    write(tmp_path / "empty.beats")
    write(tmp_path / "twice.bpm", "90")
    write(tmp_path / "v2" / "twice.bpm", "91")
    write(tmp_path / "without-recording.bpm", "80")
    (piece,) = tempo.annotated(tmp_path, tmp_path)
    assert (piece.audio.stem, piece.bpm) == ("twice", 90)


def test_the_table_counts_octaves_apart(tmp_path: Path) -> None:
    samples = synth.to_int16(synth.clicks(100, 10, 22050))
    for name, bpm in {"exact": 100, "double": 50, "wrong": 150}.items():
        write_wav(tmp_path / f"{name}.wav", samples, 22050, seconds=10)
        write(tmp_path / f"{name}.bpm", str(bpm))
    pieces = list(tempo.annotated(tmp_path, tmp_path))
    lines = tempo.table(pieces, {"ours": [tempo.ours(piece.audio) for piece in pieces]}).splitlines()
    assert "| all | 3 | 0.333 | 0.667 |" in lines[2]
    assert [line.split(" | ")[0] for line in lines[3:]] == ["| 0 to 70", "| 90 to 110", "| from 150"]
