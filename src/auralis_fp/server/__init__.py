"""Fingerprints over HTTP, for programs in other languages and for clients of the old server.

Needs the extra ``auralis-fp[server]``. Inside a Python program, :func:`auralis_fp.analyze` needs no server.

>>> from auralis_fp.server import create_app
>>> application = create_app(["/srv/music"])  # doctest: +SKIP
"""

try:
    from auralis_fp.server.app import create_app
except ModuleNotFoundError as error:
    if error.name in ("starlette", "anyio", "prometheus_client"):
        message = f"auralis_fp.server needs {error.name}: pip install 'auralis-fp[server]'"
        raise ImportError(message) from error
    raise

__all__ = ["create_app"]
