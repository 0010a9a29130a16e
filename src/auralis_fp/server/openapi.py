"""The OpenAPI document of the server, and a page that shows it without a script or another file."""

from __future__ import annotations

import json
from html import escape
from typing import Any, Final

from auralis_fp._version import __version__
from auralis_fp.schema import DIMENSIONS, FINGERPRINT_VERSION
from auralis_fp.server.responses import MEANINGS

__all__ = ["document", "page"]

_NUMBER: Final = {"type": "number"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_TEXT: Final = {"type": "string"}


def document(max_upload_bytes: int) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "auralis_fp",
            "version": __version__,
            "description": "Audio fingerprints: 25 numbers that describe a recording.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": {
            "/fingerprint": {
                "post": _operation(
                    "Measure a file, as clients of the old fingerprint server ask for it",
                    _json_body("FingerprintRequest"),
                    "FingerprintAnswer",
                )
            },
            "/v1/analyze": {
                "post": _operation(
                    "Measure a file on this machine, or an uploaded one",
                    {
                        "required": True,
                        "content": {
                            "application/json": {"schema": _ref("AnalyzeRequest")},
                            "application/octet-stream": {
                                "schema": {
                                    "type": "string",
                                    "format": "binary",
                                    "description": f"A whole audio file, {max_upload_bytes} bytes at most. "
                                    "Any media type but JSON will do.",
                                }
                            },
                        },
                    },
                    "AnalyzeAnswer",
                )
            },
            "/health": {"get": _question("Whether the server runs", "application/json", _ref("Health"))},
            "/metrics": {"get": _question("Counters and gauges for Prometheus", "text/plain", _TEXT)},
        },
        "components": {
            "schemas": _schemas(),
            "responses": _refusals(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _ref(name: str, kind: str = "schemas") -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


def _json_body(schema: str) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": _ref(schema)}}}


def _answer(description: str, media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _operation(summary: str, body: dict[str, Any], answer: str) -> dict[str, Any]:
    refusals = {status: _ref(name, "responses") for status, name in _STATUSES.items()}
    return {
        "summary": summary,
        "requestBody": body,
        "responses": {"200": _answer("The numbers", "application/json", _ref(answer)), **refusals},
    }


def _question(summary: str, media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    refusals = {status: _ref(_STATUSES[status], "responses") for status in ("401", "403")}
    return {"summary": summary, "responses": {"200": _answer("The answer", media_type, schema), **refusals}}


_STATUSES: Final = {
    "400": "NoRequest",
    "401": "NoToken",
    "403": "Forbidden",
    "408": "TooSlow",
    "413": "TooLarge",
    "422": "NotMeasured",
    "503": "Busy",
}


def _refusals() -> dict[str, Any]:
    def refusal(description: str, schema: str = "Error") -> dict[str, Any]:
        return _answer(description, "application/json", _ref(schema))

    busy = refusal("No worker is free, or the server is shutting down")
    busy["headers"] = {"Retry-After": {"description": "Seconds", "schema": _COUNT}}
    return {
        "NoRequest": refusal("The body is not a valid request"),
        "NoToken": refusal("A token is needed"),
        "Forbidden": refusal("The path is outside the folders of this server, or the request is not for it"),
        "TooSlow": refusal("The request did not arrive in time"),
        "TooLarge": refusal("The body is too large"),
        "NotMeasured": refusal("The file cannot be measured", "Failure"),
        "Busy": busy,
    }


def _object(properties: dict[str, Any], *, optional: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, **more}


def _schemas() -> dict[str, Any]:
    path = {"type": "string", "description": "Absolute path of a file inside the folders of this server"}
    track_id = {"type": "integer", "minimum": 0, "maximum": 4294967295}
    text_list = {"type": "array", "items": _TEXT}
    dimensions = {
        d.name: {"type": "number", "minimum": d.minimum, "maximum": d.maximum, "description": d.meaning}
        for d in DIMENSIONS
    }
    old_metadata = {"duration_sec": _NUMBER, "sample_rate": _COUNT, "channels": _COUNT, "format": _TEXT}
    metadata = {
        "duration": _NUMBER,
        "sample_rate": _COUNT,
        "channels": _COUNT,
        "codec": _TEXT,
        "container": _TEXT,
        "samples_decoded": _COUNT,
        "damaged_packets": _COUNT,
        "declared_duration": {"type": ["number", "null"]},
        "clipped_runs": _COUNT,
        "peak": _NUMBER,
        "dc_offset": _NUMBER,
        "identical_channels": {"type": "boolean"},
    }
    failure = {
        "error": _TEXT,
        "kind": {"type": "string", "enum": list(MEANINGS)},
        "stage": _TEXT,
        "cause": _TEXT,
    }
    return {
        "Fingerprint": _object(dimensions, additionalProperties=False),
        "FingerprintRequest": _object({"track_id": track_id, "filepath": path}),
        "FingerprintAnswer": _object(
            {
                "track_id": track_id,
                "fingerprint": _ref("Fingerprint"),
                "metadata": _object(old_metadata),
                "processing_time_ms": _COUNT,
            }
        ),
        "AnalyzeRequest": _object({"path": path}),
        "AnalyzeAnswer": _object(
            {
                "path": {
                    "type": ["string", "null"],
                    "description": "As in the request; null for an uploaded file",
                },
                "fingerprint_version": {"type": "integer", "const": FINGERPRINT_VERSION},
                "fingerprint": _ref("Fingerprint"),
                "undefined": {**text_list, "description": "Dimensions that could not be measured"},
                "metadata": _object(metadata),
                "findings": text_list,
                "seconds": _NUMBER,
            }
        ),
        "Health": _object(
            {"status": {"type": "string", "const": "healthy"}, "version": _TEXT, "uptime_sec": _COUNT}
        ),
        "Error": _object({"error": _TEXT}),
        "Failure": _object(failure),
    }


_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }}
body {{ max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }}
pre {{ overflow-x: auto; padding: .5rem; border: 1px solid; }}
summary {{ cursor: pointer; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{description} Version {version}. This page as data: <a href="openapi.json">openapi.json</a></p>
{operations}
<h2>Schemas</h2>
{schemas}
</main>
</body>
</html>
"""


def page(openapi: dict[str, Any]) -> str:
    """Return an HTML page that shows an OpenAPI document."""
    operations = [
        _section(f"{method.upper()} {path}", operation["summary"], _operation_text(operation))
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = [
        f"<details><summary>{escape(name)}</summary>{_pretty(schema)}</details>"
        for name, schema in openapi["components"]["schemas"].items()
    ]
    info = {key: escape(str(value)) for key, value in openapi["info"].items()}
    return _PAGE.format(**info, operations="\n".join(operations), schemas="\n".join(schemas))


def _section(title: str, summary: str, text: str) -> str:
    return f"<h2><code>{escape(title)}</code></h2>\n<p>{escape(summary)}</p>\n{text}"


def _operation_text(operation: dict[str, Any]) -> str:
    body = operation.get("requestBody", {}).get("content", {})
    parts = [
        f"<p>Body: <code>{escape(media)}</code></p>{_pretty(one['schema'])}" for media, one in body.items()
    ]
    answers = [
        f"<li><code>{status}</code> {escape(one.get('description') or one['$ref'].rpartition('/')[2])}</li>"
        for status, one in operation["responses"].items()
    ]
    return "\n".join([*parts, "<p>Answers:</p>", "<ul>", *answers, "</ul>"])


def _pretty(value: object) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2))}</pre>"
