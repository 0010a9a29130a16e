"""Threads, signals, deadlines, processes: the analysis is a good guest in any Python program."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from encode import Library
from tolerances import BUILD, assert_agree, assert_identical

import auralis_fp
from auralis_fp import Cancelled, CancelToken, Fingerprint, Timeout

# A stopped analysis may go on for this much work (CPU time of its thread) before it notices.
STOP_S = 0.1


def python(code: str, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> str:
    """Run code in a fresh interpreter; its standard output. Fails with what it printed, and when it hangs."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


# --- stopping ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [0, 1e-9, 0.05, 0.3])
def test_timeout(timeout: float, long_wav: Path) -> None:
    start = time.thread_time()
    with pytest.raises(Timeout) as caught:
        auralis_fp.analyze(long_wav, timeout=timeout)
    assert time.thread_time() - start < timeout + STOP_S
    assert caught.value.path == str(long_wav)
    assert isinstance(caught.value, TimeoutError)


def test_timeout_while_samples_and_bytes_are_measured(library: Library, long_wav: Path) -> None:
    hour = np.memmap(long_wav, np.int16, "r", 44).reshape(-1, 2)
    with pytest.raises(Timeout) as caught:
        auralis_fp.analyze_samples(hour, 44100, timeout=0.05)
    assert caught.value.path == "<samples>"
    with pytest.raises(Timeout) as caught:
        auralis_fp.analyze_bytes(np.memmap(long_wav, np.uint8, "r").data, timeout=0.05)
    assert caught.value.path == "<bytes>"


def test_a_generous_timeout_changes_nothing(wav: Path) -> None:
    assert_identical(auralis_fp.analyze(wav, timeout=600), auralis_fp.analyze(wav))


@pytest.mark.parametrize("timeout", [-1, float("nan")])
def test_timeouts_that_make_no_sense(timeout: float, wav: Path) -> None:
    with pytest.raises(ValueError, match="timeout"):
        auralis_fp.analyze(wav, timeout=timeout)


def test_cancel_from_another_thread(long_wav: Path) -> None:
    token = CancelToken()
    cancelled_at = 0.0

    def cancel() -> None:
        nonlocal cancelled_at
        cancelled_at = time.monotonic()
        token.cancel()

    work_s = 0.0

    def analyze() -> type[BaseException] | None:
        nonlocal work_s
        start = time.thread_time()
        try:
            auralis_fp.analyze(long_wav, cancel=token)
        except Cancelled as error:
            work_s = time.thread_time() - start
            return type(error)
        return None

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(analyze)
        time.sleep(0.2)
        assert not running.done()
        cancel()
        assert running.result() is Cancelled
    assert work_s < 0.2 + (time.monotonic() - cancelled_at) + STOP_S
    assert token.cancelled


def test_a_cancelled_token_stays_cancelled(wav: Path) -> None:
    token = CancelToken()
    assert_identical(auralis_fp.analyze(wav, cancel=token), auralis_fp.analyze(wav))
    token.cancel()
    token.cancel()
    for _ in range(2):
        with pytest.raises(Cancelled):
            auralis_fp.analyze(wav, cancel=token)


def test_ctrl_c_stops_an_analysis(long_wav: Path) -> None:
    """SIGINT while the core works: KeyboardInterrupt after 100 ms of work at most, and all is well after."""
    code = """
import signal, sys, threading, time, auralis_fp
interrupted = []
def strike():
    time.sleep(0.3)
    interrupted.append(time.process_time())
    signal.raise_signal(signal.SIGINT)
threading.Thread(target=strike).start()
try:
    auralis_fp.analyze(sys.argv[1])
except KeyboardInterrupt:
    print(time.process_time() - interrupted[0] < float(sys.argv[2]))
try:
    auralis_fp.analyze(sys.argv[1], timeout=0.01)
except auralis_fp.Timeout:
    print("usable")
"""
    assert python(code, long_wav, str(STOP_S)).split() == ["True", "usable"]


