"""Keep a run offline: environment variables for other libraries and a guard on Python sockets."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

from kofinlaw import UserError

__all__ = [
    "ENVIRONMENT",
    "GIT_OFFLINE",
    "ONLY_OFFLINE",
    "P",
    "R",
    "guard",
    "is_loopback",
    "known_host",
    "quiet_kernel_search",
    "set_environment",
]

P = ParamSpec("P")
R = TypeVar("R")

# Variables that forbid git every transport, also in programs that other programs start.
GIT_OFFLINE = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
}
ENVIRONMENT = {
    **GIT_OFFLINE,
    "PIP_NO_INDEX": "1",
    "UV_OFFLINE": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "USE_HUB_KERNELS": "NO",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    "DO_NOT_TRACK": "1",
    "ANONYMIZED_TELEMETRY": "False",
    # `train.report_to: [wandb]` opens wandb in its offline mode, whatever this says.
    "WANDB_MODE": "disabled",
    "VLLM_NO_USAGE_STATS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
ONLY_OFFLINE = (
    *GIT_OFFLINE,
    "PIP_NO_INDEX",
    "UV_OFFLINE",
    "HF_HUB_OFFLINE",
    "TRANSFORMERS_OFFLINE",
    "HF_DATASETS_OFFLINE",
    "WANDB_MODE",
)


def set_environment(*, offline: bool = True) -> None:
    """Set the environment variables of other libraries.

    Call it before transformers or datasets are imported. Telemetry and remote kernels are always
    off; `offline` also forbids the hub and package indexes, and git every transport. Child
    processes inherit the variables.
    """
    for name, value in ENVIRONMENT.items():
        if name in ONLY_OFFLINE:
            if offline:
                os.environ[name] = value
        else:
            os.environ.setdefault(name, value)


def quiet_kernel_search() -> None:
    """Silence the warning of bitsandbytes that it found no kernel of the hub.

    On processors with bfloat16 it looks for one when it is imported, and advises to install a
    package. Remote kernels are always off here, and it computes without them.
    """
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine. Names are not resolved."""
    host = host.strip("[]").split("%")[0]
    if host in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback


def known_host(given: str, port: int) -> bool:
    """Return whether a `Host` header has a loopback name and this port."""
    name, _, after = given.rpartition(":") if not given.endswith("]") else (given, "", "")
    if not name:
        name, after = given, ""
    if after and after != str(port):
        return False
    bare = name.strip("[]").lower()
    if bare == "localhost":
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


def _caller() -> str:
    """Return `file:line in function` of the innermost frame outside the standard
    library and this file.
    """
    frames = traceback.extract_stack()[:-2]
    inside = os.path.dirname(socket.__file__)  # noqa: PTH120
    for frame in reversed(frames):
        library = frame.filename.startswith(inside) and "site-packages" not in frame.filename
        if frame.filename != __file__ and not library:
            return f"{frame.filename}:{frame.lineno} in {frame.name}"
    return "unknown"


def _refuse(target: str) -> UserError:
    return UserError(
        f"the connection to {target} was refused: this run is offline",
        where=_caller(),
        remedy="to allow the connection, set `offline: false` in the recipe",
    )


def _check_address(address: object) -> None:
    if isinstance(address, tuple) and not is_loopback(str(address[0])):
        raise _refuse(f"{address[0]}:{address[1]}")


def _check_name(host: object) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name is not None and not is_loopback(str(name)):
        raise _refuse(str(name))


def _guarded(call: Callable[P, R], check: Callable[..., None]) -> Callable[P, R]:
    """Return the call, with `check` on its positional arguments before it."""

    def guarded(*arguments: P.args, **named: P.kwargs) -> R:
        check(*arguments)
        return call(*arguments, **named)

    return guarded


# Every socket call that can leave the machine, and the check on its target.
_OUTBOUND_CALLS: tuple[tuple[object, str, Callable[..., None]], ...] = (
    (socket.socket, "connect", lambda self, address: _check_address(address)),
    (socket.socket, "connect_ex", lambda self, address: _check_address(address)),
    (socket.socket, "sendto", lambda self, data, *rest: _check_address(rest[-1])),
    (socket, "getaddrinfo", lambda host=None, *rest: _check_name(host)),
    (socket, "gethostbyname", lambda host: _check_name(host)),
    (socket, "gethostbyname_ex", lambda host: _check_name(host)),
    (socket, "gethostbyaddr", lambda host: _check_name(host)),
)


class _Sockets:
    """The outbound calls of the process while guards are open.

    Guards may overlap in any order, on several threads: the first one replaces the calls, and the
    last one puts them back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._guards = 0
        self._originals: list[tuple[object, str, Callable[..., object]]] = []

    def close(self) -> None:
        """Count a guard; the first one replaces the calls."""
        with self._lock:
            self._guards += 1
            if self._guards == 1:
                for owner, name, check in _OUTBOUND_CALLS:
                    call = getattr(owner, name)
                    self._originals.append((owner, name, call))
                    setattr(owner, name, _guarded(call, check))

    def reopen(self) -> None:
        """Forget a guard; the last one puts the calls back."""
        with self._lock:
            self._guards -= 1
            if self._guards == 0:
                for owner, name, call in self._originals:
                    setattr(owner, name, call)
                self._originals.clear()


_SOCKETS = _Sockets()


@contextlib.contextmanager
def guard(*, offline: bool = True) -> Iterator[None]:
    """Inside the block, a connection or name look-up beyond loopback raises UserError.

    The error names the calling line. The guard covers Python's sockets on every thread of the
    process until the last open guard ends. It does not see sockets that native code opens. The
    environment variables stay set. With `offline` false it does nothing.
    """
    if not offline:
        yield
        return
    set_environment()
    _SOCKETS.close()
    try:
        yield
    finally:
        _SOCKETS.reopen()
