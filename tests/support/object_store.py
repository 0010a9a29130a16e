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


@contextmanager
def faulty_proxy(port: int, *, every: int = 10) -> Iterator[tuple[int, dict[str, int]]]:
    """Pass on requests, but every tenth fails in one of four ways; yield the port, and counts of faults."""
    numbers = count(1)
    faults = dict.fromkeys(("500", "503", "dropped", "cut"), 0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def _pass_on(self) -> None:
            number = next(numbers)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fault = list(faults)[number // every % 4] if number % every == 0 else ""
            if fault:
                faults[fault] += 1
            if fault in ("500", "503"):
                self.send_response(int(fault))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if fault == "dropped":
                self.close_connection = True
                return
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if fault == "cut" else content)
            self.close_connection = fault == "cut"

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on  # noqa: N815

        def log_message(self, *_arguments: object) -> None:
            pass

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    proxy.daemon_threads = True
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    try:
        yield proxy.server_port, faults
    finally:
        proxy.shutdown()
        proxy.server_close()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