def test_ctrl_c_stops_analyze_many(long_wav: Path) -> None:
    code = """
import os, signal, sys, threading, auralis_fp
threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    list(auralis_fp.analyze_many([sys.argv[1]] * 8, workers=2))
except KeyboardInterrupt:
    print(threading.active_count())
"""
    assert python(code, long_wav).split() == ["1"]


def test_a_signal_handler_runs_during_an_analysis(long_wav: Path) -> None:
    """A handler that does not raise interrupts nothing but the wait for its turn."""
    hits: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: hits.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
    try:
        with pytest.raises(Timeout):
            auralis_fp.analyze(long_wav, timeout=1.0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(hits) >= 3


# --- the global interpreter lock ---------------------------------------------------------------------


def test_python_threads_go_on_during_an_analysis(library: Library) -> None:
    """A thread that wakes every millisecond: holding the lock would let it wake once."""
    path = library.file("mp3-vbr-0")
    wakings, stop = 0, threading.Event()

    def wake() -> None:
        nonlocal wakings
        while not stop.wait(0.001):
            wakings += 1

    thread = threading.Thread(target=wake)
    thread.start()
    try:
        seen = [wakings]
        for _ in range(5):
            auralis_fp.analyze(path)
            seen.append(wakings)
    finally:
        stop.set()
        thread.join()
    assert min(after - before for before, after in pairwise(seen)) >= 3


def test_a_second_analysis_goes_on_during_the_first(library: Library) -> None:
    """While one analysis runs, another thread's analyses use about as much CPU time as it does itself.

    Fair shares of a busy machine are still shares: other programs do not disturb this.
    """
    path, stop = library.file("flac-16"), threading.Event()

    def repeat() -> None:
        while not stop.is_set():
            auralis_fp.analyze(path)

    other = threading.Thread(target=repeat)
    other.start()
    assert other.ident is not None
    clock = time.pthread_getcpuclockid(other.ident)
    own = others = 0.0
    try:
        for _ in range(12):
            before = time.thread_time(), time.clock_gettime(clock)
            auralis_fp.analyze(path)
            own += time.thread_time() - before[0]
            others += time.clock_gettime(clock) - before[1]
    finally:
        stop.set()
        other.join()
    assert others / own > 0.6


def test_two_threads_keep_two_processors_busy(library: Library) -> None:
    """CPU time over wall time of two threads, set against what other programs left of two processors."""
    path = library.file("flac-16")

    def work() -> None:
        for _ in range(8):
            auralis_fp.analyze(path)

    def overlap() -> float:
        own, wall, machine = time.process_time(), time.perf_counter(), busy_s()
        with ThreadPoolExecutor(2) as pool:
            for future in [pool.submit(work) for _ in range(2)]:
                future.result()
        own, wall = time.process_time() - own, time.perf_counter() - wall
        foreign = max(0.0, busy_s() - machine - own)
        return own / max(min(2.0, processors - foreign / wall) * wall, own / 2)

    processors = len(os.sched_getaffinity(0))
    assert max(overlap() for _ in range(5)) > 0.75  # of two processors: CPU time / wall time > 1.5


def busy_s() -> float:
    """Seconds that all processors of the machine spent working, ever."""
    user, nice, system, _idle, _wait, *others = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + sum(others)) / os.sysconf("SC_CLK_TCK")


# --- threads and processes ---------------------------------------------------------------------------


def test_sixteen_threads_give_what_one_gives(library: Library) -> None:
    names = ["wav-s16", "flac-16", "mp3-vbr-0", "aac-m4a", "vorbis", "opus", "wavpack", "alac-m4a"] * 6
    expected = {name: auralis_fp.analyze(library.file(name)) for name in set(names)}
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(lambda name: auralis_fp.analyze(library.file(name)), names))
    for name, result in zip(names, results, strict=True):
        assert_identical(result, expected[name])


def test_one_array_on_many_threads(library: Library) -> None:
    expected = auralis_fp.analyze_samples(library.samples, library.rate)
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(auralis_fp.analyze_samples, library.samples, library.rate) for _ in range(16)]
        for future in futures:
            assert_identical(future.result(), expected)


