"""``auralis-fp serve`` in a process of its own, as users start it."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import requests


class Server:
    """A running server."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, errors: Any) -> None:
        self.process = process
        self.port = port
        self.url = f"http://localhost:{port}"
        self._errors = errors

    def fingerprint(self, path: object, track_id: object = 1, timeout: float = 120) -> requests.Response:
        body: Any = {"track_id": track_id, "filepath": str(path)}
        return requests.post(f"{self.url}/fingerprint", json=body, timeout=timeout)

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        text = requests.get(f"{self.url}/metrics", timeout=60).text
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))

    def raw(self, request: bytes, timeout: float = 40) -> bytes:
        """Return the answer to bytes that need not be HTTP, until the server closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout) as connection:
            connection.sendall(request)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            return answer

    def terminate(self, timeout: float = 20) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    @property
    def descriptors(self) -> int:
        return int(psutil.Process(self.process.pid).num_fds())

    @property
    def resident_bytes(self) -> int:
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def stderr(self) -> str:
        self._errors.seek(0)
        text: str = self._errors.read().decode()
        return text


@contextmanager
def running_server(*arguments: object, port: int = 0) -> Iterator[Server]:
    """Yield a server that listens; it is killed at the end."""
    command = [sys.executable, "-m", "auralis_fp", "serve", "--port", str(port), *map(str, arguments)]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        try:
            assert process.stdout is not None
            line = process.stdout.readline().decode()
            found = re.search(r"http://\S+?:(\d+)", line)
            if found is None:
                process.wait(10)
                errors.seek(0)
                raise AssertionError(f"no server: {line!r} {errors.read().decode()!r}")
            yield Server(process, int(found[1]), errors)
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
