"""Spans of retrieval, packing and model calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import simulation
from corpora import settings, write_chunks
from worlds import World, rows

from kofinlaw.models.engines.dummy_engine import DummyEngine
from kofinlaw.rag.answer.single_question import AskedAnswer, ask_question
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.index.build import build_index
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.trace_files import open_tracer
from kofinlaw.trace_settings import TraceSettings


@pytest.mark.parametrize("redact", [False, True])
def test_every_call_is_traced_with_the_questions_it_was_for(
    tmp_path: Path, few: Path, redact: bool
) -> None:
    out = tmp_path / "out"
    world = World()
    with open_tracer(TraceSettings(redact=redact), out) as tracer:
        world.answer(few, out, reasoning_tokens=64, votes=2, tracer=tracer)
    spans = rows(out / "traces.jsonl")
    named = {span["id"]: span["name"] for span in spans}
    assert {(span["name"], named.get(span["parent"])) for span in spans} == {
        ("retrieval", None),
        ("answer", None),
        ("packing", "answer"),
        ("generate", "answer"),
    }
    asked = {
        (item["id"], item["turn"]) for s in spans if s["name"] == "generate" for item in s["items"]
    }
    assert asked == {(turn["id"], turn["turn"]) for turn in rows(out / "plan.jsonl")}
    searched = [i["id"] for s in spans if s["name"] == "retrieval" for i in s["items"]]
    assert len(searched) == len(set(searched)) == 23
    assert ("손해를" in (out / "traces.jsonl").read_text("utf-8")) != redact


QUESTION = "접근매체의 위조로 손해가 생기면?\n1 배상한다\n2 배상하지 않는다"


def traced(folder: Path, **values: Any) -> tuple[AskedAnswer, dict[str, list[dict[str, Any]]]]:
    """The answer and its spans by the name of their parent."""
    build_index(write_chunks(folder), folder / "index", settings())
    retriever = Retriever(Index.load(folder / "index"), settings(**{"k": 2, **values}))
    with open_tracer(TraceSettings(), folder) as tracer, tracer.span("ask"):
        answer = ask_question(
            QUESTION,
            engine=DummyEngine(),
            template=simulation.TEMPLATE,
            retriever=retriever,
            settings=AnswerSettings(),
        )
    spans = rows(folder / "traces.jsonl")
    named = {span["id"]: span["name"] for span in spans}
    out: dict[str, list[dict[str, Any]]] = {}
    for span in spans:
        out.setdefault(named.get(span["parent"], ""), []).append(span)
    return answer, out


def test_each_step_of_an_answer_is_a_span_with_what_came_out_of_it(tmp_path: Path) -> None:
    answer, spans = traced(
        tmp_path, reranker="llm", rerank_pool=4, query_forms=["stem", "multi_query"]
    )
    assert [span["name"] for span in spans[""]] == ["ask"]
    retrieval, packing, score = spans["ask"]
    assert [retrieval["name"], packing["name"], score["name"]] == ["retrieval", "packing", "score"]

    written, rerank = spans["retrieval"]
    queries, forms = retrieval["attributes"]["queries"], retrieval["attributes"]["forms"]
    assert forms == ["stem", *["multi_query"] * len(written["attributes"]["queries"])]
    assert queries == ["접근매체의 위조로 손해가 생기면?", *written["attributes"]["queries"]]
    (item,) = rerank["items"]
    assert rerank["attributes"]["pairs"] == len(item["documents"]) == 3

    (found,) = retrieval["items"]
    evidence = [(hit.chunk, hit.score, hit.by) for hit in answer.evidence]
    assert [(hit["id"], hit["score"], hit["by"]) for hit in found["documents"]] == evidence
    assert [hit["id"] for hit in item["documents"]][:2] == [hit["id"] for hit in found["documents"]]

    (packed,) = packing["items"]
    assert packed["documents"] == [hit.chunk for hit in answer.evidence if hit.shown]
    (said,) = score["items"]
    assert answer.evidence[0].text.splitlines()[-1] in said["prompt"]
    assert said["answer"].index(max(said["answer"])) + 1 == int(answer.answer)


def test_a_passage_that_packing_left_out_is_not_said_to_be_read(tmp_path: Path) -> None:
    answer, spans = traced(tmp_path, k=4, evidence_tokens=50)
    (packed,) = spans["ask"][1]["items"]
    shown = [hit.chunk for hit in answer.evidence if hit.shown]
    assert packed["documents"] == shown
    assert 0 < len(shown) < packed["found"] == len(answer.evidence)


def test_without_an_open_span_nothing_is_traced(tmp_path: Path) -> None:
    build_index(write_chunks(tmp_path), tmp_path / "index", settings())
    ask_question(
        QUESTION,
        engine=DummyEngine(),
        template=simulation.TEMPLATE,
        retriever=Retriever(Index.load(tmp_path / "index"), settings()),
        settings=AnswerSettings(),
    )
    assert not (tmp_path / "traces.jsonl").exists()
