"""The public interface: arguments, results, promises."""

from __future__ import annotations

import doctest
import importlib
import importlib.metadata
import json
import os
import pickle
import shutil
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path

import numpy as np
import pytest
from support import synth
from support.encode import EncodedFiles
from support.processes import PROGRAMS, run_program
from support.tolerances import PARITY, assert_identical

import auralis_fp
from auralis_fp import DIMENSIONS, NAMES, AnalysisError, Fingerprint, Metadata, _native, errors

SPECIFIED = [
    "sub_bass_pct",
    "bass_pct",
    "low_mid_pct",
    "mid_pct",
    "upper_mid_pct",
    "presence_pct",
    "air_pct",
    "lufs",
    "crest_db",
    "bass_mid_ratio",
    "tempo_bpm",
    "rhythm_stability",
    "transient_density",
    "silence_ratio",
    "spectral_centroid",
    "spectral_rolloff",
    "spectral_flatness",
    "harmonic_ratio",
    "pitch_stability",
    "chroma_energy",
    "dynamic_range_variation",
    "loudness_variation_std",
    "peak_consistency",
    "stereo_width",
    "phase_correlation",
]


@pytest.fixture(scope="module")
def fingerprint(wav: Path) -> Fingerprint:
    return auralis_fp.analyze(wav)


# --- the schema and the result -----------------------------------------------------------------------


def test_dimensions_are_those_of_the_definition() -> None:
    assert list(NAMES) == [d.name for d in DIMENSIONS] == SPECIFIED == list(PARITY)
    assert auralis_fp.FINGERPRINT_VERSION == 101
    for d in DIMENSIONS:
        stands_in = d.undefined if d.name != "lufs" else -70
        assert d.minimum <= stands_in <= d.maximum or d.undefined == 0


def test_fingerprint_is_a_mapping_of_25_floats(fingerprint: Fingerprint) -> None:
    assert list(fingerprint) == SPECIFIED
    assert len(fingerprint) == 25
    assert fingerprint.vector.shape == (25,)
    assert fingerprint.vector.dtype == np.float64
    for name, value in zip(NAMES, fingerprint.vector, strict=True):
        assert type(fingerprint[name]) is float
        assert fingerprint[name] == getattr(fingerprint, name) == value
    assert dict(fingerprint) == dict(zip(NAMES, fingerprint.vector.tolist(), strict=True))
    assert "lufs" in fingerprint
    assert "loudness" not in fingerprint
    with pytest.raises(KeyError):
        fingerprint["loudness"]
    with pytest.raises(AttributeError) as caught:
        fingerprint.tempo  # noqa: B018
    assert (caught.value.name, caught.value.obj) == ("tempo", fingerprint)  # Python suggests tempo_bpm
    assert fingerprint._ipython_key_completions_() == SPECIFIED


def test_fingerprint_cannot_be_changed(fingerprint: Fingerprint) -> None:
    with pytest.raises(ValueError, match="read-only"):
        fingerprint.vector[0] = 1
    with pytest.raises(AttributeError):
        fingerprint.lufs = 1.0  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        fingerprint["lufs"] = 1.0  # type: ignore[operator]
    with pytest.raises(FrozenInstanceError):
        fingerprint.metadata.codec = "x"  # type: ignore[misc]


def test_undefined_dimensions_hold_their_stand_in() -> None:
    fp = auralis_fp.analyze_samples(np.zeros(44100, np.float32), 44100)
    assert "lufs" in fp.undefined
    assert fp.lufs == -70
    assert fp.phase_correlation == 1
    assert "lufs=undefined" in repr(fp)
    assert "silent" in repr(fp)
    assert "<td>undefined</td>" in fp._repr_html_()
    assert np.isfinite(fp.vector).all()


def test_fingerprint_survives_pickle_and_json(fingerprint: Fingerprint) -> None:
    short = auralis_fp.analyze_samples(synth.noise(1), 44100)
    for fp in (fingerprint, short):
        copy = pickle.loads(pickle.dumps(fp))
        assert copy == fp
        assert hash(copy) == hash(fp)
        assert_identical(copy, fp)
        read = json.loads(fp.to_json())
        assert read == fp.to_dict()
        assert {name: read[name] for name in NAMES} == dict(fp)
        assert set(read["undefined"]) == fp.undefined
        assert read["metadata"]["samples_decoded"] == fp.metadata.samples_decoded


def test_metadata(fingerprint: Fingerprint, encoded: EncodedFiles) -> None:
    n = len(encoded.samples)
    peak, offset = np.abs(encoded.samples).max() / 32768, np.abs(encoded.samples.mean(axis=0)).max() / 32768
    signal = {"peak": peak, "dc_offset": pytest.approx(offset)}
    expected = Metadata(n / 44100, 44100, 2, "pcm_s16le", "wav", n, 0, n / 44100, **signal)
    assert fingerprint.metadata == expected
    samples = auralis_fp.analyze_samples(encoded.samples, 44100).metadata
    assert samples == Metadata(n / 44100, 44100, 2, "samples", "samples", n, 0, **signal)


