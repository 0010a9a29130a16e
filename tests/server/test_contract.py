"""The old server's contract: its clients work as before, and delete nothing."""

from __future__ import annotations

import asyncio
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import requests
from support.server import Server

from auralis_fp import NAMES, analyze, errors
from auralis_fp.server import responses

FATAL_WORDS = ("appears corrupted", "unexpected end of bitstream", "invalid fingerprint")


def would_delete(status: int, text: str) -> bool:
    """Whether a client of the old server would delete the track for an answer."""
    return status == 404 or (status == 400 and any(word in text.lower() for word in FATAL_WORDS))


def test_a_fingerprint_in_the_old_form(server: Server, root: Path) -> None:
    answer = server.fingerprint(root / "song.WAV", track_id=4294967295)
    assert answer.status_code == 200
    content = answer.json()
    assert content.keys() == {"track_id", "fingerprint", "metadata", "processing_time_ms"}
    assert content["track_id"] == 4294967295
    expected = analyze(root / "song.WAV")
    assert content["fingerprint"] == dict(expected)
    assert list(content["fingerprint"]) == list(NAMES)
    assert content["metadata"] == {
        "duration_sec": 10.0, "sample_rate": 44100, "channels": 2, "format": "wav",
    }  # fmt: skip
    assert type(content["processing_time_ms"]) is int


def test_health(server: Server) -> None:
    content = requests.get(f"{server.url}/health", timeout=10).json()
    assert content.keys() == {"status", "version", "uptime_sec"}
    assert content["status"] == "healthy"
    assert type(content["uptime_sec"]) is int


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_both_loopback_addresses(server: Server, host: str) -> None:
    socket.create_connection((host, server.port), 2).close()


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/octet-stream", None])
def test_the_content_type_does_not_matter(server: Server, root: Path, content_type: str | None) -> None:
    body = json.dumps({"track_id": 1, "filepath": str(root / "song.WAV")}).encode()
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert (
        requests.post(f"{server.url}/fingerprint", data=body, headers=headers, timeout=30).status_code == 200
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("missing.wav", "FileNotFound"),
        ("song.WAV/below.wav", "FileNotFound"),
        ("empty.mp3", "Unsupported"),
        ("noise.mp3", "Unsupported"),
        ("folder.wav", "Unreadable"),
        ("cut.flac", "Unsupported"),
    ],
)
def test_files_that_cannot_be_measured(server: Server, root: Path, name: str, kind: str) -> None:
    answer = server.fingerprint(root / name)
    content = answer.json()
    assert answer.status_code == 422
    assert content.keys() == {"error", "kind", "stage", "cause"}
    assert content["kind"] == kind


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 60_000,
        b"{}",
        b'{"track_id": 1}',
        b'{"filepath": "/x"}',
        b'{"track_id": true, "filepath": "/x"}',
        b'{"track_id": 1.5, "filepath": "/x"}',
        b'{"track_id": -1, "filepath": "/x"}',
        b'{"track_id": 4294967296, "filepath": "/x"}',
        b'{"track_id": "1", "filepath": "/x"}',
        b'{"track_id": 1, "filepath": 7}',
        b'{"track_id": 1, "filepath": null}',
        b'{"track_id": 1e999, "filepath": "/x"}',
        b'{"track_id": ' + b"9" * 5000 + b', "filepath": "/x"}',
    ],
)
def test_what_is_no_request(server: Server, body: bytes) -> None:
    answer = requests.post(f"{server.url}/fingerprint", data=body, timeout=10)
    assert answer.status_code == 400
    assert answer.json().keys() == {"error"}


def test_a_body_that_is_too_large(server: Server) -> None:
    answer = requests.post(f"{server.url}/fingerprint", data=b" " * 100_000, timeout=10)
    assert answer.status_code == 413


def test_no_answer_makes_a_client_delete_a_track() -> None:
    """Every kind of error, with what FFmpeg may write as its cause."""
    causes = [
        "appears corrupted",
        "Unexpected end of bitstream",
        "Invalid fingerprint",
        "Invalid data found when processing input",
        "End of file",
        "File not found",
    ]
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.AnalysisError)
    ]
    assert len(kinds) > 10
    for kind in kinds:
        for cause in causes:
            answer = responses.failed(kind(cause, stage="decode", path="/x"))
            assert not would_delete(answer.status_code, bytes(answer.body).decode())


def test_no_refusal_makes_a_client_delete_a_track(server: Server, root: Path) -> None:
    paths = [
        "missing.wav",
        "empty.mp3",
        "noise.mp3",
        "folder.wav",
        "cut.flac",
        "secret.wav",
        "../x",
        "loop.wav",
    ]
    answers = [server.fingerprint(root / path) for path in paths]
    answers += [
        requests.post(f"{server.url}/fingerprint", data=data, timeout=10)
        for data in (b"", b"{}", b" " * 99_999)
    ]
    answers += [
        requests.request(method, f"{server.url}/fingerprint", timeout=10)
        for method in ("GET", "PUT", "DELETE")
    ]
    assert {answer.status_code for answer in answers} == {400, 403, 405, 413, 422}
    assert not [answer.text for answer in answers if would_delete(answer.status_code, answer.text)]


def test_sixteen_threads_of_requests(server: Server, root: Path) -> None:
    names = ["song.WAV", "flac-16.flac", "mp3-vbr-0.mp3", "missing.wav"] * 16
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda one: server.fingerprint(root / one[1], one[0]), enumerate(names)))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 422] * 16
    for track_id, (name, answer) in enumerate(zip(names, answers, strict=True)):
        if answer.ok:
            assert answer.json()["track_id"] == track_id
            assert answer.json()["fingerprint"] == dict(analyze(root / name))


def test_sixteen_tasks_of_aiohttp(server: Server, root: Path) -> None:
    async def ask(session: aiohttp.ClientSession, track_id: int) -> dict[str, Any]:
        body = {"track_id": track_id, "filepath": str(root / "mp3-vbr-0.mp3")}
        async with session.post(f"{server.url}/fingerprint", json=body) as answer:
            assert answer.status == 200
            content: dict[str, Any] = await answer.json()
            return content

    async def ask_all() -> list[dict[str, Any]]:
        async with aiohttp.ClientSession() as session:
            return await asyncio.gather(*(ask(session, i) for i in range(16)))

    expected = dict(analyze(root / "mp3-vbr-0.mp3"))
    answers = asyncio.run(ask_all())
    assert [one["track_id"] for one in answers] == list(range(16))
    assert all(one["fingerprint"] == expected for one in answers)
