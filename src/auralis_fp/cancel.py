"""A token that cancels analyses from another thread."""

from __future__ import annotations

import threading
from typing import Any

from auralis_fp._native import core

__all__ = ["CancelToken"]


class CancelToken:
    """A token that cancels analyses from another thread.

    One token may serve any number of analyses; once cancelled it stays cancelled, and every analysis
    that holds it raises :class:`auralis_fp.Cancelled` within 100 ms of work.
    """

    __slots__ = ("_event", "_native")

    def __init__(self) -> None:
        self._native: Any = None if core is None else core.CancelToken()
        self._event = threading.Event()

    def cancel(self) -> None:
        """Stop every analysis that holds this token."""
        self._event.set()
        if self._native is not None:
            self._native.cancel()

    @property
    def cancelled(self) -> bool:
        """True once :meth:`cancel` has been called."""
        return self._event.is_set()
