"""Answer the requests of the OpenAI interface and of the chat page."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import struct
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.recipes.serving.access import Access
from kofinlaw.recipes.serving.chat_request import (
    chat_request,
    check_question,
    embedding_texts,
)
from kofinlaw.recipes.serving.dispatch import Dispatcher
from kofinlaw.recipes.serving.door import Door
from kofinlaw.recipes.serving.faults import FaultError
from kofinlaw.recipes.serving.jobs import Ask, Complete, Embed, Embedded, Job
from kofinlaw.recipes.serving.replies import completion, events
from kofinlaw.recipes.serving.waiting import Waiting
from kofinlaw.results import JsonValue

__all__ = ["Served", "make_app"]

_BODY_SECONDS = 30.0  # the longest time that a body may take to arrive
_PAGE = {
    "/": ("chat.html", "text/html"),
    "/chat.js": ("chat.js", "text/javascript"),
    "/chat.css": ("chat.css", "text/css"),
}


@dataclass(frozen=True)
class Served:
    """What is served: the model's name, the embedder's (or None), whether answers use the index,
    the largest body in bytes and the longest wait in seconds. A stream without news sends a comment
    each `quiet` seconds.
    """

    model: str
    embedder: str | None
    rag: bool = True
    most_bytes: int = 1_048_576
    seconds: float = 120.0
    quiet: float = 10.0


def make_app(served: Served, dispatcher: Dispatcher, access: Access) -> ASGIApp:
    """Return the ASGI application; its life span starts and stops the dispatcher."""

    @contextlib.asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        dispatcher.start()
        yield
        await dispatcher.stop()

    started = int(time.time())

    known = {
        name: {"id": name, "object": "model", "created": started, "owned_by": "kofinlaw"}
        for name in (served.model, served.embedder)
        if name
    }

    async def models(_: Request) -> Response:
        return JSONResponse({"object": "list", "data": list(known.values()), "rag": served.rag})

    async def model(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in known:
            raise _unknown(name)
        return JSONResponse(known[name])

    async def chat(request: Request) -> Response:
        asked = chat_request(await _body(request, served))
        if asked.model != served.model:
            raise _unknown(asked.model)
        rag = served.rag if asked.rag is None else asked.rag
        job: Job = Complete(asked.messages, asked.limits)
        if rag:
            check_question(asked.question)
            limit = asked.limits.max_tokens
            cut = bool(asked.given & {"max_tokens", "max_completion_tokens"})
            job = Ask(asked.question, asked.as_of, limit if cut else None)
        waiting = Waiting(request, dispatcher, job, served.seconds, quiet=served.quiet)

        def whole() -> dict[str, JsonValue]:
            return completion(asked, waiting.now(), served.model)  # type: ignore[arg-type]

        if not asked.stream:
            await waiting.result()
            return JSONResponse(whole())
        await waiting.started()
        stream = events(asked, served.model, waiting.texts(), whole)
        # nginx would keep the events back until the answer is complete.
        headers = {"X-Accel-Buffering": "no"}
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)

    async def embeddings(request: Request) -> Response:
        model, texts, form = embedding_texts(await _body(request, served))
        if served.embedder is None or model not in (served.embedder, served.model):
            raise _unknown(model)
        waiting = Waiting(request, dispatcher, Embed(texts), served.seconds)
        found = await waiting.result()
        assert isinstance(found, Embedded)
        data = [
            {"object": "embedding", "index": i, "embedding": _encoded(row, form)}
            for i, row in enumerate(found.rows)
        ]
        usage = {"prompt_tokens": found.tokens, "total_tokens": found.tokens}
        return JSONResponse(
            {"object": "list", "data": data, "model": served.embedder, "usage": usage}
        )

    app = Starlette(
        routes=[
            Route("/v1/models", models),
            Route("/v1/models/{name:path}", model),
            Route("/v1/chat/completions", chat, methods=["POST"]),
            Route("/v1/embeddings", embeddings, methods=["POST"]),
            Route("/health", _health),
            *(Route(path, _page) for path in _PAGE),
        ],
        lifespan=life,
        exception_handlers={
            FaultError: _fault,
            UserError: _wrong,
            HTTPException: _http,
            Exception: _bug,
        },
    )
    return Door(app, access)


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _page(request: Request) -> Response:
    name, kind = _PAGE[request.url.path]
    text = files("kofinlaw.recipes.serving").joinpath("page", name).read_text("utf-8")
    return Response(text, media_type=kind)


async def _fault(_: Request, error: Exception) -> Response:
    assert isinstance(error, FaultError)
    return error.response()


async def _wrong(_: Request, error: Exception) -> Response:
    assert isinstance(error, UserError)
    return FaultError(400, str(error), "invalid_request", error.where or None).response()


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid_request")
    response = FaultError(error.status_code, str(error.detail), code).response()
    response.headers.update(error.headers or {})
    return response


async def _bug(_: Request, error: Exception) -> Response:
    message = f"a fault of kofinlaw ({type(error).__name__}); see the server's log"
    return FaultError(500, message, "internal_error").response()


def _unknown(model: str) -> FaultError:
    message = f"there is no model {model[:80]!r}; /v1/models lists the names"
    return FaultError(404, message, "model_not_found", "model")


async def _body(request: Request, served: Served) -> object:
    most = served.most_bytes
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise FaultError(415, "send Content-Type: application/json", "unsupported_media_type")
    data = bytearray()
    try:
        async with asyncio.timeout(min(served.seconds, _BODY_SECONDS)):
            async for piece in request.stream():
                data += piece
                if len(data) > most:
                    message = f"the request has more than {most} bytes"
                    raise FaultError(413, message, "request_too_large")
    except TimeoutError:
        raise FaultError(408, "the body did not arrive in time", "timeout") from None
    except ClientDisconnect:
        raise FaultError(499, "the client left", "client_left") from None
    try:
        return load_json(bytes(data))
    except ValueError:
        raise FaultError(400, "the body is not valid JSON", "invalid_json") from None


def _encoded(row: list[float], form: str) -> list[float] | str:
    if form == "float":
        return row
    return base64.b64encode(struct.pack(f"<{len(row)}f", *row)).decode("ascii")
