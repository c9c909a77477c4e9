"""Start a Ray cluster of several raylets on the loopback address, and kill parts of it.

`enter_loopback` moves this process into a network namespace that has no interface except lo, so
that nothing outside the machine can be reached, and Ray cannot find an address by a name server.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import random
import signal
import socket
import struct
from pathlib import Path
from typing import Any

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 1


def enter_loopback() -> bool:
    """Move this process into a network namespace with only lo; False where that is not allowed."""
    system = ctypes.CDLL(None, use_errno=True)
    flags = CLONE_NEWNET if os.geteuid() == 0 else CLONE_NEWNET | CLONE_NEWUSER
    if system.unshare(flags):
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        row = fcntl.ioctl(handle, GET_FLAGS, struct.pack("16sh22x", b"lo", 0))
        up = struct.unpack("16sh22x", row)[1] | UP
        fcntl.ioctl(handle, SET_FLAGS, struct.pack("16sh22x", b"lo", up))
    return True


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.socket() as handle:
        handle.bind(("127.0.0.1", 0))
        return int(handle.getsockname()[1])


class Raylets:
    """A head and more raylets on 127.0.0.1, each with one CPU; no dashboard, no usage reports."""

    def __init__(self, count: int = 2) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        os.environ["RAY_DISABLE_IMPORT_WARNING"] = "1"
        os.environ["RAY_raylet_start_wait_time_s"] = "300"  # noqa: SIM112 (Ray's name)
        from ray.cluster_utils import Cluster

        self._options = {"num_cpus": 1, "object_store_memory": 80 << 20, "memory": 2 << 30}
        self.client_port = free_port()
        head = {
            **self._options,
            "include_dashboard": False,
            "ray_client_server_port": self.client_port,
        }
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self._count = count
        self._others: list[Any] = []
        self.complete()

    @property
    def address(self) -> str:
        """For RAY_ADDRESS."""
        return str(self._cluster.address)

    def kill_raylet(self) -> None:
        """SIGKILL a raylet that is not the head's, with its workers."""
        self._cluster.remove_node(self._others.pop(), allow_graceful=False)

    def complete(self) -> None:
        """Start raylets in place of those that were killed."""
        while len(self._others) < self._count - 1:
            self._others.append(self._cluster.add_node(**self._options))

    def kill_worker(self, draw: random.Random) -> bool:
        """SIGKILL a process that runs an actor of kofinlaw; False if there is none now."""
        found = [pid for pid in _processes() if _title(pid).startswith("ray::_Actor")]
        if not found:
            return False
        os.kill(draw.choice(found), signal.SIGKILL)
        return True

    def close(self) -> None:
        """End the cluster."""
        self._cluster.shutdown()


def _processes() -> list[int]:
    return sorted(int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""
