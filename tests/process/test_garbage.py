"""Objects shared by threads while garbage with finalizers is collected."""

from __future__ import annotations

import time
import weakref

from support.processes import run_program


def test_objects_shared_by_threads_keep_their_attributes() -> None:
    assert run_program("interpreter/shared_objects", timeout=300).stderr == ""


def test_garbage_is_collected_without_being_asked() -> None:
    class Cycle:
        def __init__(self) -> None:
            self.itself = self

    gone = weakref.ref(Cycle())
    deadline = time.monotonic() + 60
    kept: list[list[list[int]]] = []
    while gone() is not None:
        assert time.monotonic() < deadline
        kept.append([[] for _ in range(1000)])
        time.sleep(0.01)
