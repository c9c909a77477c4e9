"""Send spans to OpenTelemetry (GenAI semantic conventions) or to LangSmith; both need extras."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kofinlaw import UserError
from kofinlaw.offline import is_loopback
from kofinlaw.trace_settings import TraceSettings
from kofinlaw.tracing import Exporter, Span

if TYPE_CHECKING:
    from langsmith import Client
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider

__all__ = [
    "GENAI",
    "OPERATIONS",
    "ROLES",
    "RUN_TYPES",
    "AttributeValue",
    "LangSmith",
    "OpenTelemetry",
    "attributes_with_item",
    "genai_attributes",
    "langsmith_client",
    "open_exporter",
    "otlp_provider",
]

# The short names of attributes in OpenTelemetry's conventions for generative AI (semantic
# conventions 1.40). Other attributes get the prefix `kofinlaw.`.
GENAI = {
    "operation": "gen_ai.operation.name",
    "provider": "gen_ai.provider.name",
    "model": "gen_ai.request.model",
    "max_tokens": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "seed": "gen_ai.request.seed",
    "stop": "gen_ai.request.stop_sequences",
    "prompt": "gen_ai.input.messages",
    "answer": "gen_ai.output.messages",
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "finish": "gen_ai.response.finish_reasons",
    "query": "gen_ai.retrieval.query.text",
    "documents": "gen_ai.retrieval.documents",
    "data_source": "gen_ai.data_source.id",
}
OPERATIONS = {
    "generate": "text_completion",
    "score": "text_completion",
    "judge": "text_completion",
    "retrieval": "retrieval",
    "embed": "embeddings",
}
ROLES = {"prompt": "user", "answer": "assistant"}
AttributeValue = str | bool | int | float | list[str]
RUN_TYPES = {"retrieval": "retriever", "embed": "embedding", "generate": "llm", "score": "llm"}


def open_exporter(target: str, settings: TraceSettings, *, offline: bool) -> Exporter:
    """Return the exporter with this name.

    Raises UserError if the exporter is not allowed offline, or if its extra is missing.
    """
    if target == "langsmith":
        if offline:
            raise UserError(
                "LangSmith is an internet service, and this run is offline",
                where="trace.to",
                remedy="remove langsmith from trace.to, or set `offline: false`",
            )
        return LangSmith(langsmith_client(), settings.project)
    host = urlsplit(settings.endpoint).hostname or ""
    if offline and not is_loopback(host):
        raise UserError(
            f"the collector {host} is not this machine, and this run is offline",
            where="trace.endpoint",
            remedy="run a collector on 127.0.0.1, or set `offline: false`",
        )
    return OpenTelemetry(otlp_provider(settings))


def otlp_provider(settings: TraceSettings) -> TracerProvider:
    """Return a tracer provider that sends to the collector at `endpoint` over OTLP/HTTP.

    Raises UserError if the extra `otel` is missing.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise UserError(
            "tracing to OpenTelemetry needs the extra `otel`",
            where="trace.to",
            remedy='pip install "kofinlaw[otel]"',
        ) from error
    provider = TracerProvider(resource=Resource.create({"service.name": settings.project}))
    exporter = OTLPSpanExporter(endpoint=settings.endpoint)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def genai_attributes(name: str, attributes: Mapping[str, object]) -> dict[str, AttributeValue]:
    """Return the attributes with their conventional names and with values
    that OpenTelemetry accepts.
    """
    out: dict[str, AttributeValue] = (
        {"gen_ai.operation.name": OPERATIONS[name]} if name in OPERATIONS else {}
    )
    for key, value in attributes.items():
        out[GENAI.get(key, f"kofinlaw.{key}")] = _value(key, value)
    return out


def attributes_with_item(span: Span) -> dict[str, object]:
    """Return the span's attributes and, if it belongs to a single question,
    that question's attributes.

    Viewers show the prompt, answer and documents of the span itself, not those in its events.
    """
    (only,) = span.items if len(span.items) == 1 else ({},)
    return {**{name: value for name, value in only.items() if name != "id"}, **span.attributes}


