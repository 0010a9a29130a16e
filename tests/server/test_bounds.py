"""Bounds: workers, waiting places, time, bodies, clients that disconnect, shutdown."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psutil
import pytest
import requests
from support.server import Server, running_server
from support.workers import eventually

from auralis_fp.server.run import _listen


@pytest.fixture(scope="module")
def long_root(long_wav: Path) -> Path:
    return long_wav.parent


@pytest.fixture
def narrow(long_root: Path) -> Iterator[Server]:
    """A server with one worker and one waiting place."""
    with running_server(
        "--root", long_root, "--workers", 1, "--queue", 1, "--grace", 1, "--timeout", 120
    ) as one:
        yield one


def work_of(server: Server) -> tuple[float, float]:
    """Analyses that run, and requests that wait."""
    return server.metric("auralis_fp_in_work"), server.metric("auralis_fp_waiting")


def works(server: Server, expected: tuple[float, float]) -> bool:
    return work_of(server) == expected


def head_of(path: Path) -> bytes:
    body = f'{{"track_id": 1, "filepath": "{path}"}}'.encode()
    return b"POST /fingerprint HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def test_beyond_workers_and_places_there_is_503(narrow: Server, long_wav: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers: list[Future[requests.Response]] = []
        for waiting in (0, 1):
            answers.append(pool.submit(narrow.fingerprint, long_wav))
            assert eventually(partial(works, narrow, (1, waiting)))
        refused = narrow.fingerprint(long_wav)
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) >= 1
        assert requests.get(f"{narrow.url}/health", timeout=60).ok
        assert [answer.result().status_code for answer in answers] == [200, 200]
    assert work_of(narrow) == (0, 0)


def test_a_request_whose_time_is_over_is_answered(long_root: Path, long_wav: Path) -> None:
    with (
        running_server("--root", long_root, "--workers", 1, "--queue", 4, "--timeout", 0.3) as server,
        ThreadPoolExecutor(3) as pool,
    ):
        answers = list(pool.map(lambda _: server.fingerprint(long_wav), range(3)))
    # One ran out of time while it was measured, the others while they waited: those may try again.
    kinds = sorted((one.status_code, one.json().get("kind", "")) for one in answers)
    assert (422, "Timeout") in kinds
    assert set(kinds) <= {(422, "Timeout"), (503, "")}


def test_work_stops_when_its_client_leaves(narrow: Server, long_wav: Path) -> None:
    with socket.create_connection(("127.0.0.1", narrow.port)) as client:
        client.sendall(head_of(long_wav))
        assert eventually(lambda: narrow.metric("auralis_fp_in_work") == 1)
    assert eventually(lambda: narrow.metric("auralis_fp_in_work") == 0)
    assert narrow.metric("auralis_fp_analysis_seconds_total") == 0  # it did not go on to the end


def test_who_waits_and_leaves_frees_the_place(narrow: Server, long_wav: Path) -> None:
    clients = []
    for number in (0, 1):
        clients.append(socket.create_connection(("127.0.0.1", narrow.port)))
        clients[-1].sendall(head_of(long_wav))
        assert eventually(partial(works, narrow, (1, number)))
    clients[1].close()
    assert eventually(lambda: narrow.metric("auralis_fp_waiting") == 0)
    assert narrow.metric("auralis_fp_in_work") == 1
    clients[0].close()


def test_clients_that_say_no_more_are_let_go(server: Server) -> None:
    starts = [
        b"",
        b"POST /finger",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n",
        b"POST /fingerprint HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{",
    ]

    def wait_for(start: bytes) -> tuple[bytes, float]:
        begin = time.monotonic()
        return server.raw(start), time.monotonic() - begin

    with ThreadPoolExecutor(len(starts)) as pool:
        for answer, seconds in pool.map(wait_for, starts):
            assert b" 200 " not in answer
            assert seconds > 5  # it was waited for


def test_a_head_that_comes_a_byte_at_a_time_after_an_answer(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 40) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 " in client.recv(4096)
        closed = False
        for byte in b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 60:
            try:
                client.sendall(bytes([byte]))
            except OSError:
                closed = True
                break
            time.sleep(0.3)
        assert closed


def test_uploads(server: Server, root: Path) -> None:
    path = root / "flac-16.flac"
    by_path = requests.post(f"{server.url}/v1/analyze", json={"path": str(path)}, timeout=30).json()
    sent = requests.post(f"{server.url}/v1/analyze", data=path.read_bytes(), timeout=30).json()
    streamed = requests.post(f"{server.url}/v1/analyze", data=iter([path.read_bytes()]), timeout=30).json()
    assert by_path["path"] == str(path)
    for content in (sent, streamed):
        assert content["path"] is None
        for key in ("fingerprint_version", "fingerprint", "undefined", "metadata", "findings"):
            assert content[key] == by_path[key]


def test_uploads_that_are_no_audio(server: Server) -> None:
    answer = requests.post(f"{server.url}/v1/analyze", data=b"no audio at all" * 100, timeout=30)
    assert (answer.status_code, answer.json()["kind"]) == (422, "Unsupported")


def test_uploads_that_are_too_large(root: Path) -> None:
    with running_server("--root", root, "--max-upload", 1) as server:
        for data in (b" " * 1_000_001, iter([b" " * 600_000] * 2)):
            assert requests.post(f"{server.url}/v1/analyze", data=data, timeout=30).status_code == 413
        open_files = [file.path for file in psutil.Process(server.process.pid).open_files()]
        assert not [path for path in open_files if "auralis-fp-" in path]


def test_sigterm_ends_with_an_answer_for_everyone(narrow: Server, long_wav: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = []
        for number in (0, 1):
            answers.append(pool.submit(narrow.fingerprint, long_wav))
            assert eventually(partial(works, narrow, (1, number)))
        assert narrow.terminate() == 0
        assert {one.result().status_code for one in answers} <= {200, 503}
        assert answers[1].result().status_code == 503
    with pytest.raises(requests.ConnectionError):
        narrow.fingerprint(long_wav)


def test_sigterm_at_rest(root: Path) -> None:
    with running_server("--root", root) as one:
        with requests.Session() as session:  # whose connection stays open
            assert session.get(f"{one.url}/health", timeout=60).ok
            assert one.terminate(5) == 0
        assert one.stderr() == ""


def test_kill_and_restart(root: Path, long_root: Path, long_wav: Path) -> None:
    with running_server("--root", long_root) as one, ThreadPoolExecutor(4) as pool:
        port = one.port
        answers = [pool.submit(one.fingerprint, long_wav) for _ in range(4)]
        assert eventually(lambda: one.metric("auralis_fp_in_work") == 4)
        one.process.kill()
        for answer in answers:
            assert isinstance(answer.exception(), requests.ConnectionError)
    with running_server("--root", root, port=port) as again:
        assert again.fingerprint(root / "song.WAV").ok


def test_answers_are_sent_without_delay() -> None:
    """What asyncio requires of a socket; otherwise, an answer in two pieces waits 40 ms in between."""
    sockets = _listen("localhost", 0)
    assert {one.proto for one in sockets} == {socket.IPPROTO_TCP}
    for one in sockets:
        one.close()
