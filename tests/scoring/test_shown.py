"""Which passages were in the prompt after packing."""

import pytest

from kofinlaw.files import write_jsonl
from kofinlaw.scoring.shown import first_reasons, header, shown_passages, shown_texts
from kofinlaw.trace_files import open_tracer
from kofinlaw.trace_settings import TraceSettings


def turn(name, shown=2):
    return {"id": name, "turn": 0, "scores": [1.0], "text": "", "shown": shown}


@pytest.fixture
def passages(run_folder):
    from kofinlaw.files import read_jsonl
    from kofinlaw.records import Chunk

    return {c.id: c for c in list(read_jsonl(run_folder / "data/chunks.jsonl", Chunk))[:4]}


def test_all_retrieved_passages_were_shown_if_the_plan_says_so(tmp_path, passages):
    ids = list(passages)[:2]
    write_jsonl(tmp_path / "plan.jsonl", [turn("Q1"), turn("Q2", shown=0)])
    found = shown_passages(tmp_path, {"Q1": ids, "Q2": ids, "Q3": ids}, passages)
    assert found == {"Q1": tuple(ids), "Q2": ()}


def test_if_packing_left_some_out_the_traced_prompt_decides(tmp_path, passages):
    ids = list(passages)[:3]
    write_jsonl(tmp_path / "plan.jsonl", [turn("Q1"), turn("Q2")])
    with open_tracer(TraceSettings(), tmp_path) as tracer, tracer.span("score") as span:
        span.item("Q1", prompt=f"[참고 조문]\n{passages[ids[2]].text}\n{passages[ids[0]].text}")
    assert shown_passages(tmp_path, {"Q1": ids, "Q2": ids}, passages) == {"Q1": (ids[0], ids[2])}


def test_the_recorded_texts_decide_before_the_traced_prompt(tmp_path, passages):
    ids = list(passages)[:3]
    texts = [f"{header(passages[name])}\n한 줄" for name in ids[1:]]
    write_jsonl(tmp_path / "plan.jsonl", [{**turn("Q1"), "texts": texts}])
    with open_tracer(TraceSettings(), tmp_path) as tracer, tracer.span("score") as span:
        span.item("Q1", prompt=passages[ids[0]].text)
    assert shown_passages(tmp_path, {"Q1": ids}, passages) == {"Q1": (ids[1], ids[2])}


def test_texts_are_those_of_the_first_turn_that_succeeded(tmp_path):
    rows = [
        {**turn("Q1"), "texts": ["가", "나"]},
        {**turn("Q1"), "turn": 1, "texts": ["다", "라"]},
        {**turn("Q2", shown=0), "failed": "empty answer", "texts": []},
        {**turn("Q2", shown=1), "turn": 1, "texts": ["마"]},
        {**turn("Q3", shown=0), "texts": []},
        {**turn("Q4", shown=0), "failed": "out of memory", "texts": []},
    ]
    write_jsonl(tmp_path / "plan.jsonl", rows)
    assert shown_texts(tmp_path) == {"Q1": ("가", "나"), "Q2": ("마",), "Q3": ()}


def test_a_folder_of_an_older_version_has_no_texts(tmp_path):
    write_jsonl(tmp_path / "plan.jsonl", [turn("Q1"), {**turn("Q2"), "texts": []}])
    assert shown_texts(tmp_path) == {}
    assert shown_texts(tmp_path / "missing") == {}


def test_the_reasons_before_a_choice_are_those_of_the_first_turn(tmp_path):
    rows = [
        {"id": "q1", "turn": 0, "reasoning": "[1] 제1조에 따른다."},
        {"id": "q1", "turn": 1, "reasoning": "[2]"},
        {"id": "q2", "turn": 0, "reasoning": ""},
    ]
    write_jsonl(tmp_path / "plan.jsonl", rows)
    assert first_reasons(tmp_path) == {"q1": "[1] 제1조에 따른다."}
    assert first_reasons(tmp_path / "none") == {}
