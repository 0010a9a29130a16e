"""A Ray cluster of several nodes on this machine, and what can happen to it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from support.library import command
from support.processes import environment

QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


class RayCluster:
    """A head without processors, and nodes of one processor each.

    Parameters
    ----------
    nodes : int
        How many.
    variables : mapping
        Environment variables of the nodes.
    """

    def __init__(self, nodes: int, variables: Mapping[str, str] = {}) -> None:
        from ray.cluster_utils import Cluster

        self._variables = {**QUIET, **environment(), **variables}
        with changed_environment(self._variables):
            self._cluster: Any = Cluster(
                initialize_head=True,
                head_node_args={
                    "num_cpus": 0, "include_dashboard": False, "object_store_memory": 80 << 20
                },
            )  # fmt: skip
        self._nodes = [self._new_node() for _ in range(nodes)]

    @property
    def address(self) -> str:
        return str(self._cluster.address)

    def close(self) -> None:
        self._cluster.shutdown()

    def kill_worker(self) -> bool:
        """Kill a worker that is measuring; return whether there was one."""
        found = self._workers()
        for process in found[:1]:
            process.kill()
        return bool(found)

    def replace_node(self) -> None:
        """Kill all processes of a node, and start another one."""
        self._cluster.remove_node(self._nodes.pop(0), allow_graceful=False)
        self._nodes.append(self._new_node())

    def _new_node(self) -> Any:
        with changed_environment(self._variables):
            return self._cluster.add_node(num_cpus=1, object_store_memory=80 << 20)

    def _workers(self) -> list[psutil.Process]:
        found = []
        for process in psutil.Process().children(recursive=True):
            try:
                if process.cmdline()[:1] == ["ray::_measure"] and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found


@contextmanager
def changed_environment(changes: Mapping[str, str]) -> Iterator[None]:
    """Change environment variables of this process for a while."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def ray_cluster(nodes: int = 2, variables: Mapping[str, str] = {}) -> Iterator[RayCluster]:
    """Yield a cluster whose nodes have some environment variables beside those of this process."""
    cluster = RayCluster(nodes, variables)
    try:
        yield cluster
    finally:
        cluster.close()


def start_run(address: str, *arguments: str | Path) -> subprocess.Popen[str]:
    """Start ``auralis-fp cluster`` on a cluster."""
    whole = command("cluster", *arguments, "--address", address, "--progress", "plain")
    return subprocess.Popen(
        whole, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(QUIET)
    )


def kill_run(run: subprocess.Popen[str]) -> None:
    run.send_signal(signal.SIGKILL)
    run.communicate()
