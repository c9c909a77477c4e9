"""Serve the tools over streamable HTTP at `/mcp`, with the server's token and host check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import ASGIApp

from kofinlaw.recipes.serving.access import Access, open_access
from kofinlaw.recipes.serving.door import Door
from kofinlaw.recipes.serving.server import listen
from kofinlaw.recipes.serving.stopping import GRACE, StoppableServer, quiet_config

__all__ = ["HttpSettings", "make_http_app", "serve_http"]

MOST_BYTES = 1_048_576  # of a request's body
MOST_REQUESTS = 64  # connections and requests at once; more get 503


@dataclass(frozen=True)
class HttpSettings:
    """Where the tools are served, and the token that clients send (empty: none)."""

    host: str = "127.0.0.1"
    port: int = 8765
    token: str = ""
    names: tuple[str, ...] = ()


def make_http_app(server: Server[Any], access: Access) -> ASGIApp:
    """Return the ASGI application; its life span starts and stops the server's sessions."""
    app = server.streamable_http_app(
        json_response=True,
        stateless_http=True,
        max_request_body_size=MOST_BYTES,
        # The door checks Host, Origin and the token for every path.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    return Door(app, access, guarded="/")


def serve_http(server: Server[Any], settings: HttpSettings, say: Callable[[str], None]) -> bool:
    """Serve until SIGTERM or Ctrl+C, and let running requests end.

    Returns whether all of them ended in time. The thread of another one may still run, and Python
    waits for it at its own end.

    Raises UserError for an address without a token and for a port that cannot be opened.
    """
    open_access(settings.host, settings.port, settings.token, settings.names)
    with listen(settings.host, settings.port) as listener:
        port = listener.getsockname()[1]
        access = open_access(settings.host, port, settings.token, settings.names)
        name = f"[{settings.host}]" if ":" in settings.host else settings.host
        running = StoppableServer(
            quiet_config(make_http_app(server, access), most_requests=MOST_REQUESTS),
            grace=GRACE,
            interrupt=lambda: None,
            ready=lambda: say(
                f"http://{name}:{port}/mcp   streamable HTTP (Ctrl+C stops the server)"
            ),
        )
        with running.signals():
            running.run(sockets=[listener])
        say("server stopped")
        return not running.force_exit
