"""Many clients at once on one server, half of which disconnect early, and a tenth are hostile.

    scripts/python tests/tools/storm.py FOLDER [--requests N] [--clients N] [--seed N]

FOLDER holds audio files. Exit status 1 if a client that waited got no answer, an answer broke the contract,
or the server kept requests, descriptors or memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from support.server import Server, running_server
from support.workers import eventually

_STATUSES: Final = {
    "good": {200, 503},
    "leaves": set(range(600)),
    "bad json": {400},
    "huge body": {413},
    "dots": {403, 503},
    "link": {403, 503},
    "NUL": {403, 503},
    "host": {403},
    "method": {405},
    "nonsense": {400},
}
_HOSTILE: Final = [kind for kind in _STATUSES if kind not in ("good", "leaves")] + ["slow body"]
_DESCRIPTORS: Final = 10
_MEMORY_BYTES: Final = 40_000_000


@dataclass
class Outcome:
    """The outcome of a storm."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def _request(kind: str, path: str) -> bytes:
    """Bytes of a request; ``path`` is a file that may be analysed."""
    paths = {
        "dots": f"{path}/../../../../../../etc/passwd",
        "link": f"{Path(path).parent}/out/x.wav",
        "NUL": path + "\0",
    }
    body = json.dumps({"track_id": 1, "filepath": paths.get(kind, path)}).encode()
    if kind == "bad json":
        body = body[:-3]
    if kind == "huge body":
        body += b" " * 1_000_000
    if kind == "nonsense":
        return b"\x16\x03\x01 no HTTP\r\n\r\n"
    method = "DELETE" if kind == "method" else "POST"
    host = "evil.example" if kind == "host" else "localhost"
    lines = [f"{method} /fingerprint HTTP/1.1", f"Host: {host}", "Connection: close"]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


async def _client(server: Server, kind: str, path: str, chance: random.Random, outcome: Outcome) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        request = _request(kind, path)
        if kind == "slow body":
            writer.write(request[:-10])
            await asyncio.wait_for(reader.read(), 60)  # disconnect, with or without a reset
            return
        writer.write(request)
        if kind == "leaves":
            await asyncio.sleep(chance.expovariate(20))
            return
        answer = await asyncio.wait_for(reader.read(), 120)
        status = int(answer[9:12] or b"0")
        outcome.answers[kind, status] += 1
        if status not in _STATUSES[kind]:
            outcome.faults.append(f"{kind}: {status} {answer[:200]!r}")
    except ConnectionResetError:
        # The server may close on a huge body before all of it is sent.
        if kind not in ("huge body", "nonsense"):
            outcome.faults.append(f"{kind}: connection reset")
    except asyncio.TimeoutError:
        outcome.faults.append(f"{kind}: no answer")
    finally:
        writer.close()


async def _storm(server: Server, paths: list[str], requests: int, clients: int, seed: int) -> Outcome:
    chance = random.Random(seed)
    outcome = Outcome()
    work = iter(range(requests))

    async def one_after_the_other() -> None:
        for _ in work:
            draw = chance.random()
            kind = chance.choice(_HOSTILE) if draw < 0.1 else "leaves" if draw < 0.6 else "good"
            await _client(server, kind, chance.choice(paths), chance, outcome)

    await asyncio.gather(*(one_after_the_other() for _ in range(clients)))
    return outcome


def _is_zero(server: Server, name: str) -> bool:
    return server.metric(f"auralis_fp_{name}") == 0


def storm(
    folder: Path, requests: int, clients: int, seed: int, say: Callable[[str], object] = print
) -> list[str]:
    """Return what went wrong."""
    paths = [str(path) for path in sorted(folder.iterdir()) if path.is_file()]
    with running_server("--root", folder, "--workers", 16, "--queue", clients) as server:
        asyncio.run(_storm(server, paths, 4 * clients, clients, seed))  # every thread and pool is there now
        assert eventually(partial(_is_zero, server, "in_work"))
        descriptors, resident = server.descriptors, server.resident_bytes
        begin = time.monotonic()
        outcome = asyncio.run(_storm(server, paths, requests, clients, seed + 1))
        say(f"{requests} requests of {clients} clients in {time.monotonic() - begin:.0f} s")
        for (kind, status), count in sorted(outcome.answers.items()):
            say(f"  {kind}: {status}: {count}")
        for name in ("in_work", "waiting"):
            if not eventually(partial(_is_zero, server, name)):
                outcome.faults.append(f"{name}: not 0 at the end")
        if not eventually(lambda: server.descriptors <= descriptors + _DESCRIPTORS):
            outcome.faults.append(f"descriptors: {descriptors} before, {server.descriptors} after")
        grown = server.resident_bytes - resident
        say(f"memory: {grown / 1e6:+.1f} MB; descriptors: {server.descriptors - descriptors:+d}")
        if grown > _MEMORY_BYTES:
            outcome.faults.append(f"memory grew by {grown / 1e6:.1f} MB")
        if server.terminate() != 0:
            outcome.faults.append("the server did not end with status 0")
        if errors := server.stderr():
            outcome.faults.append(f"the server wrote: {errors[-2000:]}")
    return outcome.faults


def main() -> int:
    """Run the program."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    faults = storm(given.folder, given.requests, given.clients, given.seed)
    print(*faults[:20], sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
