"""The input of the benchmarks, four minutes of music in several formats, and the program that times steps."""

from __future__ import annotations

import subprocess
from functools import cached_property
from pathlib import Path
from typing import Final

import pyloudnorm
from support import cpp_programs, encode, synth

import auralis_fp

RATE: Final = 44100
SECONDS: Final = 240
BPM: Final = 124.0
LONG: Final = 10  # times four minutes: the long file

FORMATS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {  # extension, arguments for ffmpeg
    "WAV": ("wav", ()),
    "FLAC": ("flac", ()),
    "MP3 320k": ("mp3", ("-b:a", "320k")),
    "MP3 V2": ("mp3", ("-q:a", "2")),
    "M4A": ("m4a", ("-c:a", "aac", "-b:a", "192k")),
    "Ogg Vorbis": ("ogg", ("-c:a", "libvorbis", "-q:a", "5")),
    "Opus": ("opus", ("-c:a", "libopus", "-b:a", "96k")),
}

# Kept equal to those of benchmarks/steps.cpp by bench_steps.py.
STEPS: Final = (
    "decode",
    "signal check",
    "loudness",
    "dynamics",
    "stereo image",
    "band spectrum",
    "resampler",
    "frame levels",
    "stft",
    "spectral shape",
    "onset envelope",
    "harmonic/percussive",
    "chroma",
    "pitch",
    "rhythm",
    "whole analysis",
)


class Recordings:
    """Four minutes of 44.1 kHz stereo in any of :data:`FORMATS`, each file made when first asked for.

    Parameters
    ----------
    folder : Path
        Keeps the files; existing ones are used again.
    music : Path, optional
        Repeated or cut to four minutes; without it, a song of :data:`BPM` is synthesised.
    """

    def __init__(self, folder: Path, music: Path | None = None) -> None:
        self.folder = folder / (music.stem if music else "song")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.music = music

    def file(self, name: str) -> Path:
        extension, arguments = FORMATS[name]
        path = self.folder / f"{name.lower().replace(' ', '-')}.{extension}"
        if not path.exists() and name != "WAV":
            _make(path, "-i", self.file("WAV"), *arguments)
        elif not path.exists() and self.music is not None:
            form = ("-map", "0:a:0", "-t", str(SECONDS), "-ar", str(RATE), "-ac", "2", "-c:a", "pcm_s16le")
            _make(path, "-stream_loop", "-1", "-i", self.music, *form)
        elif not path.exists():
            samples = synth.to_int16(synth.song("rock", SECONDS, RATE, bpm=BPM))
            encode.encode(path, samples, RATE)
        return path

    def long_file(self) -> Path:
        """Ten times the same music as FLAC."""
        path = self.folder / "long.flac"
        if not path.exists():
            _make(path, "-stream_loop", str(LONG - 1), "-i", self.file("WAV"))
        return path

    def short_file(self) -> Path:
        """Its first six seconds, with which processes warm up."""
        path = self.folder / "short.wav"
        if not path.exists():
            _make(path, "-i", self.file("WAV"), "-t", "6")
        return path

    @cached_property
    def lufs(self) -> float:
        """Return the loudness by pyloudnorm, which shares no code with what is measured here."""
        samples, rate = encode.decode(self.file("WAV"))
        return float(pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(samples))

    def check(self, fingerprint: auralis_fp.Fingerprint, *, minutes: int = 4) -> None:
        """Fail if the numbers are not those of this music: speed means nothing if they are wrong."""
        duration_s = fingerprint.metadata.duration
        assert abs(duration_s - 60 * minutes) < 1, f"{duration_s} s instead of {minutes} minutes"
        assert fingerprint.metadata.damaged_packets == 0
        assert abs(fingerprint.lufs - self.lufs) < 0.3, f"{fingerprint.lufs} LUFS instead of {self.lufs}"
        if self.music is None:
            assert abs(fingerprint.tempo_bpm - BPM) < 0.5, f"{fingerprint.tempo_bpm} instead of {BPM} BPM"
            assert not fingerprint.undefined


class Steps:
    """``auralis_steps``, built from benchmarks/steps.cpp by the preset ``release``."""

    def __init__(self, *, bundled: bool | None = None) -> None:
        self.program = cpp_programs.build("auralis_steps", bundled=bundled)

    def cpu_ms(self, path: Path, repeats: int, step: str | None = None) -> dict[str, float]:
        """Median CPU milliseconds of every step, or of one; the steps take turns."""
        command = [str(self.program), str(path), str(repeats), *([step] if step else [])]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}"
        # A line: the name in 20 columns, "   123.4 ms (min ...".
        lines = done.stdout.splitlines()
        return {line[:20].strip(): float(line[20:].split()[0]) for line in lines}


def _make(path: Path, *arguments: str | Path) -> None:
    """Run ffmpeg; an interrupted run leaves no file that looks complete."""
    part = path.with_stem(path.stem + ".part")
    encode.ffmpeg(*arguments, part)
    part.replace(path)
