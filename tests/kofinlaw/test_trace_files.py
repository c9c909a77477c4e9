"""Trace files are resumed after a kill."""

from __future__ import annotations

from kofinlaw.trace_files import open_tracer, read_traces
from kofinlaw.trace_settings import TraceSettings


def spans(folder):
    return [span for _, span in read_traces(folder / "traces.jsonl")]


def test_tracing_continues_after_a_kill_that_tore_a_line(tmp_path):
    with open_tracer(TraceSettings(), tmp_path) as tracer, tracer.span("first"):
        pass
    with open(tmp_path / "traces.jsonl", "a", encoding="utf-8") as handle:
        handle.write('{"id": 2, "na')
    with open_tracer(TraceSettings(), tmp_path) as tracer, tracer.span("second"):
        pass
    assert [(span["id"], span["name"]) for span in spans(tmp_path)] == [(1, "first"), (2, "second")]


def test_a_text_that_utf_8_cannot_encode_is_written_with_a_question_mark(tmp_path):
    with open_tracer(TraceSettings(to=("jsonl",)), tmp_path) as tracer, tracer.span("ask") as span:
        span.set(query="\ud800 보고")
    assert "? 보고" in (tmp_path / "traces.jsonl").read_text(encoding="utf-8")