def test_errors_survive_pickle() -> None:
    for name in errors.__all__:
        kind = getattr(errors, name)
        assert getattr(auralis_fp, name) is kind
        error = kind("the cause", stage="decode", path="a.mp3")
        copy = pickle.loads(pickle.dumps(error))
        assert isinstance(copy, AnalysisError)
        assert type(copy) is kind
        assert (copy.cause, copy.stage, copy.path, copy.kind) == ("the cause", "decode", "a.mp3", name)
        assert str(copy) == "a.mp3: decode: the cause"


def test_build_info() -> None:
    info = auralis_fp.build_info()
    assert info["engine"] == "core"
    assert info["version"] == auralis_fp.__version__
    assert info["fingerprint_version"] == 101
    assert info["cpu_level"] in info["cpu_levels"]
    demuxers = set(str(info["demuxers"]).replace(",", " ").replace("'", " ").replace("[", " ").split())
    assert not demuxers & {"hls", "concat", "sdp", "rtsp", "dash", "image2", "lavfi", "imf"}


def test_import_needs_numpy_only() -> None:
    absent = ["librosa", "scipy", "soxr", "pyloudnorm", "soundfile", "sqlalchemy", "rich", "click", "mutagen"]
    assert run_program("imports/without", *absent).stdout.split() == [auralis_fp.__version__]


def test_import_does_not_switch_the_gil_on() -> None:
    """An extension module that does not declare itself free of it would, for the whole process."""
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    assert run_program("imports/gil").stdout.split() == [str(not free_threaded)]


def test_version_is_the_installed_one() -> None:
    assert auralis_fp.__version__ == importlib.metadata.version("auralis-fp")


