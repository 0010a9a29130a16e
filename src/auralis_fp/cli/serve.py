"""``auralis-fp serve``: fingerprints over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from auralis_fp.cli.common import give_up

__all__ = ["serve"]

_MIN_TOKEN: Final = 16


@click.command()
@click.option(
    "--root",
    "roots",
    metavar="DIR",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    help="Folder whose files may be analysed; may be given several times.",
)
@click.option(
    "--host",
    metavar="HOST",
    default="localhost",
    help="Where to listen. Beyond this machine it needs --token-file.",
)
@click.option(
    "--port",
    metavar="PORT",
    type=click.IntRange(0, 65535),
    default=8766,
    help="Port; 0 takes any that is free.",
)
@click.option("--workers", metavar="N", type=click.IntRange(1, 256), default=16, help="Analyses at a time.")
@click.option(
    "--queue",
    metavar="N",
    type=click.IntRange(min=0),
    default=64,
    help="Requests that may wait for a worker; the next is answered with 503.",
)
@click.option(
    "--timeout",
    metavar="S",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    help="Seconds for a request, waiting included.",
)
@click.option(
    "--grace",
    metavar="S",
    type=click.FloatRange(min=0),
    default=10.0,
    help="Seconds that running analyses have after SIGTERM.",
)
@click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="File with the token that requests must carry (Authorization: Bearer TOKEN).",
)
@click.option(
    "--name",
    "names",
    metavar="HOST",
    multiple=True,
    help="Another host name by which the server may be called; may be given several times.",
)
@click.option(
    "--max-upload",
    metavar="MB",
    type=click.IntRange(min=0),
    default=256,
    help="Largest file that may be sent to /v1/analyze.",
)
@click.option(
    "--db",
    metavar="FILE_OR_URL",
    help="Library whose fingerprints of unchanged files are answered without an analysis.",
)
def serve(
    roots: tuple[Path, ...],
    host: str,
    port: int,
    workers: int,
    queue: int,
    timeout: float,
    grace: float,
    token_file: Path | None,
    names: tuple[str, ...],
    max_upload: int,
    db: str | None,
) -> None:
    """Answer requests for fingerprints over HTTP.

    Speaks the protocol of the old fingerprint server (POST /fingerprint, GET /health), and has POST
    /v1/analyze, GET /metrics and GET /openapi.json beside it. Only programs on this machine may ask, and
    only for files inside the roots.

    Exit status: 0 after SIGTERM or Ctrl-C, 2 if it could not run.
    """
    from auralis_fp.server import create_app
    from auralis_fp.server.access import LOOPBACK_HOSTS
    from auralis_fp.server.run import AddressError, is_loopback, run

    token = None if token_file is None else _token_in(token_file)
    if token is None and not is_loopback(host):
        give_up(f"--host {host} is reachable from other machines: that needs --token-file")
    try:
        app = create_app(
            roots,
            workers=workers,
            waiting=queue,
            timeout=timeout,
            hosts={*LOOPBACK_HOSTS, host, *names},
            token=token,
            max_upload_bytes=max_upload * 1_000_000,
            database=db,
        )
    except NotADirectoryError as error:
        give_up(f"{error.filename}: no such folder")
    try:
        run(app, host, port, grace_s=grace, announce=lambda line: print(line, flush=True))
    except AddressError as error:
        give_up(str(error))


def _token_in(file: Path) -> str:
    try:
        token = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        give_up(f"{file}: {getattr(error, 'strerror', None) or error}")
    if not token.isprintable() or not token.isascii() or len(token) < _MIN_TOKEN:
        give_up(f"{file}: a token is one line of at least {_MIN_TOKEN} printable ASCII characters")
    return token
