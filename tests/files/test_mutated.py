"""A few mutated files (tests/tools/mutate.py takes any number), and tests of the supervision itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.encode import FORMATS, EncodedFiles
from support.mutations import MUTATIONS, Sources, reseal
from support.processes import program
from support.watched import Answer, Limits, watch
from tools import mutate

FILES = 600
SEED = 2026


def test_mutated_files_are_measured_or_refused(tmp_path: Path) -> None:
    report = mutate.run(range(FILES), SEED, workers=2, keep=tmp_path / "kept")
    assert report.wrong == [], report.table()
    tallies = report.groups["mutation"].values()
    assert sum(tally.outcomes.total() for tally in tallies) == FILES
    # Each measures some and refuses some; in which words depends on the release of FFmpeg.
    assert all(0 < tally.outcomes["analysed"] < tally.outcomes.total() for tally in tallies)


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("format_name", ["wav-s16", "aac-m4a", "vorbis", "flac-16", "w64"])
def test_mutations_are_deterministic_and_change_something(
    mutation: str, format_name: str, encoded: EncodedFiles
) -> None:
    data = encoded.file(format_name).read_bytes()
    sources = Sources(data, encoded.file("wav-u8").read_bytes(), encoded.file("opus").read_bytes())
    once, again, other = (MUTATIONS[mutation](np.random.default_rng(seed), sources) for seed in (1, 1, 2))
    assert once == again
    assert len({data, once, other}) > 1


@pytest.mark.parametrize("name", ["vorbis", "opus", "flac-ogg"])
def test_checksums_of_ogg_pages(name: str, encoded: EncodedFiles) -> None:
    data = encoded.file(name).read_bytes()
    assert reseal(data) == data
    at = data.index(b"OggS", 100) + 22
    assert reseal(data[:at] + b"\0\0\0\0" + data[at + 4 :]) == data


def test_a_tag_that_claims_gigabytes(tmp_path: Path, encoded: EncodedFiles) -> None:
    """Found among the mutated files: FFmpeg took 1.8 GB to read a tag that the file does not hold."""
    whole = encoded.file("wav-u8").read_bytes()
    at = whole.index(b"LIST") + 4
    path = tmp_path / "x.wav"
    path.write_bytes(whole[:at] + b"\xff\xff\xff\xffINFOISFT\xfe\xff\xff\xff" + whole[at + 16 :])
    answer = mutate.examine(path)
    assert (answer["kind"], answer["wrong"]) == ("Unsupported", [])
    assert answer["megabytes"] < 100


# --- the supervision itself --------------------------------------------------------------------------------


def test_the_watch_tells_what_a_job_did() -> None:
    jobs = ["well", "crash", "well", "spin", "sleep", "grow", "exit", "print", "well"]
    limits = Limits(cpu_s=0.5, asleep_s=2.0, memory_bytes=1 << 27)
    answers = list(watch([program("misbehaving_worker")], jobs, limits))
    assert [job for job, _ in answers] == jobs
    fine = Answer("answered", "fine")
    assert [answer.verdict for _, answer in answers] == [
        *("answered", "crash", "answered", "hang", "hang", "memory", "crash", "answered", "answered")
    ]
    assert answers[1][1].text == "SIGSEGV"
    assert answers[6][1].text == "exit status 7"
    assert answers[7][1].printed == "words\n"
    assert answers[2][1] == answers[8][1] == fine


def test_every_format_and_mutation_has_its_turn() -> None:
    jobs = [mutate.Job(number, 1) for number in range(len(FORMATS) * len(MUTATIONS))]
    assert {(job.format, job.mutation) for job in jobs} == {(f, m) for f in FORMATS for m in MUTATIONS}
