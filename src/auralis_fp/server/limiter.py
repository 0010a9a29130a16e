"""A limit on the number of analyses at a time, and on the number that wait."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import anyio
import anyio.to_thread

from auralis_fp.cancel import CancelToken

__all__ = ["Busy", "Limiter", "Place"]

_Result = TypeVar("_Result")
_FIRST_GUESS_S: Final = 1.0
_WEIGHT: Final = 0.1  # weight of the last analysis in the running mean of their times


class Busy(Exception):
    """No worker is free; ``retry_after_s`` says when to try again."""

    def __init__(self, cause: str, retry_after_s: int) -> None:
        super().__init__(cause)
        self.retry_after_s: Final = retry_after_s


class Place:
    """A request's right to a worker, now or after the requests before it.

    Attributes
    ----------
    cancel : CancelToken
        Stops the work.
    """

    def __init__(self, limiter: Limiter, timeout_s: float) -> None:
        self.cancel: Final = CancelToken()
        self.turn: Final = anyio.CancelScope(deadline=anyio.current_time() + timeout_s)
        self._deadline: Final = time.monotonic() + timeout_s
        self._limiter: Final = limiter

    async def work(self, job: Callable[[float], _Result]) -> _Result:
        """Return what ``job(seconds left)`` returns in a worker thread, or raise what it raises.

        Raises
        ------
        Busy
            No worker was free before the request's time was over, or the server is shutting down.
        """
        limiter = self._limiter
        with self.turn:
            await limiter.workers.acquire_on_behalf_of(self)
        if self.turn.cancelled_caught:
            raise limiter.busy("no worker was free in time")
        begin = time.monotonic()
        try:
            return await anyio.to_thread.run_sync(job, self._deadline - begin, limiter=limiter.threads)
        finally:
            limiter.workers.release_on_behalf_of(self)
            limiter.note(time.monotonic() - begin)


class Limiter:
    """The workers, and the places of requests that wait for them.

    Parameters
    ----------
    workers : int
        Number of analyses at a time.
    waiting : int
        Number of further requests that may wait for a worker; the next one is refused.
    timeout_s : float
        Seconds from a request's arrival to the end of its analysis.
    """

    def __init__(self, workers: int, waiting: int, timeout_s: float) -> None:
        self.workers: Final = anyio.CapacityLimiter(workers)
        self.threads: Final = anyio.CapacityLimiter(math.inf)  # unlimited: `workers` is the limit
        self._capacity: Final = workers + waiting
        self._timeout_s: Final = timeout_s
        self._places: Final[set[Place]] = set()
        self._draining = False
        self._mean_s = _FIRST_GUESS_S

    @property
    def in_work(self) -> int:
        """Number of running analyses."""
        return self.workers.borrowed_tokens

    @property
    def waiting(self) -> int:
        """Number of requests that hold a place and are not running."""
        return len(self._places) - self.in_work

    @contextmanager
    def place(self) -> Iterator[Place]:
        """Yield a place for the duration of a request.

        Raises
        ------
        Busy
            No place is free.
        """
        if self._draining:
            raise self.busy("the server is shutting down")
        if len(self._places) >= self._capacity:
            raise self.busy(f"{self.in_work} requests are running and {self.waiting} are waiting")
        place = Place(self, self._timeout_s)
        self._places.add(place)
        try:
            yield place
        finally:
            self._places.remove(place)

    def busy(self, cause: str) -> Busy:
        """Return the refusal of a request, with the time that the requests before it will take."""
        return Busy(cause, math.ceil(self._mean_s * (1 + len(self._places) / self.workers.total_tokens)))

    def note(self, seconds: float) -> None:
        """Record how long an analysis took."""
        self._mean_s += _WEIGHT * (seconds - self._mean_s)

    def drain(self) -> None:
        """Refuse requests from now on, including those that wait; running ones go on."""
        self._draining = True
        for place in self._places:
            place.turn.cancel()

    def cancel(self) -> None:
        """Stop the running requests."""
        for place in self._places:
            place.cancel.cancel()
