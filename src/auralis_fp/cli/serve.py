"""``auralis-fp serve``: fingerprints over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from auralis_fp.cli.common import count_option, give_up, seconds_option

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
    help="Folder whose files may be analysed. Repeatable.",
)
@click.option(
    "--host",
    metavar="HOST",
    default="localhost",
    help="Address to listen on. One that other machines can reach needs --token-file.",
)
@count_option("--port", "Port to listen on; 0 takes any free one.", metavar="PORT", default=8766, most=65535)
@count_option("--workers", "Number of analyses at a time.", default=16, least=1, most=256)
@count_option("--queue", "Number of requests that may wait; further ones are answered with 503.", default=64)
@seconds_option("--timeout", "Time limit of a request, including the wait.", default=60, positive=True)
@seconds_option("--grace", "Time that running analyses get to finish after SIGTERM.", default=10)
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
    help="Another host name that requests may use for this server. Repeatable.",
)
@count_option("--max-upload", "Largest file that may be sent to /v1/analyze.", metavar="MB", default=256)
@click.option(
    "--db",
    metavar="FILE_OR_URL",
    help="Library from which files that have not changed are answered, without an analysis.",
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

    Speaks the protocol of the old fingerprint server (POST /fingerprint, GET /health); POST /v1/analyze,
    GET /metrics and GET /openapi.json are new. By default, only programs on this machine are answered, and
    only files inside the --root folders are read.

    Exit status: 0 after SIGTERM or Ctrl-C, 2 if the server could not run.
    """
    from auralis_fp.server import create_app
    from auralis_fp.server.access import LOOPBACK_HOSTS
    from auralis_fp.server.run import AddressError, is_loopback, run

    token = None if token_file is None else _token_in(token_file)
    if token is None and not is_loopback(host):
        give_up(f"--host {host} can be reached from other machines: this needs --token-file")
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
        give_up(f"{file}: the token must be one line of at least {_MIN_TOKEN} printable ASCII characters")
    return token
