"""What was asked of a model or an index, and what came back: one span a call.

Spans go to JSON Lines; the same spans may also go to OpenTelemetry (GenAI conventions) or
LangSmith. Traces hold clock times, so they are a log and no record: nothing is computed from them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

# Attributes that hold what people or documents wrote; `redact` keeps only their length and hash.
TEXTS = frozenset({"prompt", "prompts", "answer", "answers", "query", "queries", "documents"})
MOST_CHARACTERS = 20_000

_open: ContextVar[tuple[Tracer, Span] | None] = ContextVar("kofinlaw_open_span", default=None)


@dataclass
class Span:
    """One traced call. `start` is seconds since the epoch, `seconds` how long it took.

    `attributes` are what was known of it; `items` one mapping a question of the batch, each with
    its `id`. `error` is empty, or the exception's class and message.
    """

    id: int
    parent: int | None
    name: str
    attributes: dict[str, Any]
    start: float
    seconds: float = 0.0
    items: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""

    def set(self, **attributes: Any) -> None:
        """Add attributes that are known only afterwards (`output_tokens`, `answer` …)."""
        self.attributes.update(attributes)

    def item(self, id: str, **attributes: Any) -> None:
        """Add what belongs to one question of the batch; reports find a question's calls by it."""
        self.items.append({"id": id, **attributes})


class Exporter(Protocol):
    """Takes finished spans."""

    def export(self, span: Span) -> None:
        """Pass one span on."""
        ...

    def close(self) -> None:
        """Flush and let go."""
        ...


class Tracer:
    """Gives spans and hands each, once it has ended, to every exporter."""

    def __init__(
        self, exporters: Sequence[Exporter], *, redact: bool = False, first: int = 1
    ) -> None:
        self._exporters = exporters
        self._redact = redact
        self._next = first
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def span(self, name: str, **attributes: Any) -> Iterator[Span]:
        """Trace what runs inside; a span opened within another on the same thread is its child.

        `name` is `retrieval`, `generate`, `score` … Attributes under known short names (`model`,
        `prompt`, `input_tokens`; see `tracing_exporters.GENAI`) get their conventional names where
        they are exported. An exception is noted and goes on.
        """
        around = _open.get()
        with self._lock:
            number, self._next = self._next, self._next + 1
        parent = around[1].id if around else None
        span = Span(number, parent, name, dict(attributes), time.time())
        token = _open.set((self, span))
        began = time.perf_counter()
        try:
            yield span
        except BaseException as error:
            span.error = f"{type(error).__name__}: {error}"
            raise
        finally:
            _open.reset(token)
            span.seconds = round(time.perf_counter() - began, 6)
            self._export(span)

    def _export(self, span: Span) -> None:
        span.attributes = shown(span.attributes, self._redact)
        span.items = [shown(item, self._redact) for item in span.items]
        if self._redact and span.error:
            span.error = span.error.partition(":")[0]
        with self._lock:
            for exporter in self._exporters:
                exporter.export(span)

    def close(self) -> None:
        """Flush every exporter; safe to call twice."""
        for exporter in self._exporters:
            exporter.close()

    def __enter__(self) -> Tracer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class _Nothing(Span):
    """A span that keeps nothing."""

    def set(self, **attributes: Any) -> None:
        """Nothing."""

    def item(self, id: str, **attributes: Any) -> None:
        """Nothing."""


class NoTracer(Tracer):
    """Traces nothing and costs nothing: every span is the same empty one."""

    def __init__(self) -> None:
        super().__init__(())
        self._span = contextlib.nullcontext(_Nothing(0, None, "", {}, 0.0))

    def span(self, name: str, **attributes: Any) -> contextlib.AbstractContextManager[Span]:  # type: ignore[override]
        """The empty span."""
        return self._span


NO_TRACE = NoTracer()


def child_span(name: str, **attributes: Any) -> contextlib.AbstractContextManager[Span]:
    """A span within the one that is open on this thread, by the same tracer.

    Where none is open nothing is traced: what runs deep inside needs no tracer handed down.
    """
    around = _open.get()
    return (around[0] if around else NO_TRACE).span(name, **attributes)


def annotate_span(**attributes: Any) -> None:
    """Add attributes to the span that is open on this thread, if any."""
    if around := _open.get():
        around[1].set(**attributes)


def shown(attributes: Mapping[str, Any], redact: bool) -> dict[str, Any]:
    """The attributes as they are written: long texts cut, or every text as length and hash."""
    return {
        name: _text_shown(value, redact) if name in TEXTS else value
        for name, value in attributes.items()
        if value is not None
    }


def _text_shown(value: Any, redact: bool) -> Any:
    if isinstance(value, (list, tuple)):
        return [_text_shown(item, redact) for item in value]
    if isinstance(value, dict):  # a document: its id, score and who found it
        return {k: _text_shown(v, redact) if isinstance(v, str) else v for k, v in value.items()}
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if redact:
        digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
        return f"[{len(text)} characters, sha256 {digest}]"
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "…"
