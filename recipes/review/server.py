"""Serve the review page on loopback until Ctrl+C or SIGTERM."""

from __future__ import annotations

from collections.abc import Callable

from kofinlaw import UserError
from kofinlaw.recipes.review.session import Session
from kofinlaw.recipes.serving.access import open_access
from kofinlaw.recipes.serving.server import listen

__all__ = ["HOST", "serve_review"]

HOST = "127.0.0.1"
GRACE = 4.0  # seconds that running requests have when the server is stopped


def serve_review(session: Session, port: int, token: str, say: Callable[[str], None]) -> None:
    """Serve the page; returns when the server was stopped.

    Raises UserError for a missing extra, an unusable token and a port that cannot be opened.
    """
    try:
        from kofinlaw.recipes.review.app import make_review_app
        from kofinlaw.recipes.serving.stopping import StoppableServer, quiet_config
    except ImportError as error:
        raise UserError(
            f"the package {error.name} is not installed",
            where="review",
            remedy="pip install 'kofinlaw[serve]'",
        ) from error
    with listen(HOST, port) as listener:
        port = listener.getsockname()[1]
        access = open_access(HOST, port, token, ())
        address = f"http://{HOST}:{port}/"
        server = StoppableServer(
            quiet_config(make_review_app(session, access)),
            grace=GRACE,
            interrupt=lambda: None,
            ready=lambda: say(
                f"{address}   review page for {session.reader} (Ctrl+C stops the server)"
            ),
        )
        with server.signals():
            server.run(sockets=[listener])
        say("server stopped")
