"""The bodies of requests, read within limits of size and time."""

from __future__ import annotations

import json
import math
from collections.abc import AsyncIterator
from typing import IO, Any, Final

import anyio
import anyio.to_thread
from starlette.requests import ClientDisconnect, Request

__all__ = ["BadBody", "read_json", "read_upload"]

_MAX_JSON_BYTES: Final = 65_536  # a path has 4096 bytes at most, each up to 12 in JSON
_SILENCE_S: Final = 10.0
_REQUEST_S: Final = 30.0


class BadBody(Exception):
    """A body that is refused; ``status`` is 400, 408 or 413."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status: Final = status


async def read_json(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body, whatever the Content-Type says.

    Raises
    ------
    BadBody
        It is too large, too slow, or not a JSON object.
    ClientDisconnect
        The client has disconnected.
    """
    body = b"".join([chunk async for chunk in _chunks(request, _MAX_JSON_BYTES, _REQUEST_S)])
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise BadBody(400, "the body is not JSON") from None
    if not isinstance(value, dict):
        raise BadBody(400, "the body is not a JSON object")
    return value


async def read_upload(request: Request, file: IO[bytes], limit: int) -> None:
    """Write the body into a file.

    Raises
    ------
    BadBody
        It is larger than ``limit`` bytes, or too slow.
    ClientDisconnect
        The client has disconnected.
    """
    async for chunk in _chunks(request, limit, math.inf):
        await anyio.to_thread.run_sync(file.write, chunk)
    await anyio.to_thread.run_sync(file.flush)


async def _chunks(request: Request, limit: int, seconds: float) -> AsyncIterator[bytes]:
    """Yield the body piece by piece, at most ``limit`` bytes of it, for at most some seconds."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        raise BadBody(413, f"the body may have {limit} bytes, not {declared[:20]}")
    size = 0
    end = anyio.current_time() + seconds
    while True:
        with anyio.move_on_after(min(end - anyio.current_time(), _SILENCE_S)) as time:
            message = await request.receive()
        if time.cancelled_caught:
            raise BadBody(408, "the body did not arrive in time")
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise BadBody(413, f"the body may have {limit} bytes")
        yield chunk
        if not message.get("more_body", False):
            return
