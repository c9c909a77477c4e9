"""Spans: attributes, items, parents and redaction."""

from __future__ import annotations

import threading

import pytest

from kofinlaw.trace_files import open_tracer, read_traces
from kofinlaw.trace_settings import TraceSettings
from kofinlaw.tracing import NO_TRACE, annotate_span, child_span

SECRET = "홍길동의 계좌 110-234-567890"


def spans(folder):
    return [span for _, span in read_traces(folder / "traces.jsonl")]


def test_a_call_is_one_line_with_its_attributes_items_and_seconds(tmp_path):
    with (
        open_tracer(TraceSettings(), tmp_path) as tracer,
        tracer.span("generate", model="pico", prompt="질문") as span,
    ):
        span.item("Q1", answer="1")
        span.set(output_tokens=3)
    (row,) = spans(tmp_path)
    assert row["name"] == "generate"
    assert row["attributes"] == {"model": "pico", "prompt": "질문", "output_tokens": 3}
    assert row["items"] == [{"id": "Q1", "answer": "1"}]
    assert row["seconds"] >= 0
    assert row["error"] == ""


def test_a_span_inside_another_is_its_child_and_one_on_another_thread_is_not(tmp_path):
    with open_tracer(TraceSettings(), tmp_path) as tracer, tracer.span("outer"):
        with tracer.span("inner"):
            pass

        def alone():
            with tracer.span("elsewhere"):
                pass

        thread = threading.Thread(target=alone)
        thread.start()
        thread.join()
    found = {span["name"]: span for span in spans(tmp_path)}
    assert found["inner"]["parent"] == found["outer"]["id"]
    assert found["elsewhere"]["parent"] is None


def test_redaction_removes_every_text(tmp_path):
    def fail(tracer):
        with tracer.span("generate", prompt=SECRET, documents=[SECRET, "제9조"]) as span:
            span.item("Q1", answer=SECRET)
            raise ValueError(SECRET)

    with (
        open_tracer(TraceSettings(redact=True), tmp_path) as tracer,
        pytest.raises(ValueError, match="110"),
    ):
        fail(tracer)
    text = (tmp_path / "traces.jsonl").read_text(encoding="utf-8")
    assert "홍길동" not in text
    assert "110-234" not in text
    assert f"[{len(SECRET)} characters, sha256 " in text
    assert spans(tmp_path)[0]["error"] == "ValueError"


def test_without_tracing_nothing_is_written_and_nothing_kept(tmp_path):
    tracer = open_tracer(TraceSettings(to=()), tmp_path)
    assert tracer is NO_TRACE
    with tracer.span("generate", prompt=SECRET) as one, tracer.span("generate") as two:
        one.set(answer=SECRET)
        one.item("Q1")
    assert one is two
    assert (one.attributes, one.items) == ({}, [])
    assert list(tmp_path.iterdir()) == []


def test_what_runs_deep_inside_a_span_adds_to_it_and_opens_children(tmp_path):
    def deep():
        annotate_span(queries=["제9조"])
        with child_span("rerank") as span:
            span.set(pairs=3)

    deep()  # no span is open: nothing is traced, nothing is kept
    with open_tracer(TraceSettings(), tmp_path) as tracer, tracer.span("retrieval"):
        deep()
    inner, outer = spans(tmp_path)
    assert (inner["name"], inner["parent"], inner["attributes"]) == (
        "rerank",
        outer["id"],
        {"pairs": 3},
    )
    assert outer["attributes"] == {"queries": ["제9조"]}
