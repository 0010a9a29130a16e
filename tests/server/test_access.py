"""Who may send requests, and for what: nothing outside the roots, no other host name, no web page."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests
from support.server import Server, running_server

from auralis_fp import errors
from auralis_fp.server import create_app
from auralis_fp.server.roots import Outside, Roots


@pytest.mark.parametrize(
    "path",
    ["secret.wav", "outside/secret.wav", "../outside0/secret.wav", "a\0b", "\udcff/../../x", "../served0"],
)
def test_paths_that_lead_out(server: Server, root: Path, path: str) -> None:
    answer = server.fingerprint(f"{root}/{path}")
    assert answer.status_code == 403
    assert answer.json().keys() == {"error"}


@pytest.mark.parametrize("name", ["loop.wav", "x" * 5000])
def test_names_inside_that_nothing_can_have(server: Server, root: Path, name: str) -> None:
    answer = server.fingerprint(root / name)
    assert (answer.status_code, answer.json()["kind"]) == (422, "Unreadable")


@pytest.mark.parametrize(
    "path", ["", ".", "song.WAV", "/", "/etc/passwd", "/etc/no-such-file", "/proc/self/environ"]
)
def test_paths_elsewhere_look_alike_whether_there_is_a_file_or_not(server: Server, path: str) -> None:
    answer = server.fingerprint(path)
    assert (answer.status_code, answer.json()) == (
        403, {"error": "the path is not inside the folders that this server was given"},
    )  # fmt: skip


def test_a_root_itself_and_a_neighbour_of_like_name(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "music2").mkdir()
    (tmp_path / "music2" / "x.wav").touch()
    roots = Roots([tmp_path / "music"])
    for path in (tmp_path / "music", tmp_path / "music2" / "x.wav"):
        with pytest.raises(Outside), roots.open(str(path)):
            pass


def test_links_inside_and_a_root_that_is_a_link(server: Server, root: Path, tmp_path: Path) -> None:
    assert server.fingerprint(root / "inside.wav").status_code == 200
    (tmp_path / "link").symlink_to(root)
    with Roots([tmp_path / "link"]).open(str(tmp_path / "link" / "song.WAV")) as descriptor:
        assert os.fstat(descriptor).st_size > 1000


def test_pipes_and_devices_are_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "pipe.wav")
    with (
        pytest.raises(errors.Unreadable, match="not a regular file"),
        Roots([root]).open(str(root / "pipe.wav")),
    ):
        pass


def test_a_link_exchanged_at_any_moment_never_leads_out(tmp_path: Path) -> None:
    """A folder turns into a link to the outside and back while files in it are opened."""
    inside, outside, folder = tmp_path / "root", tmp_path / "outside", tmp_path / "root" / "album"
    outside.mkdir()
    (outside / "song.wav").write_bytes(b"secret")
    folder.mkdir(parents=True)
    (folder / "song.wav").write_bytes(b"open")
    stop = threading.Event()

    def exchange() -> None:
        while not stop.is_set():
            folder.rename(inside / "aside")
            folder.symlink_to(outside)
            folder.unlink()
            (inside / "aside").rename(folder)

    roots, opened, refused = Roots([inside]), 0, 0
    thread = threading.Thread(target=exchange)
    thread.start()
    try:
        while opened < 200 or (refused < 20 and opened < 20_000):
            try:
                with roots.open(str(folder / "song.wav")) as descriptor:
                    assert os.read(descriptor, 10) == b"open"
                    opened += 1
            except (Outside, errors.AnalysisError):
                refused += 1
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8766",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "",
        "localhost@evil",
        "[::1",
        "a b",
        "localhost:x",
    ],
)
def test_other_host_names(server: Server, host: str) -> None:
    answer = requests.get(f"{server.url}/health", headers={"Host": host}, timeout=10)
    assert answer.status_code in (400, 403)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:80", "[::1]", "[::1]:8766"])
def test_own_host_names(server: Server, host: str) -> None:
    assert requests.get(f"{server.url}/health", headers={"Host": host}, timeout=10).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000", ""])
def test_pages_of_other_sites(server: Server, root: Path, origin: str) -> None:
    body = f'{{"track_id": 1, "filepath": "{root / "song.WAV"}"}}'
    answer = requests.post(f"{server.url}/fingerprint", data=body, headers={"Origin": origin}, timeout=10)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_token(root: Path, tmp_path: Path) -> None:
    secret = "correct-horse-battery"
    (tmp_path / "token").write_text(secret + "\n")
    with running_server("--root", root, "--token-file", tmp_path / "token") as server:

        def status(path: str, header: str | None) -> int:
            headers = {} if header is None else {"Authorization": header}
            return requests.get(server.url + path, headers=headers, timeout=10).status_code

        assert status("/health", None) == 200
        assert [
            status("/metrics", header)
            for header in (None, "", "Bearer", "Bearer x", f"Basic {secret}", secret)
        ] == [401] * 6
        assert status("/metrics", f"bearer {secret}") == 200
        assert server.fingerprint(root / "song.WAV").status_code == 401


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "auralis_fp", "serve", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "music.example"])
def test_beyond_loopback_only_with_a_token(root: Path, host: str) -> None:
    done = run("--root", root, "--host", host)
    assert done.returncode == 2
    assert (
        done.stderr
        == f"auralis-fp: --host {host} can be reached from other machines: this needs --token-file\n"
    )


def test_a_port_in_use_is_one_line(server: Server, root: Path) -> None:
    done = run("--root", root, "--port", server.port)
    assert done.returncode == 2
    assert done.stderr == (
        f"auralis-fp: cannot listen on 127.0.0.1, port {server.port}: another program listens there\n"
    )


def test_no_root_and_a_root_that_is_none(tmp_path: Path) -> None:
    assert run().returncode == 2
    assert run("--root", tmp_path / "none").stderr == f"auralis-fp: {tmp_path / 'none'}: no such folder\n"
    with pytest.raises(ValueError, match="at least one root"):
        create_app([])


@pytest.mark.parametrize("content", ["", "short", "two\nlines of a long token", "ünïcode-token-of-length"])
def test_files_that_hold_no_token(root: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "token").write_text(content)
    done = run("--root", root, "--token-file", tmp_path / "token")
    assert done.returncode == 2
    assert "the token must be one line" in done.stderr
