"""Ray on two nodes, and a real object store, for all tests of the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.object_store import FaultyProxy, ObjectStore, object_store, server_program
from support.ray_cluster import RayCluster, ray_cluster


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    """An empty object store."""
    if server_program() is None:
        pytest.skip("no versitygw: scripts/setup dev installs it where there is Go")
    with object_store(tmp_path_factory.mktemp("store")) as server:
        yield server


@pytest.fixture(scope="session")
def proxy() -> Iterator[FaultyProxy]:
    """A proxy that passes nine of ten requests on, to what is set as its target."""
    with FaultyProxy.running() as running:
        yield running


@pytest.fixture(scope="session")
def nodes(proxy: FaultyProxy) -> Iterator[RayCluster]:
    """A Ray cluster of two nodes, for which the object store is behind the proxy."""
    pytest.importorskip("ray", reason="Ray is not installed")
    with ray_cluster(variables=ObjectStore(proxy.port, Path()).environment()) as cluster:
        yield cluster


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A folder for results."""
    return tmp_path / "output"
