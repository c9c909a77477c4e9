"""Permuted options, and what stood in the prompt after packing."""

import pytest

from kofinlaw.files import write_jsonl
from kofinlaw.records import Key, Question
from kofinlaw.scoring.metrics.retrieval import retrieval_scores
from kofinlaw.scoring.orders import order_figures, read_picks
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.shown import shown_passages
from kofinlaw.trace_files import open_tracer
from kofinlaw.trace_settings import TraceSettings

QUESTIONS = [Question(f"Q{i}", "옳은 것은?", ("가", "나")) for i in (1, 2, 3)]
GOLDS = {"Q1": Key("Q1", answer="1"), "Q2": Key("Q2", answer="1"), "Q3": Key("Q3", answer="2")}


def turn(name, number, *scores, text=""):
    return {"id": name, "turn": number, "scores": list(scores), "text": text, "shown": 2}


def test_the_plain_order_the_others_and_their_mean_stand_beside_each_other(tmp_path):
    write_jsonl(
        tmp_path / "plan.jsonl",
        [
            turn("Q1", 0, 0.6, 0.4), turn("Q1", 1, 0.9, 0.1),  # the same option twice: right
            turn("Q2", 0, 0.4, 0.6), turn("Q2", 1, 0.9, 0.1),  # the place decides; the mean is right
            turn("Q3", 0, 0.3, 0.7),  # asked in one order: not counted
        ],
    )  # fmt: skip
    found = order_figures(
        read_picks(tmp_path), QUESTIONS, GOLDS, ScoreSettings(bootstrap_samples=100)
    )
    assert (found["n"], found["orders"]) == (2, 2)
    assert found["plain"]["value"] == 0.5
    assert found["permuted"]["value"] == 1
    assert found["averaged"]["value"] == 1
    assert found["consistent"]["value"] == 0.5
    assert found["by_chance"] == 0.5
    assert (found["gained"], found["lost"]) == (1, 0)


def test_written_turns_are_no_permutation_and_without_a_plan_there_is_no_figure(tmp_path):
    write_jsonl(
        tmp_path / "plan.jsonl", [turn("Q1", 0, 0.6, 0.4), turn("Q1", 1, 0.1, 0.9, text="나")]
    )
    settings = ScoreSettings()
    assert order_figures(read_picks(tmp_path), QUESTIONS, GOLDS, settings) is None
    assert order_figures(read_picks(tmp_path / "none"), QUESTIONS, GOLDS, settings) is None


def test_recall_counts_every_gold_article_and_hit_any():
    gold = {"Q1": ["가 제1조", "가 제2조"], "Q2": ["가 제9조"]}
    evidence = {"Q1": ["a", "b", "c", "d"], "Q2": ["a"]}
    units = {"a": "가 제1조", "b": "나 제1조", "c": "나 제2조", "d": "가 제2조"}
    found = retrieval_scores(gold, evidence, units, {"Q1": ["b"]})
    assert (found.hit_3, found.recall_3, found.recall_5) == (0.5, 0.25, 0.5)
    assert (found.in_context, found.in_context_n) == (0.0, 1)


@pytest.fixture
def passages(run_folder):
    from kofinlaw.files import read_jsonl
    from kofinlaw.records import Chunk

    return {c.id: c for c in list(read_jsonl(run_folder / "data/chunks.jsonl", Chunk))[:4]}


def test_all_that_was_found_was_shown_where_the_plan_says_so(tmp_path, passages):
    ids = list(passages)[:2]
    write_jsonl(tmp_path / "plan.jsonl", [turn("Q1", 0, 1.0), {**turn("Q2", 0, 1.0), "shown": 0}])
    found = shown_passages(tmp_path, {"Q1": ids, "Q2": ids, "Q3": ids}, passages)
    assert found == {"Q1": tuple(ids), "Q2": ()}


def test_where_packing_left_some_out_the_traced_prompt_tells(tmp_path, passages):
    ids = list(passages)[:3]
    write_jsonl(tmp_path / "plan.jsonl", [turn("Q1", 0, 1.0), turn("Q2", 0, 1.0)])
    with open_tracer(TraceSettings(), tmp_path) as tracer, tracer.span("score") as span:
        span.item("Q1", prompt=f"[참고 조문]\n{passages[ids[2]].text}\n{passages[ids[0]].text}")
    assert shown_passages(tmp_path, {"Q1": ids, "Q2": ids}, passages) == {"Q1": (ids[0], ids[2])}
