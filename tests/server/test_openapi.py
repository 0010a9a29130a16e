"""The OpenAPI document: valid, correct for every answer, and shown by a page that needs nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from support.server import Server

from auralis_fp.server import create_app
from auralis_fp.server.openapi import document

SCHEMA = schemathesis.openapi.from_dict(document(1 << 20))


@SCHEMA.parametrize()
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],
)
def test_generated_requests(case: schemathesis.Case[Any], server: Server) -> None:
    checks = [content_type_conformance, response_schema_conformance, status_code_conformance]
    case.call_and_validate(
        base_url=server.url, checks=[*checks, schemathesis.checks.not_a_server_error], timeout=30
    )


def test_true_answers_fit_as_well(server: Server, root: Path) -> None:
    """Generated paths never lead to a file; these do."""
    names = ("song.WAV", "missing.wav", "noise.mp3", "secret.wav")
    for path in (str(root / name) for name in names):
        bodies: dict[str, Any] = {
            "/fingerprint": {"track_id": 1, "filepath": path},
            "/v1/analyze": {"path": path},
        }
        for operation, body in bodies.items():
            answer = requests.post(server.url + operation, json=body, timeout=30)
            SCHEMA[operation]["POST"].validate_response(answer)


def test_what_is_served_is_the_document(server: Server) -> None:
    served = requests.get(f"{server.url}/openapi.json", timeout=10).json()
    assert served == document(256_000_000)


def test_every_route_is_described() -> None:
    routes = {route.path for route in create_app([Path.cwd()]).routes}  # type: ignore[attr-defined]
    assert routes - set(document(1)["paths"]) == {"/openapi.json", "/"}


def test_the_page_needs_nothing_else(server: Server) -> None:
    answer = requests.get(server.url, timeout=10)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.findall(r"<script|<img|<link|src=|https?://", answer.text)
    for path in document(1)["paths"]:
        assert path in answer.text