def _value(key: str, value: object) -> AttributeValue:
    if key in ROLES:
        message = {"role": ROLES[key], "parts": [{"type": "text", "content": value}]}
        return json.dumps([message], ensure_ascii=False)
    if key == "finish":
        return [str(value)]
    if isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return [str(item) for item in value]
    return json.dumps(value, ensure_ascii=False, default=str)


class OpenTelemetry:
    """Sends finished spans with their own times and parents; the items of a batch become events."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("kofinlaw")
        # Children end before their parents, but OpenTelemetry needs the parent's context first.
        self._children: dict[int, list[Span]] = {}

    def export(self, span: Span) -> None:
        """Keep a child until its parent has ended, then send both."""
        if span.parent is not None:
            self._children.setdefault(span.parent, []).append(span)
            return
        self._send(span, None)

    def _send(self, span: Span, context: Context | None) -> None:
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

        model = span.attributes.get("model", "")
        operation = OPERATIONS.get(span.name, span.name)
        started = int(span.start * 1e9)
        other = self._tracer.start_span(
            f"{operation} {model}".strip(),
            context=context,
            kind=SpanKind.CLIENT if span.name in OPERATIONS else SpanKind.INTERNAL,
            attributes=genai_attributes(span.name, attributes_with_item(span)),
            start_time=started,
        )
        end = started + int(span.seconds * 1e9)
        for item in span.items:
            other.add_event("kofinlaw.item", genai_attributes("", item), timestamp=end)
        if span.error:
            other.set_attribute("error.type", span.error.partition(":")[0])
            other.set_status(Status(StatusCode.ERROR, span.error))
        inside = set_span_in_context(other)
        for child in self._children.pop(span.id, ()):
            self._send(child, inside)
        other.end(end_time=end)

    def close(self) -> None:
        """Send the waiting spans; children whose parent never ended become roots."""
        for waiting in list(self._children):
            for child in self._children.pop(waiting, ()):
                self._send(child, None)
        self._provider.shutdown()


def langsmith_client() -> Client:
    """Return LangSmith's client, which reads its key from the environment.

    Raises UserError if the extra `langsmith` is missing.
    """
    try:
        from langsmith import Client
    except ImportError as error:
        raise UserError(
            "tracing to LangSmith needs the extra `langsmith`",
            where="trace.to",
            remedy='pip install "kofinlaw[langsmith]"',
        ) from error
    return Client()


class LangSmith:
    """Sends finished spans as LangSmith runs."""

    def __init__(self, client: Client, project: str) -> None:
        self._client = client
        self._project = project
        self._ids: dict[int, uuid.UUID] = {}

    def _id(self, number: int) -> uuid.UUID:
        return self._ids.setdefault(number, uuid.uuid4())

    def export(self, span: Span) -> None:
        """Create the run with its times, texts and parent."""
        texts = attributes_with_item(span)
        inputs = {k: texts[k] for k in ("prompt", "query", "prompts", "queries") if k in texts}
        outputs = {k: texts[k] for k in ("answer", "documents", "answers") if k in texts}
        metadata = {k: v for k, v in texts.items() if k not in inputs and k not in outputs}
        started = datetime.fromtimestamp(span.start, UTC)
        self._client.create_run(
            span.name,
            inputs | ({"items": span.items} if len(span.items) > 1 else {}),
            RUN_TYPES.get(span.name, "chain"),
            id=self._id(span.id),
            parent_run_id=None if span.parent is None else self._id(span.parent),
            project_name=self._project,
            start_time=started,
            end_time=datetime.fromtimestamp(span.start + span.seconds, UTC),
            outputs=outputs,
            error=span.error or None,
            extra={"metadata": metadata},
        )

    def close(self) -> None:
        """Wait until all runs are sent."""
        self._client.flush()
