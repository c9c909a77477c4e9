"""Answer the requests of the OpenAI interface and of the chat page."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import struct
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.models.engines.base import Generation, cut_at_stop
from kofinlaw.recipes.serving.access import Access
from kofinlaw.recipes.serving.chat_request import ChatRequest, chat_request, embedding_texts
from kofinlaw.recipes.serving.citations import answer_text, citations
from kofinlaw.recipes.serving.dispatch import BusyError, Dispatcher, LateError
from kofinlaw.recipes.serving.jobs import Ask, Complete, Embed, Job, Refused
from kofinlaw.recipes.serving.worker import WorkerLostError
from kofinlaw.results import JsonValue

__all__ = ["Served", "make_app"]

_POLL = 0.2  # seconds between two looks whether the client is still there
_PIECE = 24  # characters of one event of a stream
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
_PAGE = {
    "/": ("chat.html", "text/html"),
    "/chat.js": ("chat.js", "text/javascript"),
    "/chat.css": ("chat.css", "text/css"),
}


@dataclass(frozen=True)
class Served:
    """What is served: the model's name, the embedder's (or None), whether answers use the index,
    the largest body in bytes and the longest wait in seconds.
    """

    model: str
    embedder: str | None
    rag: bool = True
    most_bytes: int = 1_048_576
    seconds: float = 120.0


class _FaultError(Exception):
    def __init__(self, status: int, message: str, code: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.param = status, code, param

    def response(self) -> Response:
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        body = {
            "error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}
        }
        later = {"Retry-After": "2"} if self.status in (429, 503) else {}
        return JSONResponse(body, self.status, later)


class _Door:
    """Refuse foreign hosts and missing tokens before anything is read; add the headers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
        app: ASGIApp = self._app
        if not self._access.knows(given.get("host", ""), given.get("origin", "")):
            app = _FaultError(403, "unknown Host or Origin", "forbidden_host").response()
        elif scope["path"].startswith("/v1/") and not self._access.admits(
            given.get("authorization", "")
        ):
            app = _FaultError(401, "a valid token is needed", "invalid_api_key").response()
        await app(scope, receive, with_headers)  # type: ignore[arg-type]


def make_app(served: Served, dispatcher: Dispatcher, access: Access) -> ASGIApp:
    """Return the ASGI application; its life span starts and stops the dispatcher."""

    @contextlib.asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        dispatcher.start()
        yield
        await dispatcher.stop()

    started = int(time.time())

    async def models(_: Request) -> Response:
        names = [served.model, *([served.embedder] if served.embedder else [])]
        data = [
            {"id": name, "object": "model", "created": started, "owned_by": "kofinlaw"}
            for name in names
        ]
        return JSONResponse({"object": "list", "data": data, "rag": served.rag})

    async def chat(request: Request) -> Response:
        asked = chat_request(await _body(request, served.most_bytes))
        if asked.model != served.model:
            raise _unknown(asked.model)
        rag = served.rag if asked.rag is None else asked.rag
        job: Job = Complete(asked.messages, asked.limits)
        if rag:
            limit = asked.limits.max_tokens
            cut = bool(asked.given & {"max_tokens", "max_completion_tokens"})
            job = Ask(asked.question, asked.as_of, limit if cut else None)
        result = await _result(request, dispatcher, job, served.seconds)
        body = _chat_body(asked, result, served.model)
        return _stream(body, asked.usage) if asked.stream else JSONResponse(body)

    async def embeddings(request: Request) -> Response:
        model, texts, form = embedding_texts(await _body(request, served.most_bytes))
        if served.embedder is None or model not in (served.embedder, served.model):
            raise _unknown(model)
        rows = await _result(request, dispatcher, Embed(texts), served.seconds)
        assert isinstance(rows, list)
        data = [
            {"object": "embedding", "index": i, "embedding": _encoded(row, form)}
            for i, row in enumerate(rows)
        ]
        usage = {"prompt_tokens": 0, "total_tokens": 0}
        return JSONResponse(
            {"object": "list", "data": data, "model": served.embedder, "usage": usage}
        )

    app = Starlette(
        routes=[
            Route("/v1/models", models),
            Route("/v1/chat/completions", chat, methods=["POST"]),
            Route("/v1/embeddings", embeddings, methods=["POST"]),
            Route("/health", _health),
            *(Route(path, _page) for path in _PAGE),
        ],
        lifespan=life,
        exception_handlers={_FaultError: _fault, UserError: _wrong, HTTPException: _http},
    )
    return _Door(app, access)


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _page(request: Request) -> Response:
    name, kind = _PAGE[request.url.path]
    text = files("kofinlaw.recipes.serving").joinpath("page", name).read_text("utf-8")
    return Response(text, media_type=kind)


async def _fault(_: Request, error: Exception) -> Response:
    assert isinstance(error, _FaultError)
    return error.response()


