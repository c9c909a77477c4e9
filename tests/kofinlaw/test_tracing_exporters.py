"""Spans in OpenTelemetry and LangSmith, and when those are refused."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest

from kofinlaw import UserError
from kofinlaw.trace_files import open_tracer
from kofinlaw.trace_settings import TraceSettings
from kofinlaw.tracing import Tracer
from kofinlaw.tracing_exporters import LangSmith, OpenTelemetry


def test_langsmith_and_a_remote_collector_are_refused_offline(tmp_path):
    with pytest.raises(UserError, match="offline"):
        open_tracer(TraceSettings(to=("langsmith",)), tmp_path)
    remote = TraceSettings(to=("opentelemetry",), endpoint="https://traces.example.com/v1")
    with pytest.raises(UserError, match=r"traces\.example\.com is not this machine"):
        open_tracer(remote, tmp_path)


def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "langsmith", None)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(UserError, match=r"kofinlaw\[langsmith\]"):
        open_tracer(TraceSettings(to=("langsmith",)), tmp_path, offline=False)
    with pytest.raises(UserError, match=r"kofinlaw\[otel\]"):
        open_tracer(TraceSettings(to=("opentelemetry",)), tmp_path)


def test_opentelemetry_gets_the_genai_names_the_parents_and_the_items():
    pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = Tracer([OpenTelemetry(provider)])
    with tracer.span("answer"):
        with tracer.span("generate", model="pico", prompt="질문", temperature=0.0) as span:
            span.set(answer="답", input_tokens=5, finish="stop", turns=2)
            span.item("Q1", output_tokens=1)
        with pytest.raises(RuntimeError), tracer.span("retrieval", query="제9조"):
            raise RuntimeError("gone")
    found = {span.name: span for span in memory.get_finished_spans()}
    generate, outer = found["text_completion pico"], found["answer"]
    assert generate.parent.span_id == outer.context.span_id
    assert generate.attributes["gen_ai.operation.name"] == "text_completion"
    assert generate.attributes["gen_ai.request.model"] == "pico"
    assert generate.attributes["gen_ai.usage.input_tokens"] == 5
    assert generate.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert generate.attributes["kofinlaw.turns"] == 2
    (message,) = json.loads(generate.attributes["gen_ai.input.messages"])
    assert message == {"role": "user", "parts": [{"type": "text", "content": "질문"}]}
    assert generate.events[0].attributes["gen_ai.usage.output_tokens"] == 1
    assert found["retrieval"].status.description == "RuntimeError: gone"
    assert found["retrieval"].attributes["error.type"] == "RuntimeError"
    assert outer.start_time <= generate.start_time <= generate.end_time <= outer.end_time + 10**6


def test_a_span_about_one_question_shows_its_texts_as_its_own():
    created = []
    client = SimpleNamespace(
        create_run=lambda name, inputs, kind, **named: created.append((name, inputs, kind, named))
    )
    exporter = LangSmith(client, "proof")
    for ids in (["Q1"], ["Q1", "Q2"]):
        with Tracer([exporter]).span("retrieval", queries=["제9조"]) as span:
            for one in ids:
                span.item(one, query="책임?", documents=[{"id": "법/제9조", "score": 0.5}])
    one, two = created
    assert one[1] == {"query": "책임?", "queries": ["제9조"]}
    assert one[3]["outputs"] == {"documents": [{"id": "법/제9조", "score": 0.5}]}
    assert [item["id"] for item in two[1]["items"]] == ["Q1", "Q2"]
    assert two[3]["outputs"] == {}


def test_langsmith_gets_runs_with_parents_times_and_texts():
    created = []
    client = SimpleNamespace(
        create_run=lambda name, inputs, kind, **named: created.append((name, inputs, kind, named)),
        flush=lambda: created.append("flushed"),
    )
    with (
        Tracer([LangSmith(client, "proof")]) as tracer,
        tracer.span("answer"),
        tracer.span("retrieval", query="제9조", k=5) as span,
    ):
        span.set(documents=["전자금융거래법 제9조"])
    inner, outer, end = created
    assert inner[:3] == ("retrieval", {"query": "제9조"}, "retriever")
    assert inner[3]["outputs"] == {"documents": ["전자금융거래법 제9조"]}
    assert inner[3]["extra"] == {"metadata": {"k": 5}}
    assert inner[3]["parent_run_id"] == outer[3]["id"]
    assert outer[3]["parent_run_id"] is None
    assert inner[3]["project_name"] == "proof"
    assert inner[3]["start_time"] <= inner[3]["end_time"]
    assert end == "flushed"
