"""A PostgreSQL server on a private socket, which nobody else can reach."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import create_engine


@contextmanager
def private_server() -> Iterator[Callable[[], str]]:
    """Start a server; yield a function that returns the URL of a new, empty database."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    assert binaries, "PostgreSQL's server is not installed: apt-get install postgresql"
    folder = Path(tempfile.mkdtemp(prefix="auralis-fp-pg-"))
    as_postgres: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*as_postgres, str(binaries[-1] / program), *arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=folder,
        )  # fmt: skip
        assert done.returncode == 0, f"{program}: {done.stderr.decode()}"

    data = str(folder / "data")
    run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "-D", data, "-w", "-s", "-l", str(folder / "log"), "-o", options, "start")
    server = f"postgresql+psycopg://postgres@/{{}}?host={folder}"
    numbers = count(1)

    def new_database() -> str:
        name = f"library{next(numbers)}"
        engine = create_engine(server.format("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine.dispose()
        return server.format(name)

    try:
        yield new_database
    finally:
        run("pg_ctl", "-D", data, "-s", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
