"""Files that crash the process that analyses them: only a worker ends, and the file gets an error."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from support import killers
from support.processes import program, run_program
from support.tolerances import assert_identical
from support.workers import busy_worker, eventually, workers

import auralis_fp
from auralis_fp import AnalysisError, Cancelled, CancelToken, CorruptAudio, Crashed, ResourceLimit, Timeout
from auralis_fp.isolation import MEMORY_LIMIT, IsolatedAnalyzer

Order = Callable[[str], str]


@pytest.fixture(autouse=True)
def _clean_start() -> None:
    gc.collect()  # the analyzers of other tests, and with them their workers
    assert not workers()


@pytest.fixture
def order(tmp_path: Path, wav: Path) -> Order:
    """Return a maker of files that tell :mod:`support.killers` what to do; they have a good neighbour."""
    shutil.copyfile(wav, tmp_path / "good.wav")

    def make(what: str) -> str:
        path = tmp_path / f"{what}.wav"
        path.write_text(f"do {what}")
        return str(path)

    return make


@pytest.fixture
def killing() -> Iterator[IsolatedAnalyzer]:
    with IsolatedAnalyzer(killers.analyze, processes=2) as analyzer:
        yield analyzer
    assert not workers(), "a worker is left"


# --- as without isolation ----------------------------------------------------------------------------


def test_results_and_errors_are_those_of_analyze(wav: Path, tmp_path: Path) -> None:
    strange = tmp_path / "new\nline caf\udce9.wav"
    shutil.copyfile(wav, strange)
    (tmp_path / "text.mp3").write_text("no audio")
    with IsolatedAnalyzer(processes=1) as analyze:
        for path in (wav, os.fsencode(strange)):
            assert_identical(analyze(path), auralis_fp.analyze(path))
        for bad in (tmp_path / "none.wav", os.fspath(tmp_path / "text.mp3"), "a\0b", ""):
            with pytest.raises(AnalysisError) as expected:
                auralis_fp.analyze(bad)
            with pytest.raises(type(expected.value)) as caught:
                analyze(bad)
            assert vars(caught.value) == vars(expected.value)
        assert len(workers()) == 1


def test_relative_names_follow_the_working_directory(wav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with IsolatedAnalyzer(processes=1) as analyze:
        with pytest.raises(auralis_fp.FileNotFound) as caught:
            analyze(wav.name)
        assert caught.value.path == wav.name
        monkeypatch.chdir(wav.parent)
        assert_identical(analyze(wav.name), auralis_fp.analyze(wav))


def test_time_limits_and_arguments(long_wav: Path, wav: Path) -> None:
    with IsolatedAnalyzer(processes=1) as analyze:
        with pytest.raises(Timeout) as caught:
            analyze(long_wav, timeout=0.05)
        assert caught.value.path == str(long_wav)
        for timeout in (-1, float("nan")):
            with pytest.raises(ValueError, match="timeout"):
                analyze(wav, timeout=timeout)
        analyze(wav, timeout=float("inf"))
    with pytest.raises(ValueError, match="processes"):
        IsolatedAnalyzer(processes=0)


def test_analyze_many_isolated(wav: Path, tmp_path: Path) -> None:
    missing = tmp_path / "none.wav"
    results = list(auralis_fp.analyze_many([wav, missing, wav, wav], workers=2, isolate=True))
    assert sorted(str(path) for path, _ in results) == sorted(map(str, [wav, missing, wav, wav]))
    expected = auralis_fp.analyze(wav)
    for path, result in results:
        if path == missing:
            assert isinstance(result, auralis_fp.FileNotFound)
        else:
            assert result == expected
    assert not workers()


def test_no_main_guard_is_asked_of_scripts(wav: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("pickle.py", "numpy.py"):  # of no concern, although the program runs in their folder
        (folder / name).write_text("raise SystemExit('the wrong module')")
    done = run_program("isolation/no_main_guard", wav, timeout=120, cwd=folder)
    assert done.stdout.splitlines() == ["once", str(auralis_fp.analyze(wav).lufs)]


# --- killers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGKILL", "SIGBUS"])
def test_a_signal_is_named(name: str, order: Order, killing: IsolatedAnalyzer, wav: Path) -> None:
    path = order(f"signal {name}")
    with pytest.raises(Crashed) as caught:
        killing(path)
    assert (caught.value.path, caught.value.stage) == (path, "analyze")
    assert caught.value.cause.startswith(f"the process that analysed it was killed by {name}")
    assert caught.value.cause.endswith(": last words")
    assert_identical(killing(wav), auralis_fp.analyze(wav))


def test_who_survives_the_second_run_has_a_result(order: Order, killing: IsolatedAnalyzer, wav: Path) -> None:
    assert_identical(killing(order("signal SIGSEGV once")), auralis_fp.analyze(wav))


def test_an_exit_is_a_crash_and_leaves_nothing_behind(order: Order, killing: IsolatedAnalyzer) -> None:
    this = psutil.Process()
    before = this.num_fds(), this.children()
    for status in (0, 3):
        with pytest.raises(Crashed, match=f"ended with status {status}"):
            killing(order(f"exit {status}"))
    assert (this.num_fds(), this.children()) == before, "not even a zombie"


@pytest.mark.unsanitized("it takes terabytes of addresses")
def test_memory_has_an_end(order: Order) -> None:
    with IsolatedAnalyzer(killers.analyze, memory_limit=64 << 20) as analyze:
        path = order("eat")
        with pytest.raises(ResourceLimit) as caught:
            analyze(path)
        assert caught.value.path == path
        assert "memory" in caught.value.cause
        assert not workers(), "what ran out of memory is not used again"


def test_the_system_takes_the_worker_first(killing: IsolatedAnalyzer, wav: Path) -> None:
    killing(wav)
    (worker,) = workers()
    scores = [int(Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid in ("self", worker.pid)]
    assert scores[0] < scores[1]


@pytest.mark.unsanitized("it takes terabytes of addresses")
def test_the_usual_limit_is_ample(long_wav: Path) -> None:
    """An hour within a sixteenth of what a worker may take."""
    with IsolatedAnalyzer(processes=1, memory_limit=MEMORY_LIMIT // 16) as analyze:
        assert analyze(long_wav).metadata.duration == 3600


def test_who_hangs_is_killed(
    order: Order, killing: IsolatedAnalyzer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auralis_fp.isolation.process._GRACE_S", 0.2)
    with pytest.raises(Crashed, match="gave no answer within"):
        killing(order("hang"), timeout=0.1)


def test_errors_cross_the_process_boundary(order: Order, killing: IsolatedAnalyzer) -> None:
    with pytest.raises(CorruptAudio) as known:
        killing(order("raise known"))
    assert known.value.stage == "decode"
    path = order("raise unknown")
    with pytest.raises(AnalysisError, match="Unpicklable: this and that") as unknown:
        killing(path)
    assert unknown.value.path == path
    killing(order("babble"))


def test_a_killed_worker_costs_nothing_but_time(long_wav: Path) -> None:
    """The real analysis, killed from outside: the second run gives the result."""
    with ThreadPoolExecutor(1) as pool, IsolatedAnalyzer(processes=1) as analyze:
        running = pool.submit(analyze, long_wav)
        busy_worker().send_signal(signal.SIGSEGV)
        assert running.result().metadata.duration == 3600


def test_others_do_not_suffer(order: Order, killing: IsolatedAnalyzer, wav: Path) -> None:
    """Twenty files on two workers, every other one a killer, from twenty threads."""
    killer = [order(f"signal {name}") for name in ("SIGSEGV", "SIGKILL")] * 5
    expected = auralis_fp.analyze(wav)

    def outcome(path: str | Path) -> object:
        try:
            return killing(path)
        except Crashed as error:
            return error.path

    with ThreadPoolExecutor(20) as pool:
        bad = pool.map(outcome, killer)
        good = pool.map(outcome, [wav] * 10)
        assert list(bad) == killer
        assert all(result == expected for result in good)
    assert len(workers()) <= 2


def test_workers_are_used_again_and_leave_when_idle(
    order: Order, killing: IsolatedAnalyzer, wav: Path
) -> None:
    pids = set()
    for _ in range(3):
        with pytest.raises(CorruptAudio) as caught:
            killing(order("pid"))
        pids.add(int(caught.value.cause))
    assert [worker.pid for worker in workers()] == list(pids)
    (resting,) = workers()
    resting.kill()  # as if it had ended by itself, or the system had killed it
    assert_identical(killing(wav), auralis_fp.analyze(wav))


def test_what_cannot_start_is_not_the_files_fault(wav: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def local(
        path: str, *, timeout: float | None = None, cancel: CancelToken | None = None
    ) -> auralis_fp.Fingerprint:
        raise NotImplementedError

    local.__module__, local.__qualname__ = killers.__name__, "nowhere"
    monkeypatch.setattr(killers, "nowhere", local, raising=False)  # here, but not in the worker
    with pytest.raises(ImportError, match=r"can be started: it ended with status 1: .*nowhere"):
        IsolatedAnalyzer(local)(wav)
    monkeypatch.setattr("multiprocessing.spawn.get_executable", lambda: "/no/such/python")
    with pytest.raises(ImportError, match="no worker process can be started"):
        IsolatedAnalyzer()(wav)
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(ImportError, match="set_executable"):
        IsolatedAnalyzer()(wav)


def mortal_python(folder: Path, deaths: int) -> Path:
    """Return an interpreter that is killed at its first starts, as often as told, and counts its starts."""
    script = folder / "python"
    script.write_text(
        f"#!/bin/sh\necho >> '{folder}/starts'\n"
        f"[ $(wc -l < '{folder}/starts') -gt {deaths} ] || kill -KILL $$\n"
        f"exec '{sys.executable}' \"$@\"\n"
    )
    script.chmod(0o755)
    return script


def test_who_is_killed_while_it_starts_is_started_again(
    wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = mortal_python(tmp_path, deaths=6)
    monkeypatch.setattr("multiprocessing.spawn.get_executable", lambda: str(python))
    with IsolatedAnalyzer(processes=1) as analyze:
        assert_identical(analyze(wav), auralis_fp.analyze(wav))


def test_there_is_an_end_to_starting_again(
    wav: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = mortal_python(tmp_path, deaths=1000)
    monkeypatch.setattr("multiprocessing.spawn.get_executable", lambda: str(python))
    monkeypatch.setattr("auralis_fp.isolation.pool._STARTS", 3)
    with pytest.raises(ImportError, match="can be started: it was killed by SIGKILL"):
        IsolatedAnalyzer()(wav)
    assert (tmp_path / "starts").read_text().count("\n") == 3


# --- stopping ----------------------------------------------------------------------------------------


def test_cancelling_ends_the_worker(long_wav: Path) -> None:
    token = CancelToken()
    with ThreadPoolExecutor(2) as pool, IsolatedAnalyzer(processes=1) as analyze:
        running = [pool.submit(analyze, long_wav, cancel=token) for _ in range(2)]  # one of them waits
        busy_worker()
        token.cancel()
        for future in running:
            with pytest.raises(Cancelled) as caught:
                future.result()
            assert caught.value.path == str(long_wav)
        assert not workers()
        with pytest.raises(Cancelled):
            analyze(long_wav, cancel=token)
        assert not workers()


def test_leaving_analyze_many_early_ends_its_workers(long_wav: Path) -> None:
    results = auralis_fp.analyze_many([long_wav / "missing", *[long_wav] * 8], workers=2, isolate=True)
    assert isinstance(next(results)[1], AnalysisError)
    results.close()  # type: ignore[attr-defined]
    assert not workers()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_no_orphans(number: signal.Signals, long_wav: Path) -> None:
    with subprocess.Popen(program("isolation/interruptible", long_wav), stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        busy_worker(running.pid)
        children = workers(running.pid)
        running.send_signal(number)
        assert running.stdout.read() == (b"interrupted\n" if number == signal.SIGINT else b"")
    assert eventually(lambda: not any(child.is_running() for child in children))


def test_a_program_that_ends_in_the_middle_leaves_nothing(long_wav: Path) -> None:
    command = program("isolation/ends_in_the_middle", long_wav)
    with subprocess.Popen(command, stdin=subprocess.PIPE) as running:
        busy_worker(running.pid)
        children = workers(running.pid)
        running.communicate(b"")
    assert running.returncode == 0
    assert eventually(lambda: not any(child.is_running() for child in children))


def test_a_forked_copy_of_the_program_hides_no_death(
    order: Order, killing: IsolatedAnalyzer, wav: Path
) -> None:
    """It keeps the connections open, which then do not show that a worker has ended."""
    killing(wav)
    copy = os.fork()
    if copy == 0:
        signal.pause()
    try:
        with pytest.raises(Crashed):
            killing(order("signal SIGSEGV"))
    finally:
        os.kill(copy, signal.SIGKILL)
        os.waitpid(copy, 0)
