"""The ASGI application: routes, and how a request becomes an analysis."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from auralis_fp._version import __version__
from auralis_fp.analysis import analyze
from auralis_fp.errors import AnalysisError
from auralis_fp.fingerprint import Fingerprint
from auralis_fp.server.access import LOOPBACK_HOSTS, Access
from auralis_fp.server.body import BadBody, read_json, read_upload
from auralis_fp.server.limiter import Busy, Limiter, Place
from auralis_fp.server.metrics import Metrics
from auralis_fp.server.openapi import document, page
from auralis_fp.server.responses import (
    OldAnswer,
    analysis_content,
    failed,
    fingerprint_content,
    refused,
)
from auralis_fp.server.roots import Outside, Roots, descriptor_path

if TYPE_CHECKING:
    from auralis_fp.server.stored import StoredAnswers

__all__ = ["create_app"]

_Result = TypeVar("_Result")
_log: Final = logging.getLogger(__name__)
_TRACK_IDS: Final = range(1 << 32)


@dataclass(frozen=True, slots=True)
class _Measured:
    fingerprint: Fingerprint
    seconds: float


def create_app(
    roots: Sequence[str | os.PathLike[str]],
    *,
    workers: int = 16,
    waiting: int = 64,
    timeout: float = 60.0,
    hosts: Collection[str] = LOOPBACK_HOSTS,
    token: str | None = None,
    max_upload_bytes: int = 256_000_000,
    database: str | os.PathLike[str] | None = None,
) -> Starlette:
    """Return an ASGI application that measures the files in some folders.

    Parameters
    ----------
    roots : sequence of path-like
        Folders whose files may be analysed; a link that leads out of them may not be used.
    workers : int
        Number of analyses at a time.
    waiting : int
        Number of further requests that may wait; the next one is answered with 503 and ``Retry-After``.
    timeout : float
        Seconds from a request's arrival to the end of its analysis.
    hosts : collection of str
        Names and addresses, without a port, that a request's ``Host`` may have.
    token : str, optional
        The token that requests must carry as ``Authorization: Bearer TOKEN``.
    max_upload_bytes : int
        Size of the largest file that may be sent to ``/v1/analyze``. It is kept in a temporary file.
    database : str or path-like, optional
        SQLite file or SQLAlchemy URL of a library. ``/fingerprint`` is answered from it if the file has not
        changed since it was measured; nothing is written. Needs the extra ``auralis-fp[library]``.

    Returns
    -------
    starlette.applications.Starlette
        An application to serve or to mount into another one. ``app.state.limiter`` is its
        :class:`auralis_fp.server.limiter.Limiter`.

    Raises
    ------
    ValueError
        If a number is out of range, the token is empty, or there is no root.
    NotADirectoryError
        If a root is not a folder.
    auralis_fp.library.LibraryError
        If the database cannot be read.
    """
    if workers < 1 or waiting < 0 or not timeout > 0 or max_upload_bytes < 0 or token == "":
        raise ValueError(
            "workers and timeout must be positive, waiting and sizes not negative, a token not empty"
        )
    stored = None
    if database is not None:
        from auralis_fp.server.stored import StoredAnswers

        stored = StoredAnswers(database)
    service = _Service(Roots(roots), Limiter(workers, waiting, timeout), max_upload_bytes, stored)
    app = Starlette(
        routes=[
            Route("/health", service.health),
            Route("/fingerprint", service.fingerprint, methods=["POST"]),
            Route("/v1/analyze", service.analyze, methods=["POST"]),
            Route("/metrics", service.metrics),
            Route("/openapi.json", service.openapi),
            Route("/", service.documentation),
        ],
        middleware=[Middleware(Access, hosts=hosts, token=token)],
        exception_handlers={HTTPException: _refuse_http, Exception: _refuse_defect},
        lifespan=service.lifespan,
    )
    app.state.limiter = service.limiter
    return app


class _Service:
    def __init__(
        self, roots: Roots, limiter: Limiter, max_upload_bytes: int, stored: StoredAnswers | None
    ) -> None:
        self.limiter: Final = limiter
        self._roots: Final = roots
        self._max_upload_bytes: Final = max_upload_bytes
        self._stored: Final = stored
        self._metrics: Final = Metrics(limiter)
        self._started: Final = time.monotonic()

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            self.limiter.drain()
            self.limiter.cancel()
            if self._stored is not None:
                self._stored.close()

    # --- routes ------------------------------------------------------------------------------------------

    async def health(self, _request: Request) -> Response:
        uptime_s = int(time.monotonic() - self._started)
        return JSONResponse({"status": "healthy", "version": __version__, "uptime_sec": uptime_s})

    async def fingerprint(self, request: Request) -> Response:
        async def answered() -> dict[str, Any]:
            body = await read_json(request)
            track_id, path = body.get("track_id"), body.get("filepath")
            if type(track_id) is not int or track_id not in _TRACK_IDS:
                raise BadBody(400, "track_id must be a whole number from 0 to 4294967295")
            if not isinstance(path, str):
                raise BadBody(400, "filepath must be a text")
            begin = time.monotonic()
            with self.limiter.place() as place:
                answer = await self._old_answer(request, place, path)
            return fingerprint_content(track_id, path, answer, time.monotonic() - begin)

        return await self._answered(request, answered)

    async def analyze(self, request: Request) -> Response:
        async def answer() -> dict[str, Any]:
            media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media_type != "application/json":
                with self.limiter.place() as place:
                    measured = await self._measure_upload(request, place)
                return analysis_content(None, measured.fingerprint, measured.seconds)
            path = (await read_json(request)).get("path")
            if not isinstance(path, str):
                raise BadBody(400, "path must be a text")
            with self.limiter.place() as place:
                measured = await self._measure_file(request, place, path)
            return analysis_content(path, measured.fingerprint, measured.seconds)

        return await self._answered(request, answer)

    async def metrics(self, _request: Request) -> Response:
        return Response(self._metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def openapi(self, _request: Request) -> Response:
        return JSONResponse(document(self._max_upload_bytes))

    async def documentation(self, _request: Request) -> Response:
        return HTMLResponse(page(document(self._max_upload_bytes)))

    # --- work --------------------------------------------------------------------------------------------

    async def _measure_file(self, request: Request, place: Place, path: str) -> _Measured:
        def job(seconds_left: float) -> _Measured:
            with self._roots.open(path) as descriptor:
                return self._measure(descriptor, seconds_left, place)

        return await _unless_the_client_leaves(request, place, place.work(job))

    async def _old_answer(self, request: Request, place: Place, path: str) -> OldAnswer:
        def job(seconds_left: float) -> OldAnswer:
            with self._roots.open(path) as descriptor:
                if self._stored and (known := self._stored.find(path, os.fstat(descriptor))):
                    return known
                return OldAnswer.of(self._measure(descriptor, seconds_left, place).fingerprint)

        return await _unless_the_client_leaves(request, place, place.work(job))

    async def _measure_upload(self, request: Request, place: Place) -> _Measured:
        with tempfile.TemporaryFile(prefix="auralis-fp-") as file:
            await read_upload(request, file, self._max_upload_bytes)

            def job(seconds_left: float) -> _Measured:
                return self._measure(file.fileno(), seconds_left, place)

            return await _unless_the_client_leaves(request, place, place.work(job))

    def _measure(self, descriptor: int, seconds_left: float, place: Place) -> _Measured:
        begin = time.monotonic()
        fingerprint = analyze(
            descriptor_path(descriptor), timeout=max(0.0, seconds_left), cancel=place.cancel
        )
        seconds = time.monotonic() - begin
        self._metrics.analyzed(seconds, fingerprint.metadata.duration)
        return _Measured(fingerprint, seconds)

    async def _answered(self, request: Request, answer: Callable[[], Awaitable[dict[str, Any]]]) -> Response:
        begin = time.monotonic()
        response, result = await self._outcome(answer)
        self._metrics.answered(request.url.path, result, time.monotonic() - begin)
        return response

    async def _outcome(self, answer: Callable[[], Awaitable[dict[str, Any]]]) -> tuple[Response, str]:
        try:
            return JSONResponse(await answer()), "ok"
        except BadBody as error:
            return refused(error.status, str(error)), "refused"
        except Outside:
            return refused(403, "the path is not inside the folders that this server was given"), "refused"
        except Busy as error:
            return refused(503, str(error), {"Retry-After": str(error.retry_after_s)}), "busy"
        except AnalysisError as error:
            if error.kind == "Cancelled":
                return refused(503, "the server is shutting down", {"Retry-After": "1"}), "cancelled"
            return failed(error), error.kind
        except ClientDisconnect:
            return Response(status_code=499), "left"  # nobody reads it


async def _unless_the_client_leaves(request: Request, place: Place, work: Awaitable[_Result]) -> _Result:
    """Return the result of ``work``; if the client disconnects first, stop it and raise ClientDisconnect."""
    left = False

    async def watch() -> None:
        nonlocal left
        while (await request.receive())["type"] != "http.disconnect":
            pass
        left = True
        place.turn.cancel()
        place.cancel.cancel()

    watcher = asyncio.create_task(watch())
    try:
        return await work
    except (AnalysisError, Busy):
        if left:
            raise ClientDisconnect from None
        raise
    finally:
        watcher.cancel()


async def _refuse_http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return refused(error.status_code, error.detail, dict(error.headers or {}))


async def _refuse_defect(request: Request, error: Exception) -> Response:
    _log.error("%s failed", request.url.path, exc_info=error)
    return refused(500, "a defect of the server; its log says more")
