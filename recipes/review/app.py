"""Answer the requests of the review page."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from importlib.resources import files

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from kofinlaw import UserError
from kofinlaw.decoding import clean_value, load_json
from kofinlaw.errors import MachineError
from kofinlaw.recipes.review.refusal import RefusedError
from kofinlaw.recipes.review.session import Session
from kofinlaw.recipes.serving.access import Access
from kofinlaw.recipes.serving.door import Door
from kofinlaw.records import Example

__all__ = ["make_review_app"]

MOST_BYTES = 262_144  # of a verdict
BODY_SECONDS = 30.0
PAGE = {
    "/": ("review.html", "text/html"),
    "/review.js": ("review.js", "text/javascript"),
    "/review_example.js": ("review_example.js", "text/javascript"),
    "/review_words.js": ("review_words.js", "text/javascript"),
    "/review.css": ("review.css", "text/css"),
}
Answered = Callable[[Request], Awaitable[Response]]


def make_review_app(session: Session, access: Access) -> ASGIApp:
    """Return the ASGI application of a session. Paths below `/api/` need the token."""

    async def state(_: Request) -> Response:
        return JSONResponse(await run_in_threadpool(_state, session))

    async def following(request: Request) -> Response:
        kind = request.query_params.get("kind", "")

        def found() -> dict[str, object]:
            example = session.next_example(kind)
            return {"example": None if example is None else session.shown(example)}

        return JSONResponse(await run_in_threadpool(found))

    async def one(request: Request) -> Response:
        example = session.examples.get(request.path_params["name"])
        if example is None:
            raise HTTPException(404, "this run has no such example")

        return JSONResponse(await run_in_threadpool(_open, session, example))

    async def judge(request: Request) -> Response:
        given = await _body(request)
        await run_in_threadpool(session.judge, given)
        return JSONResponse(await run_in_threadpool(_state, session))

    async def undo(request: Request) -> Response:
        await _body(request)

        def found() -> dict[str, object]:
            example = session.undo()
            return {**_state(session), **_open(session, example)}

        return JSONResponse(await run_in_threadpool(found))

    app = Starlette(
        routes=[
            Route("/api/state", state),
            Route("/api/next", following),
            Route("/api/example/{name:path}", one),
            Route("/api/verdict", judge, methods=["POST"]),
            Route("/api/undo", undo, methods=["POST"]),
            *(Route(path, _page) for path in PAGE),
        ],
        exception_handlers={UserError: _wrong, HTTPException: _http, Exception: _bug},
    )
    return Door(app, access, "/api/")


def _state(session: Session) -> dict[str, object]:
    """Return the progress of every kind, the agreement, and what has to be settled."""
    record, own = session.record(), session.own_counts()
    return {
        **record,
        "reader": session.reader,
        "run": session.folder.name,
        "own": own,
        "to_settle": sorted(session.differences()),
        "changes": session.changes(),
    }


def _open(session: Session, example: Example | None) -> dict[str, object]:
    """Return an example with the verdicts that differ, or none."""
    if example is None:
        return {"example": None, "differ": []}
    both = session.differences().get(example.id, [])
    return {"example": session.shown(example), "differ": [asdict(one) for one in both]}


async def _page(request: Request) -> Response:
    name, kind = PAGE[request.url.path]
    text = files("kofinlaw.recipes.review").joinpath("page", name).read_text("utf-8")
    return Response(text, media_type=kind)


async def _body(request: Request) -> dict[str, object]:
    """Return the JSON object of a request. Raises HTTPException for another body."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # which a form of another page cannot send
        raise HTTPException(415, "send Content-Type: application/json")
    data = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                data += piece
                if len(data) > MOST_BYTES:
                    raise HTTPException(413, f"the request has more than {MOST_BYTES} bytes")
    except TimeoutError:
        raise HTTPException(408, "the body did not arrive in time") from None
    except ClientDisconnect:
        raise HTTPException(400, "the client left") from None
    try:
        value = clean_value(load_json(bytes(data)))
    except ValueError:
        raise HTTPException(400, "the body is not valid JSON") from None
    if not isinstance(value, dict):
        raise HTTPException(400, "the body is not a JSON object")
    return value


def _error(status: int, message: str, where: str = "", **more: object) -> JSONResponse:
    return JSONResponse({"error": {"message": message, "where": where, **more}}, status)


async def _wrong(_: Request, error: Exception) -> Response:
    assert isinstance(error, UserError)
    remedy = f" → {error.remedy}" if error.remedy else ""
    message = f"{error.message}{remedy}"
    if isinstance(error, MachineError):
        return _error(507, message, error.where, code="machine")
    if isinstance(error, RefusedError):
        return _error(400, message, error.where, code=error.code, values=error.values)
    return _error(400, message, error.where)


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _error(error.status_code, str(error.detail))


async def _bug(_: Request, error: Exception) -> Response:
    return _error(500, f"a fault of kofinlaw ({type(error).__name__}); see the server's output")
