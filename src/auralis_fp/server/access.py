"""Who may send requests: exact host names, no page of another site, and a token if one is set."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from auralis_fp.server.responses import refused

__all__ = ["LOOPBACK_HOSTS", "Access"]

LOOPBACK_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_OPEN_PATHS: Final = frozenset({"/health"})


class Access:
    """Middleware that lets requests through or refuses them.

    A web page may send requests to this machine, and may point a host name of its own at it (DNS rebinding);
    the ``Host`` or the ``Origin`` of such a request is not in the list.

    Parameters
    ----------
    app : ASGI application
        The application behind it.
    hosts : collection of str
        Names and addresses of the server, without a port, that requests may use.
    token : str, optional
        The token that ``Authorization: Bearer`` must carry, on every path but ``/health``.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], token: str | None) -> None:
        self._app: Final = app
        self._hosts: Final = frozenset(host.lower() for host in hosts)
        self._token: Final = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1003})
            return
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _name_of(host) not in self._hosts:
            return refused(403, "this server does not answer to that host name")
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != host.lower():
            return refused(403, "this server does not answer to pages of other sites")
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if self._token is not None and path not in _OPEN_PATHS:
            scheme, _, token = headers.get("authorization", "").partition(" ")
            given = scheme.lower() == "bearer" and hmac.compare_digest(
                token.strip().encode(), self._token.encode()
            )
            if not given:
                return refused(401, "a token is needed", {"WWW-Authenticate": "Bearer"})
        return None


def _name_of(host: str) -> str | None:
    """Return the name or address in a ``Host`` header, or None if it is malformed."""
    try:
        parts = urlsplit(f"//{host}")
        valid = parts.port is not None or parts.netloc == host
    except ValueError:
        return None
    return parts.hostname if valid and parts.netloc == host and "@" not in host else None