def test_a_copy_without_an_installation_works(tmp_path: Path) -> None:
    """As in a frozen program, which has the modules but no record of their version."""
    assert _native.core is not None
    assert _native.core.__file__ is not None
    shutil.copytree(Path(auralis_fp.__file__).parent, tmp_path / "auralis_fp", dirs_exist_ok=True)
    for extension in Path(_native.core.__file__).parent.glob("_c*.so"):
        shutil.copy(extension, tmp_path / "auralis_fp" / "_native")
    for part in Path(np.__file__).parents[1].glob("numpy*"):
        if not part.name.endswith(".dist-info"):
            (tmp_path / part.name).symlink_to(part)
    command = [sys.executable, "-IS", str(PROGRAMS / "imports" / "only_from.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.split() == [f"{tmp_path}/auralis_fp/__init__.py", auralis_fp.__version__], done.stderr


def test_large_parts_are_imported_when_asked_for() -> None:
    run_program("imports/rooms")


def test_analyze_many_is_found_where_it_was() -> None:
    assert importlib.import_module("auralis_fp.analysis").analyze_many is auralis_fp.analyze_many


@pytest.mark.parametrize("module", ["auralis_fp.fingerprint", "auralis_fp.analysis", "auralis_fp.schema"])
def test_examples_in_docstrings_run(module: str) -> None:
    __import__(module)
    assert doctest.testmod(sys.modules[module]).failed == 0


# --- ways to name a file -----------------------------------------------------------------------------


@dataclass
class Named:
    """A path-like object of either kind."""

    name: str | bytes

    def __fspath__(self) -> str | bytes:
        return self.name


NAMES_OF_FILES = [
    b"plain.wav",
    "caf\N{LATIN SMALL LETTER E WITH ACUTE}.wav".encode(),
    b"caf\xe9.wav",  # Latin-1, not UTF-8
    b"\xff\xfe\x80",
    "\N{MUSICAL SYMBOL G CLEF} \N{CJK UNIFIED IDEOGRAPH-6B4C}.wav".encode(),
    b" leading and trailing ",
    b"-v",
    b"quote'\"$(x)`.wav",
    b"line\nbreak\t.wav",
    b"%s%n%d.wav",
    b"a" * 251 + b".wav",
]


@pytest.mark.parametrize("name", NAMES_OF_FILES, ids=ascii)
def test_any_name_the_file_system_allows(
    name: bytes, wav: Path, fingerprint: Fingerprint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = os.path.join(os.fsencode(tmp_path), name)  # noqa: PTH118 - pathlib has no bytes
    Path(os.fsdecode(full)).write_bytes(wav.read_bytes())
    text = os.fsdecode(full)
    for path in (full, text, Path(text), Named(full), Named(text)):
        assert auralis_fp.analyze(path) == fingerprint  # type: ignore[arg-type]
    monkeypatch.chdir(tmp_path)
    assert auralis_fp.analyze(name) == fingerprint


def test_error_names_a_file_whose_name_is_not_utf8(tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9.wav")  # noqa: PTH118
    with pytest.raises(auralis_fp.FileNotFound) as caught:
        auralis_fp.analyze(path)
    assert os.fsencode(caught.value.path) == path


# --- bytes and samples -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["wav-s16", "mp3-vbr-0", "aac-m4a", "opus", "wavpack", "wma-2"])
def test_bytes_are_as_good_as_a_file(name: str, encoded: EncodedFiles) -> None:
    path = encoded.file(name)
    data = path.read_bytes()
    for view in (data, bytearray(data), memoryview(data), np.frombuffer(data, np.uint8).data):
        assert auralis_fp.analyze_bytes(view) == auralis_fp.analyze(path)


@pytest.mark.parametrize("data", ["text", None, 3, [1, 2]])
def test_things_that_are_no_bytes(data: object) -> None:
    with pytest.raises(TypeError):
        auralis_fp.analyze_bytes(data)  # type: ignore[arg-type]


def test_int16_is_float32_over_32768() -> None:
    integers = synth.to_int16(synth.song("rock", 5))
    floats = integers.astype(np.float32) / np.float32(32768)
    assert auralis_fp.analyze_samples(integers, 44100) == auralis_fp.analyze_samples(floats, 44100)


def test_memory_layout_of_samples_does_not_matter() -> None:
    samples = synth.song("rock", 5)
    expected = auralis_fp.analyze_samples(samples, 44100)
    wide = np.zeros((len(samples), 6), np.float32)
    wide[:, 1:5:3] = samples
    frozen = samples.copy()
    frozen.setflags(write=False)
    for view in (np.asfortranarray(samples), wide[:, 1:5:3], samples[::-1].copy()[::-1], frozen):
        assert auralis_fp.analyze_samples(view, 44100) == expected
    mono = samples[:, 0]  # every second value of the array
    assert auralis_fp.analyze_samples(mono, 44100) == auralis_fp.analyze_samples(mono.copy()[:, None], 44100)


def test_rate_may_be_a_numpy_integer() -> None:
    samples = synth.noise(1)
    expected = auralis_fp.analyze_samples(samples, 44100)
    assert auralis_fp.analyze_samples(samples, np.int64(44100)) == expected


def test_samples_are_left_alone() -> None:
    samples = synth.song("rock", 3)
    before = samples.copy()
    auralis_fp.analyze_samples(samples, 44100)
    assert np.array_equal(samples, before)


# --- many files --------------------------------------------------------------------------------------


def test_analyze_many(encoded: EncodedFiles, tmp_path: Path) -> None:
    good = [encoded.file(name) for name in ("wav-s16", "flac-16", "mp3-cbr-128", "vorbis")]
    bad = [tmp_path / "missing.wav", tmp_path]
    results = dict(auralis_fp.analyze_many([*good, *bad], workers=3))
    assert set(results) == {*good, *bad}
    for path in good:
        assert results[path] == auralis_fp.analyze(path)
    assert isinstance(results[bad[0]], auralis_fp.FileNotFound)
    assert isinstance(results[bad[1]], auralis_fp.Unreadable)


def test_analyze_many_yields_what_is_finished_first(long_wav: Path, wav: Path) -> None:
    token = auralis_fp.CancelToken()
    results = auralis_fp.analyze_many([long_wav, wav, wav], workers=2, cancel=token)
    assert next(results)[0] == wav
    assert next(results)[0] == wav
    token.cancel()
    path, result = next(results)
    assert path == long_wav
    assert isinstance(result, auralis_fp.Cancelled)


def test_analyze_many_takes_paths_as_it_needs_them(wav: Path) -> None:
    taken = 0

    def endless() -> Iterator[Path]:
        nonlocal taken
        while True:
            taken += 1
            yield wav

    results = auralis_fp.analyze_many(endless(), workers=2)
    for finished in range(1, 7):
        next(results)
        assert taken - finished <= 4  # two per worker
    results.close()  # type: ignore[attr-defined]


def test_analyze_many_stops_its_threads_when_left(long_wav: Path) -> None:
    before = threading.active_count()
    results = auralis_fp.analyze_many([long_wav / "missing", *[long_wav] * 8], workers=2)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_analyze_many_of_nothing() -> None:
    assert list(auralis_fp.analyze_many([])) == []


@pytest.mark.parametrize("workers", [0, -1])
def test_analyze_many_needs_a_worker(workers: int, wav: Path) -> None:
    with pytest.raises(ValueError, match="workers"):
        list(auralis_fp.analyze_many([wav], workers=workers))