def test_repeated_runs_are_identical(library: Library) -> None:
    for name in ("wav-s16", "mp3-vbr-0", "opus"):
        expected = auralis_fp.analyze(library.file(name))
        for _ in range(5):
            assert_identical(auralis_fp.analyze(library.file(name)), expected)


def test_another_process_gives_the_same(wav: Path) -> None:
    code = "import sys, auralis_fp; print(auralis_fp.analyze(sys.argv[1]).vector.tobytes().hex())"
    assert python(code, wav).strip() == auralis_fp.analyze(wav).vector.tobytes().hex()


def test_after_fork(wav: Path) -> None:
    """In children forked before, between and during analyses of the parent."""
    code = """
import os, sys, threading, auralis_fp
path = sys.argv[1]
expected = []
def child():
    pid = os.fork()
    if pid == 0:
        vector = auralis_fp.analyze(path).vector.tobytes()
        os._exit(0 if not expected or vector == expected[0] else 3)
    return os.waitpid(pid, 0)[1]
print(child())
expected.append(auralis_fp.analyze(path).vector.tobytes())
print(child())
stop = threading.Event()
def work():
    while not stop.is_set():
        auralis_fp.analyze(path)
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
for _ in range(4): print(child())
stop.set()
for thread in threads: thread.join()
"""
    assert python(code, wav).split() == ["0"] * 6


def test_sub_interpreter_works_or_is_refused(wav: Path) -> None:
    code = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
import auralis_fp
print(auralis_fp.analyze(sys.argv[1]).vector.tobytes().hex())
inside = f'''
try:
    import auralis_fp
    result = auralis_fp.analyze({sys.argv[1]!r}).vector.tobytes().hex()
except (ImportError, RuntimeError) as error:
    result = "refused: " + " ".join(str(error).split())
with open({sys.argv[2]!r}, "w") as file:
    file.write(result)
'''
one = interpreters.create()
interpreters.run_string(one, inside)
interpreters.destroy(one)
print(auralis_fp.analyze(sys.argv[1]).vector.tobytes().hex())
"""
    answer = wav.parent / "sub-interpreter.txt"
    before, after = python(code, wav, answer).split()
    assert before == after
    inside = answer.read_text()
    assert inside == before or inside.startswith("refused: ")
    if inside != before:
        assert "interpreter" in inside


def test_at_exit_with_running_threads(long_wav: Path) -> None:
    """A daemon thread in the midst of an analysis does not crash the interpreter's end."""
    code = """
import sys, threading, time, auralis_fp
threading.Thread(target=auralis_fp.analyze, args=(sys.argv[1],), daemon=True).start()
time.sleep(0.2)
print("end")
"""
    assert python(code, long_wav).split() == ["end"]


def test_every_cpu_level_agrees(library: Library) -> None:
    code = """
import pickle, sys, auralis_fp
sys.stdout.buffer.write(pickle.dumps([auralis_fp.analyze(path) for path in sys.argv[1:]]))
"""
    paths = [library.file(name) for name in ("wav-s16", "mp3-vbr-0", "opus")]
    expected = [auralis_fp.analyze(path) for path in paths]
    levels = auralis_fp.build_info()["cpu_levels"]
    assert auralis_fp.build_info()["cpu_level"] in levels
    for level in levels:
        environment = os.environ | {"AURALIS_FP_CPU_LEVEL": level}
        command = [sys.executable, "-c", code, *map(str, paths)]
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
        results: list[Fingerprint] = pickle.loads(done.stdout)
        for measured, fp in zip(results, expected, strict=True):
            assert_agree(measured, fp, BUILD)


def test_an_unknown_cpu_level_is_refused(wav: Path) -> None:
    code = "import auralis_fp; print(auralis_fp.build_info().get('import_error'))"
    environment = os.environ | {"AURALIS_FP_CPU_LEVEL": "x86-64-v9"}
    assert "x86-64-v9" in python(code, environment=environment)
