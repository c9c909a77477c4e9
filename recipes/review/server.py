"""Serve the review page on loopback until Ctrl+C or SIGTERM."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable

from kofinlaw import UserError
from kofinlaw.recipes.review.session import Session
from kofinlaw.recipes.serving.access import open_access
from kofinlaw.recipes.serving.server import listen

__all__ = ["HOST", "serve_review"]

HOST = "127.0.0.1"
GRACE = 5  # seconds that running requests have when the server is stopped


def serve_review(session: Session, port: int, token: str, say: Callable[[str], None]) -> None:
    """Serve the page; returns when the server was stopped.

    Raises UserError for a missing extra, an unusable token and a port that cannot be opened.
    """
    try:
        import uvicorn

        from kofinlaw.recipes.review.app import make_review_app
    except ImportError as error:
        raise UserError(
            f"the package {error.name} is not installed",
            where="review",
            remedy="pip install 'kofinlaw[serve]'",
        ) from error
    with listen(HOST, port) as listener:
        port = listener.getsockname()[1]
        access = open_access(HOST, port, token, ())
        say(f"http://{HOST}:{port}/   review page for {session.reader} (Ctrl+C stops the server)")
        server = uvicorn.Server(
            uvicorn.Config(
                make_review_app(session, access),
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE,
                h11_max_incomplete_event_size=65536,
            )
        )
        # uvicorn raises the signal again after it stopped; the command then ends without an error.
        signal.signal(signal.SIGTERM, lambda *_: None)
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
        say("server stopped")
