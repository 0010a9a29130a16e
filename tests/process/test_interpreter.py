"""Exit of the interpreter, forks, sub-interpreters: nothing hangs or crashes."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.encode import EncodedFiles
from support.processes import run_program

import auralis_fp

# --- exit ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("attempt", range(6))
def test_daemon_threads_that_come_back_while_the_interpreter_ends(attempt: int, wav: Path) -> None:
    """The exit takes so long that every thread asks for the GIL, and never gets it."""
    assert run_program("interpreter/daemon_threads", wav, attempt).stdout.split() == ["end"]


def test_a_daemon_thread_that_does_not_come_back(long_wav: Path) -> None:
    assert run_program("interpreter/daemon_thread_inside", long_wav).stdout.split() == ["end"]


def test_a_daemon_thread_that_is_importing() -> None:
    """The interpreter exits at sixty moments of the import, most of which once ended with an abort."""
    for moment in range(60):
        assert run_program("interpreter/import_in_a_daemon_thread", moment / 200).stdout.split() == ["end"]


def test_threads_that_are_no_daemons_finish_first(wav: Path) -> None:
    answer = run_program("interpreter/plain_thread", wav).stdout.strip()
    assert answer == auralis_fp.analyze(wav).vector.tobytes().hex()


def test_analyses_at_exit(wav: Path) -> None:
    """Among threads, from an exit handler, and from a finaliser that runs when modules are gone already."""
    answer = run_program("interpreter/analyses_at_exit", wav).stdout.strip()
    assert answer == auralis_fp.analyze(wav).vector.tobytes().hex()


def test_an_unfinished_analyze_many_at_exit(wav: Path) -> None:
    assert run_program("interpreter/unfinished_analyze_many", wav).stdout.split() == ["pcm_s16le"]


# --- forks -------------------------------------------------------------------------------------------


@pytest.mark.unsanitized("its allocator may hang in a child forked while threads allocate")
def test_children_forked_in_the_midst_of_analyses(encoded: EncodedFiles, tmp_path: Path) -> None:
    """Before, between and during analyses of other threads: a child analyses as its parent does."""
    short = EncodedFiles(tmp_path, encoded.samples[:44100], 44100)
    names = ("wav-s16", "mp3-vbr-4", "vorbis", "opus", "aac-m4a", "wma-2", "ac3")
    assert run_program("interpreter/forks", *map(short.file, names)).stdout.split() == ["0"] * 12


# --- sub-interpreters --------------------------------------------------------------------------------


def test_sub_interpreter_works_or_is_refused(wav: Path) -> None:
    answer = wav.parent / "sub-interpreter.txt"
    before, after = run_program("interpreter/sub_interpreter", wav, answer).stdout.split()
    assert before == after
    inside = answer.read_text()
    assert inside == before or inside.startswith("refused: ")
    if inside != before:
        assert "interpreter" in inside
