"""The end of the interpreter, forks, sub-interpreters: nothing hangs and nothing crashes."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.encode import EncodedFiles
from support.processes import python

import auralis_fp

# Threads that begin and end analyses all the time, through every entry point, with results and with errors.
BUSY = """
import atexit, os, sys, threading, time
import numpy as np
import auralis_fp

path = sys.argv[1]
tone = np.sin(np.arange(3000, dtype=np.float32))
calls = [
    lambda: auralis_fp.analyze(path),
    lambda: auralis_fp.analyze("missing"),
    lambda: auralis_fp.analyze_samples(tone, 8000),
    lambda: auralis_fp.analyze_samples(tone * np.float32("nan"), 8000),
    lambda: auralis_fp.analyze_bytes(b"RIFF" + bytes(2000)),
    lambda: auralis_fp.analyze(path, timeout=0, cancel=auralis_fp.CancelToken()),
]
begun = threading.Barrier(len(calls) + 1)
def work(call):
    begun.wait()
    while True:
        try:
            call()
        except auralis_fp.AnalysisError:
            pass
def start():
    for call in calls:
        threading.Thread(target=work, args=(call,), daemon=True).start()
    begun.wait()
"""


# --- the end -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("attempt", range(6))
def test_daemon_threads_that_come_back_while_the_interpreter_ends(attempt: int, wav: Path) -> None:
    """The end takes long enough that every thread asks for the interpreter lock, and never gets it."""
    code = """
class Slow:
    def __del__(self, sleep=time.sleep):
        sleep(0.15)
sys.slow = Slow()  # given up after threads have lost their right to run
start()
time.sleep(0.01 * int(sys.argv[2]))
print("end")
"""
    assert python(BUSY + code, wav, str(attempt)).split() == ["end"]


def test_a_daemon_thread_that_does_not_come_back(long_wav: Path) -> None:
    code = """
import sys, threading, time, auralis_fp
threading.Thread(target=auralis_fp.analyze, args=(sys.argv[1],), daemon=True).start()
time.sleep(0.2)
print("end")
"""
    assert python(code, long_wav).split() == ["end"]


def test_threads_that_are_no_daemons_finish_first(wav: Path) -> None:
    code = """
import sys, threading, auralis_fp
def work():
    print(auralis_fp.analyze(sys.argv[1]).vector.tobytes().hex())
threading.Thread(target=work).start()
"""
    assert python(code, wav).strip() == auralis_fp.analyze(wav).vector.tobytes().hex()


def test_analyses_at_exit(wav: Path) -> None:
    """Among threads, from an exit handler, and from a finaliser that runs when modules are gone already."""
    code = """
atexit.register(lambda: print(auralis_fp.analyze(path).vector.tobytes().hex()))
class Late:
    def __del__(self, analyze=auralis_fp.analyze, path=path):
        try:
            analyze(path)
        except BaseException:
            pass
sys.late = Late()
start()
"""
    assert python(BUSY + code, wav).strip() == auralis_fp.analyze(wav).vector.tobytes().hex()


def test_an_unfinished_analyze_many_at_exit(wav: Path) -> None:
    code = """
import itertools, sys, auralis_fp
results = auralis_fp.analyze_many(itertools.repeat(sys.argv[1]), workers=4)
print(next(results)[1].metadata.codec)
"""
    assert python(code, wav).split() == ["pcm_s16le"]


# --- forks -------------------------------------------------------------------------------------------


def test_children_forked_in_the_midst_of_analyses(encoded: EncodedFiles, tmp_path: Path) -> None:
    """Before, between and during analyses of other threads: a child analyses as its parent does."""
    code = """
import os, signal, sys, threading, auralis_fp
paths = sys.argv[1:]
expected = []
def child():
    pid = os.fork()
    if pid == 0:
        signal.alarm(30)  # a lock that a thread of the parent held at the time would be held for ever
        vectors = [auralis_fp.analyze(path).vector.tobytes() for path in paths]
        many = dict(auralis_fp.analyze_many(paths, workers=3))
        same = [many[path].vector.tobytes() for path in paths] == vectors == (expected or vectors)
        os._exit(0 if same else 3)
    return os.waitpid(pid, 0)[1]
print(child())
expected.extend(auralis_fp.analyze(path).vector.tobytes() for path in paths)
print(child())
stop = threading.Event()
def work(number):
    while not stop.is_set():
        number += 1
        auralis_fp.analyze(paths[number % len(paths)])
threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
for thread in threads: thread.start()
for _ in range(10): print(child())
stop.set()
for thread in threads: thread.join()
"""
    short = EncodedFiles(tmp_path, encoded.samples[:44100], 44100)
    names = ("wav-s16", "mp3-vbr-4", "vorbis", "opus", "aac-m4a", "wma-2", "ac3")
    assert python(code, *map(short.file, names)).split() == ["0"] * 12


# --- sub-interpreters --------------------------------------------------------------------------------


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
