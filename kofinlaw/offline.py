"""Offline means offline: settings for other libraries, and a guard over Python's sockets."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from kofinlaw import UserError

ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "USE_HUB_KERNELS": "NO",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    "DO_NOT_TRACK": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "WANDB_MODE": "offline",
    "VLLM_NO_USAGE_STATS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
ONLY_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "WANDB_MODE")


def set_environment(*, offline: bool = True) -> None:
    """Set the environment of the libraries; call it before transformers or datasets load.

    Telemetry and remote kernels are off either way; `offline` also forbids the hub.
    """
    for name, value in ENVIRONMENT.items():
        if name in ONLY_OFFLINE:
            if offline:
                os.environ[name] = value
        else:
            os.environ.setdefault(name, value)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine; names are not looked up."""
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


def _caller() -> str:
    """`file:line in function` of the innermost frame outside the standard library and us."""
    frames = traceback.extract_stack()[:-2]
    inside = os.path.dirname(socket.__file__)  # noqa: PTH120
    for frame in reversed(frames):
        library = frame.filename.startswith(inside) and "site-packages" not in frame.filename
        if frame.filename != __file__ and not library:
            return f"{frame.filename}:{frame.lineno} in {frame.name}"
    return "unknown"


def _refuse(target: str) -> UserError:
    return UserError(
        f"something tried to reach {target}, but this run is offline",
        where=_caller(),
        remedy="set `offline: false` in the recipe if that is wanted",
    )


def _check_address(address: Any) -> None:
    if isinstance(address, tuple) and not is_loopback(str(address[0])):
        raise _refuse(f"{address[0]}:{address[1]}")


def _check_name(host: Any) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name is not None and not is_loopback(str(name)):
        raise _refuse(str(name))


def _guarded(call: Callable[..., Any], check: Callable[..., None]) -> Callable[..., Any]:
    def guarded(*arguments: Any, **named: Any) -> Any:
        check(*arguments)
        return call(*arguments, **named)

    return guarded


# What leaves the machine, and which of its arguments says where to.
_WAYS_OUT: tuple[tuple[Any, str, Callable[..., None]], ...] = (
    (socket.socket, "connect", lambda self, address: _check_address(address)),
    (socket.socket, "connect_ex", lambda self, address: _check_address(address)),
    (socket.socket, "sendto", lambda self, data, *rest: _check_address(rest[-1])),
    (socket, "getaddrinfo", lambda host=None, *rest: _check_name(host)),
    (socket, "gethostbyname", lambda host: _check_name(host)),
    (socket, "gethostbyname_ex", lambda host: _check_name(host)),
    (socket, "gethostbyaddr", lambda host: _check_name(host)),
)


@contextlib.contextmanager
def guard(*, offline: bool = True) -> Iterator[None]:
    """While inside, a connection or name look-up past loopback raises UserError with its caller.

    Covers Python's sockets on every thread of the process; sockets that native code opens are not
    seen. With `offline` false it does nothing.
    """
    if not offline:
        yield
        return
    set_environment()
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in _WAYS_OUT]
    for (owner, name, call), (_, _, check) in zip(kept, _WAYS_OUT, strict=True):
        setattr(owner, name, _guarded(call, check))
    try:
        yield
    finally:
        for owner, name, call in kept:
            setattr(owner, name, call)
