"""Trace calls of models and indexes: one span a call, with its inputs and outputs.

Spans are written to JSON Lines. The same spans can also be sent to OpenTelemetry (GenAI
conventions) or LangSmith. Traces contain clock times, so they are logs: no result is computed
from them.
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
from typing import Protocol

__all__ = [
    "MAX_CHARACTERS",
    "NO_TRACE",
    "TEXT_ATTRIBUTES",
    "Exporter",
    "NoTracer",
    "Span",
    "Tracer",
    "annotate_span",
    "child_span",
    "shown",
]

# Attributes with text of people or documents; `redact` keeps only their length and hash.
TEXT_ATTRIBUTES = frozenset(
    {"prompt", "prompts", "answer", "answers", "query", "queries", "documents"}
)
MAX_CHARACTERS = 20_000

_open: ContextVar[tuple[Tracer, Span] | None] = ContextVar("kofinlaw_open_span", default=None)


@dataclass
class Span:
    """One traced call.

    - `start` is in seconds since the epoch, `seconds` is the duration.
    - `attributes` describe the call.
    - `items` has one mapping for each question of the batch, with the question's `id`.
    - `error` is empty, or the class and message of the exception.
    """

    id: int
    parent: int | None
    name: str
    attributes: dict[str, object]
    start: float
    seconds: float = 0.0
    items: list[dict[str, object]] = field(default_factory=list)
    error: str = ""

    def set(self, **attributes: object) -> None:
        """Add attributes that are known only after the call (`output_tokens`, `answer` …)."""
        self.attributes.update(attributes)

    def item(self, id: str, **attributes: object) -> None:
        """Add attributes of one question of the batch; reports use them to find its calls."""
        self.items.append({"id": id, **attributes})


class Exporter(Protocol):
    """Receives finished spans."""

    def export(self, span: Span) -> None:
        """Write or send one span."""
        ...

    def close(self) -> None:
        """Flush and release resources."""
        ...


class Tracer:
    """Opens spans and passes each finished span to every exporter."""

    def __init__(
        self, exporters: Sequence[Exporter], *, redact: bool = False, first: int = 1
    ) -> None:
        self._exporters = exporters
        self._redact = redact
        self._next = first
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def span(self, name: str, **attributes: object) -> Iterator[Span]:
        """Trace the block; a span opened inside another on the same thread is its child.

        `name` is `retrieval`, `generate`, `score` … Attributes with known short names (`model`,
        `prompt`, `input_tokens`; see `tracing_exporters.GENAI`) get their conventional names when
        they are exported. An exception is recorded and raised again.
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
        """Flush every exporter; it is safe to call this twice."""
        for exporter in self._exporters:
            exporter.close()

    def __enter__(self) -> Tracer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class _EmptySpan(Span):
    """A span that keeps nothing."""

    def set(self, **attributes: object) -> None:
        """Ignore the attributes."""

    def item(self, id: str, **attributes: object) -> None:
        """Ignore the item."""


class NoTracer(Tracer):
    """A tracer that traces nothing: every span is the same empty one."""

    def __init__(self) -> None:
        super().__init__(())
        self._span = contextlib.nullcontext(_EmptySpan(0, None, "", {}, 0.0))

    def span(self, name: str, **attributes: object) -> contextlib.AbstractContextManager[Span]:  # type: ignore[override]
        """Return the empty span."""
        return self._span


NO_TRACE = NoTracer()


def child_span(name: str, **attributes: object) -> contextlib.AbstractContextManager[Span]:
    """Return a span inside the span that is open on this thread, from the same tracer.

    If no span is open, nothing is traced. Inner functions therefore need no tracer parameter.
    """
    around = _open.get()
    return (around[0] if around else NO_TRACE).span(name, **attributes)


def annotate_span(**attributes: object) -> None:
    """Add attributes to the span that is open on this thread, if any."""
    if around := _open.get():
        around[1].set(**attributes)


def shown(attributes: Mapping[str, object], redact: bool) -> dict[str, object]:
    """Return the attributes as they are written: long texts truncated, or every text redacted."""
    return {
        name: _text_shown(value, redact) if name in TEXT_ATTRIBUTES else value
        for name, value in attributes.items()
        if value is not None
    }


def _text_shown(value: object, redact: bool) -> object:
    if isinstance(value, (list, tuple)):
        return [_text_shown(item, redact) for item in value]
    if isinstance(value, dict):  # a document: its id, its score and the retriever that found it
        return {k: _text_shown(v, redact) if isinstance(v, str) else v for k, v in value.items()}
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if redact:
        digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
        return f"[{len(text)} characters, sha256 {digest}]"
    return text if len(text) <= MAX_CHARACTERS else text[:MAX_CHARACTERS] + "…"
