"""Databases to test on: a SQLite file, and a PostgreSQL server of our own on a private socket."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from support.library import write_wav

from auralis_fp.library import LibraryRepository


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[], str]]:
    """Start a server that nobody else can reach; gives URLs of new, empty databases."""
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


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a new database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'library.db'}"
    new_database: Callable[[], str] = request.getfixturevalue("postgresql")
    return new_database()


@pytest.fixture
def repository(database_url: str) -> Iterator[LibraryRepository]:
    """Give a repository on a new database of each kind."""
    opened = LibraryRepository(database_url)
    yield opened
    opened.close()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[LibraryRepository]:
    """Give a repository on a new SQLite database."""
    opened = LibraryRepository(tmp_path / "library.db")
    yield opened
    opened.close()


@pytest.fixture
def music(tmp_path: Path) -> Callable[[int], list[str]]:
    """Give a maker of folders with so many short files."""

    def make(number: int) -> list[str]:
        folder = tmp_path / "music"
        folder.mkdir(exist_ok=True)
        return [write_wav(folder / f"song{index:04}.wav", index) for index in range(number)]

    return make


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """Run a test without root's powers, in a folder of its own, so that permissions mean something."""
    folder = Path(tempfile.mkdtemp(prefix="auralis-fp-"))
    root = os.geteuid() == 0
    if root:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        for path, _folders, _files in os.walk(folder):
            Path(path).chmod(0o700)
        shutil.rmtree(folder)
