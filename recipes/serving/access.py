"""Decide who may ask: the names in `Host` and `Origin`, and the token."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from kofinlaw import UserError
from kofinlaw.offline import is_loopback, known_host

__all__ = ["Access", "open_access"]

LEAST_TOKEN = 16  # characters


@dataclass(frozen=True)
class Access:
    """Who may ask: `token` empty means anybody on this machine; `names` are allowed in `Host`."""

    host: str
    port: int
    token: str
    names: tuple[str, ...]

    def knows(self, host: str, origin: str) -> bool:
        """Return whether a request is for this server and not from a page of another site."""
        bare = host.rpartition(":")[0] if ":" in host and not host.endswith("]") else host
        bare = bare.strip("[]").lower()
        known = known_host(host, self.port) or bare in self.names
        if not known and not is_loopback(self.host):
            try:
                ipaddress.ip_address(bare)  # DNS rebinding always carries a name
                known = True
            except ValueError:
                known = False
        return known and (not origin or _site(origin) == host.lower())

    def admits(self, header: str) -> bool:
        """Return whether an `Authorization` header holds the token, compared in constant time."""
        if not self.token:
            return True
        kind, _, given = header.partition(" ")
        same = hmac.compare_digest(given.strip().encode(), self.token.encode())
        return same and kind.lower() == "bearer"


def _site(origin: str) -> str:
    """Return the host and port of an origin; empty for a malformed one, which no host equals."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def open_access(host: str, port: int, token: str, names: Sequence[str]) -> Access:
    """Return who may ask. Raises UserError for another address than loopback without a token."""
    if token and (len(token) < LEAST_TOKEN or not token.isascii() or token.split() != [token]):
        raise UserError(
            f"the token needs {LEAST_TOKEN} or more ASCII characters without blanks",
            where="KOFINLAW_TOKEN",
            remedy="make one with `openssl rand -hex 24`",
        )
    if not token and (not host or not is_loopback(host)):
        raise UserError(
            f"{host or 'every address'} can be reached from other machines, and there is no token",
            where="--host",
            remedy="set KOFINLAW_TOKEN (`openssl rand -hex 24`), or serve on 127.0.0.1",
        )
    return Access(host, port, token, tuple(name.lower() for name in names))
