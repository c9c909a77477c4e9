"""Refuse requests of other hosts, other pages and without a token, and protect every page."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from kofinlaw.recipes.serving.access import Access
from kofinlaw.recipes.serving.faults import FaultError

__all__ = ["Door"]

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'",
}


class Door:
    """Refuse foreign hosts and missing tokens before anything is read; add the headers.

    Paths that start with `guarded` need the token.
    """

    def __init__(self, app: ASGIApp, access: Access, guarded: str = "/v1/") -> None:
        self._app, self._access, self._guarded = app, access, guarded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                extra = [(k.lower().encode(), v.encode()) for k, v in _HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *extra]  # type: ignore[misc]
            await send(message)

        request = Request(scope)
        given = request.headers
        app: ASGIApp | JSONResponse = self._app
        if not self._access.knows(given.get("host", ""), given.get("origin", "")):
            app = FaultError(403, "unknown Host or Origin", "forbidden_host").response()
        elif scope["path"].startswith(self._guarded) and not self._access.admits(
            given.get("authorization", "")
        ):
            app = FaultError(401, "a valid token is needed", "invalid_api_key").response()
            app.headers["WWW-Authenticate"] = "Bearer"
        await app(scope, receive, with_headers)  # type: ignore[arg-type]