async def _wrong(_: Request, error: Exception) -> Response:
    assert isinstance(error, UserError)
    return _FaultError(400, str(error), "invalid_request", error.where or None).response()


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _FaultError(error.status_code, str(error.detail), "not_found").response()


def _unknown(model: str) -> _FaultError:
    message = f"there is no model {model[:80]!r}; /v1/models lists the names"
    return _FaultError(404, message, "model_not_found", "model")


async def _body(request: Request, most: int) -> object:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise _FaultError(415, "send Content-Type: application/json", "unsupported_media_type")
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > most:
            raise _FaultError(413, f"the request has more than {most} bytes", "request_too_large")
    try:
        return load_json(bytes(data))
    except ValueError:
        raise _FaultError(400, "the body is not valid JSON", "invalid_json") from None


async def _result(request: Request, dispatcher: Dispatcher, job: Job, seconds: float) -> object:
    """Return the result of a job; it is withdrawn if the client leaves or waits too long."""
    try:
        future = dispatcher.submit(job)
    except BusyError:
        raise _FaultError(429, "too many requests wait; try again", "rate_limit_exceeded") from None
    try:
        result = await _awaited(request, future, seconds)
    except LateError:
        raise _FaultError(504, f"no answer within {seconds:g} seconds", "timeout") from None
    finally:
        future.cancel()
    if isinstance(result, WorkerLostError):
        status, code = (504, "timeout") if result.late else (503, "engine_lost")
        raise _FaultError(status, f"{result}; it is started again for the next request", code)
    if isinstance(result, Refused):
        raise _FaultError(500 if result.fault else 400, result.message, "engine_refused")
    return result


async def _awaited(request: Request, future: asyncio.Future[object], seconds: float) -> object:
    end = time.monotonic() + seconds
    while True:
        done, _ = await asyncio.wait({future}, timeout=_POLL)
        if done:
            return future.result()
        if await request.is_disconnected():
            raise _FaultError(499, "the client left", "client_left")
        if time.monotonic() > end:
            raise LateError


def _chat_body(asked: ChatRequest, result: object, model: str) -> dict[str, JsonValue]:
    from kofinlaw.rag.answer.single_question import AskedAnswer  # the result came with it

    notes: list[JsonValue] = []
    extra: dict[str, JsonValue] = {}
    tokens = (0, 0)
    if not isinstance(result, Generation):
        assert isinstance(result, AskedAnswer)
        text = cut_at_stop(answer_text(result), asked.limits.stop)[0]
        finish = "stop"
        extra = {"citations": citations(result), "abstained": result.abstained}
        extra |= {"origin": result.origin, "confidence": result.confidence}
        if result.judgement is not None and result.abstained:
            extra["nearest"] = list(result.judgement.nearest)
        if len(asked.messages) > 1:
            notes.append("only the last message is the question; earlier messages were not read")
        unread = sorted(asked.given & {"temperature", "seed"})
        if unread:
            notes.append(f"not applied with rag: {', '.join(unread)}; the recipe decides")
    else:
        if result.finish == "error":
            raise _FaultError(500, f"the engine failed: {result.fault[:200]}", "engine_refused")
        text, finish = result.text, result.finish
        tokens = (result.prompt_tokens, result.tokens)
    choice: JsonValue = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": finish,
        "logprobs": None,
    }
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [choice],
        "usage": {
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "total_tokens": sum(tokens),
        },
        "notes": notes,
        **extra,
    }


def _stream(body: dict[str, JsonValue], usage: bool) -> Response:
    """Return the answer as server-sent events; the last one before the end has the citations."""
    common = {key: body[key] for key in ("id", "created", "model")}
    common["object"] = "chat.completion.chunk"
    outer = {k: v for k, v in body.items() if k not in (*common, "choices", "usage")}
    choice = body["choices"][0]  # type: ignore[index,call-overload]
    text = str(choice["message"]["content"])  # type: ignore[index,call-overload]

    def event(delta: dict[str, str], finish: object = None, **more: JsonValue) -> str:
        one = {"index": 0, "delta": delta, "finish_reason": finish}
        return f"data: {json.dumps({**common, 'choices': [one], **more}, ensure_ascii=False)}\n\n"

    async def events() -> AsyncIterator[str]:
        yield event({"role": "assistant", "content": ""})
        for start in range(0, len(text), _PIECE):
            yield event({"content": text[start : start + _PIECE]})
        yield event({}, choice["finish_reason"], **outer)  # type: ignore[index,call-overload]
        if usage:
            yield f"data: {json.dumps({**common, 'choices': [], 'usage': body['usage']})}\n\n"
        yield "data: [DONE]\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


def _encoded(row: list[float], form: str) -> list[float] | str:
    if form == "float":
        return row
    return base64.b64encode(struct.pack(f"<{len(row)}f", *row)).decode("ascii")
