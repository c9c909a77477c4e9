"""Connect to a Ray cluster, or start Ray on the loopback address of this machine."""

from __future__ import annotations

import importlib
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from kofinlaw import UserError
from kofinlaw.cluster.address import Cluster
from kofinlaw.cluster.ray_pool import RayProcesses
from kofinlaw.offline import is_loopback

__all__ = ["connected"]

CONNECT_SECONDS = 4.0  # for a machine to accept a connection, and for its server to answer
_LOOPBACK = "127.0.0.1"
JOIN_SECONDS = 120.0  # for a server that answers to start this run's process
# Read by Ray when it is imported or started.
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@contextmanager
def connected(cluster: Cluster, *, offline: bool, code: str) -> Iterator[RayProcesses]:
    """Connect to a Ray cluster, or start Ray on this machine; disconnect at the end.

    Args:
        cluster: Which one. `auto` takes the one that RAY_ADDRESS names, and starts Ray on the
            loopback address of this machine if it names none.
        offline: Whether the run refuses connections to other machines.
        code: The hash of this machine's code; every process of the cluster must have the same.

    Raises UserError if Ray is not installed, if no cluster answers within twice `CONNECT_SECONDS`,
    or if it is another machine's and the run is offline.
    """
    named = os.environ.get("RAY_ADDRESS", "") if cluster.kind == "auto" else ""
    if cluster.kind == "ray":
        named = f"ray://{cluster.host}:{cluster.port}"
    ray = _import_ray()
    if ray.is_initialized():
        raise UserError(
            "this process is already connected to Ray",
            where="cluster",
            remedy="call ray.shutdown() first, or use `cluster: local`",
        )
    try:
        if named:
            _join(ray, named, offline=offline)
        else:
            _start(ray)
        yield RayProcesses(ray, offline=offline, code=code)
    finally:
        ray.shutdown()


def _import_ray() -> ModuleType:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError as error:
        raise UserError(
            "Ray is not installed",
            where="cluster",
            remedy="pip install 'kofinlaw[ray]', or use `cluster: local`",
        ) from error
    return ray


def _start(ray: ModuleType) -> None:
    """Start Ray on this machine, without a dashboard, on the loopback address only.

    Raises UserError if it listens on another address.
    """
    with _loopback():
        ray.init(
            address="local",
            include_dashboard=False,
            _node_ip_address=_LOOPBACK,
            log_to_driver=False,
            configure_logging=False,
        )
    if (address := ray.util.get_node_ip_address()) != _LOOPBACK:
        raise UserError(
            f"Ray {ray.__version__} listens on {address}, where other machines can reach it",
            where="cluster: auto",
            remedy="install the tested version (constraints.txt), or use `cluster: local:4`",
        )


@contextmanager
def _loopback() -> Iterator[None]:
    """Let Ray keep the loopback address, and start without its advice on tokens.

    Ray replaces this address by the one that the machine has in its network, and then listens on
    all addresses. It does not where clusters of several machines are off, as on macOS.
    """
    constants = vars(importlib.import_module("ray._private.ray_constants"))
    clusters = constants.get("ENABLE_RAY_CLUSTER")
    logger = logging.getLogger("ray")
    level = logger.level
    constants["ENABLE_RAY_CLUSTER"] = False
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        constants["ENABLE_RAY_CLUSTER"] = clusters
        logger.setLevel(level)


def _join(ray: ModuleType, address: str, *, offline: bool) -> None:
    """Connect to a running cluster. Raises UserError if that takes too long or fails."""
    where = f"cluster: {address}"
    remedy = (
        "start it there (`ray start --head --node-ip-address ADDRESS --ray-client-server-port "
        "10001`), check name, port and firewall, or use `cluster: local`"
    )
    host, _, port = address.removeprefix("ray://").rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdecimal():
        raise UserError(
            "RAY_ADDRESS names no cluster",
            where=where,
            remedy="write HOST:6379 or ray://HOST:10001, or unset the variable",
        )
    if offline and not is_loopback(host):
        raise UserError(
            f"the cluster is another machine ({host}), and this run is offline",
            where=where,
            remedy="set `offline: false` in the recipe",
        )
    try:
        with socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS) as probe:
            own = probe.getsockname()[0]
        _await_server(f"{host}:{port}")
    except (OSError, ValueError) as error:
        raise UserError(
            f"no cluster can be reached: {error}", where=where, remedy=remedy
        ) from error
    options: dict[str, object] = {"log_to_driver": False, "configure_logging": False}
    if not address.startswith("ray://"):
        options["_node_ip_address"] = own
    failed: list[BaseException] = []
    done = threading.Event()

    def join() -> None:
        try:
            ray.init(address=address, **options)
        except BaseException as error:
            failed.append(error)
        done.set()

    threading.Thread(target=join, daemon=True, name="join-cluster").start()
    if not done.wait(JOIN_SECONDS):
        failed.append(TimeoutError(f"it has not started this run within {JOIN_SECONDS:.0f} s"))
    if failed:
        text = " ".join(str(failed[0]).split())[:300]
        raise UserError(
            f"no cluster can be reached: {text}", where=where, remedy=remedy
        ) from failed[0]


def _await_server(address: str) -> None:
    """Wait until a server of Ray answers; raises TimeoutError for another or a silent server."""
    import grpc

    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=CONNECT_SECONDS)
        except grpc.FutureTimeoutError as error:
            raise TimeoutError("no server of Ray answers there") from error
