"""A real S3 server on this machine, versitygw on a folder, and a proxy before it that fails now and then."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Final

KEY: Final = "tests"
SECRET: Final = "only for tests"


@dataclass(frozen=True)
class ObjectStore:
    """A server, each bucket of which is a folder in ``folder``."""

    port: int
    folder: Path

    def environment(self, port: int | None = None, secret: str = SECRET) -> dict[str, str]:
        """Return what tells a program of the server, or of a proxy before it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port or self.port}",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }


def server_program() -> str | None:
    """Return versitygw, which ``scripts/setup dev`` installs where there is Go."""
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    return shutil.which("versitygw", path=os.pathsep.join(folders))


@contextmanager
def object_store(folder: Path) -> Iterator[ObjectStore]:
    program = server_program()
    assert program is not None
    (folder / "buckets").mkdir(parents=True)
    port = _free_port()
    arguments = ["--access", KEY, "--secret", SECRET, "--port", f"127.0.0.1:{port}", "posix", "buckets"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([program, *arguments], cwd=folder, stdout=log, stderr=log)
        try:
            for _attempt in range(600):
                with socket.socket() as connection:
                    if connection.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert server.poll() is None, (folder / "log").read_text()
                time.sleep(0.1)
            yield ObjectStore(port, folder / "buckets")
        finally:
            server.kill()
            server.wait()


class FaultyProxy:
    """Passes requests on to a server on this machine, but every tenth fails, in one of four ways in turn.

    Attributes
    ----------
    target : int
        The port of the server; until it is set, every request fails.
    faults : dict
        The number of faults by their kind.
    """

    def __init__(self) -> None:
        self.target = 0
        self.faults = dict.fromkeys(("500", "503", "dropped", "cut"), 0)
        self._numbers = count(1)

        class Handler(_PassingOn):
            proxy = self

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_port

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[FaultyProxy]:
        proxy = cls()
        threading.Thread(target=proxy._server.serve_forever, daemon=True).start()
        try:
            yield proxy
        finally:
            proxy._server.shutdown()
            proxy._server.server_close()

    def next_fault(self) -> str:
        number = next(self._numbers)
        if number % 10:
            return ""
        fault = list(self.faults)[number // 10 % len(self.faults)]
        self.faults[fault] += 1
        return fault


class _PassingOn(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    proxy: FaultyProxy

    def pass_on(self) -> None:
        body = self.read_body()
        fault = self.proxy.next_fault()
        if fault in ("500", "503"):
            self.send_response(int(fault))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if fault == "dropped":
            self.close_connection = True
            return
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.target, timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() != "expect":  # the answer to that has been given here
                connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() != "transfer-encoding":
                self.send_header(name, value)
        if answer.chunked:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if fault == "cut" else content)
        self.close_connection = fault == "cut"

    def read_body(self) -> bytes:
        """Return the body as it is sent, in chunks or at once."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while True:
            line = self.rfile.readline()
            size = int(line.split(b";")[0], 16)
            body += line + self.rfile.read(size + 2)
            if not size:
                return body

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on  # noqa: N815

    def log_message(self, *_arguments: object) -> None:
        pass


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
