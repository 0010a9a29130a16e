"""Runs the application with uvicorn: sockets, signals, shutdown."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from auralis_fp.server.limiter import Limiter

__all__ = ["AddressError", "is_loopback", "run"]

_HEAD_S: Final = 10.0
_KEEP_ALIVE_S: Final = 30


class AddressError(Exception):
    """The server cannot listen at an address; the message is one line for the user."""


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine's loopback, which no other machine can reach."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def run(
    app: Starlette, host: str, port: int, *, grace_s: float, announce: Callable[[str], object] = print
) -> None:
    """Serve until SIGTERM or SIGINT.

    After the first signal, no further request is taken, waiting ones are answered with 503, and running ones
    have ``grace_s`` seconds to finish before they are cancelled, which is answered with 503 as well. A second
    signal cancels them at once.

    Parameters
    ----------
    app : Starlette
        From :func:`auralis_fp.server.create_app`.
    host : str
        Name or address; ``localhost`` is both loopback addresses, since clients may use either.
    port : int
        Port; 0 takes any free one.
    grace_s : float
        Seconds that running requests get to finish.
    announce : callable
        Called with a line of text once the server listens.

    Raises
    ------
    AddressError
        The server cannot listen at the address.
    """
    with ExitStack() as on_exit:
        sockets = [on_exit.enter_context(one) for one in _listen(host, port)]
        addresses = ", ".join(_url(one) for one in sockets)
        config = uvicorn.Config(
            app,
            http=_Protocol,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
        )
        asyncio.run(
            _Server(config, app.state.limiter, grace_s).serve_until_signal(sockets, announce, addresses)
        )


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, limiter: Limiter, grace_s: float) -> None:
        super().__init__(config)
        self._limiter: Final = limiter
        self._grace_s: Final = grace_s

    async def serve_until_signal(
        self, sockets: list[socket.socket], announce: Callable[[str], object], addresses: str
    ) -> None:
        loop = asyncio.get_running_loop()
        # In place of uvicorn's own handlers, which end the process with the signal and not with status 0.
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        announce(f"Listening on {addresses}")
        await self._serve(sockets)

    def _end(self) -> None:
        if self.should_exit:
            self._limiter.cancel()
            return
        self._limiter.drain()
        self.should_exit = True
        asyncio.get_running_loop().call_later(self._grace_s, self._limiter.cancel)


class _Protocol(H11Protocol):
    """HTTP whose connections do not wait for the complete head of a request for ever."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._await_head()
        else:
            self._stop_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(_HEAD_S, self.timeout_keep_alive_handler)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def _listen(host: str, port: int) -> list[socket.socket]:
    """Return listening sockets."""
    hosts = ("127.0.0.1", "::1") if host == "localhost" else (host,)
    sockets: list[socket.socket] = []
    for one in hosts:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                one, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            # asyncio sets TCP_NODELAY if the protocol is named; without it, answers take 40 ms more.
            listener = socket.socket(family, kind, protocol)
        except OSError as error:
            if sockets:  # a machine without IPv6
                continue
            raise AddressError(f"cannot listen on {one}: {error.strerror or error}") from None
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(2048)
        except OSError as error:
            listener.close()
            if sockets and error.errno == errno.EADDRNOTAVAIL:  # no IPv6 address
                continue
            for other in sockets:
                other.close()
            why = (
                "another program listens there"
                if error.errno == errno.EADDRINUSE
                else error.strerror or str(error)
            )
            raise AddressError(f"cannot listen on {one}, port {port}: {why}") from None
        sockets.append(listener)
        port = listener.getsockname()[1]  # of port 0, the same for both
    return sockets


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
