"""A file of questions is answered completely, on a simulated clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import simulation
from worlds import World, assert_complete, rows, submitted

from kofinlaw import UserError
from kofinlaw.data.prompting.wording import NO_EVIDENCE
from kofinlaw.trace_files import open_tracer
from kofinlaw.trace_settings import TraceSettings


def test_with_time_enough_every_answer_is_the_models(tmp_path: Path, questions: Path) -> None:
    figures = World().answer(
        questions, tmp_path / "out", budget_minutes=60, permutations=3, votes=3
    )
    assert_complete(tmp_path / "out", questions)
    assert figures["fallback"] == 0
    assert figures["plan_full"] == 45
    assert figures["turns"] == 45 * 3


@pytest.mark.parametrize("form", ["label", "text"])
@pytest.mark.parametrize("choose_by", ["score", "generate", "contrast"])
def test_every_way_to_choose_gives_valid_answers(
    tmp_path: Path, questions: Path, form: str, choose_by: str
) -> None:
    figures = World(searcher=None).answer(
        questions,
        tmp_path / "out",
        answer_form=form,
        choose_by=choose_by,
        permutations=1 if choose_by == "contrast" else 2,
    )
    assert figures["fallback"] == 0
    assert_complete(tmp_path / "out", questions)


def test_a_missing_model_is_an_error_for_the_user(tmp_path: Path, questions: Path) -> None:
    def nothing() -> Any:
        raise UserError("no such model")

    with pytest.raises(UserError, match="no such model"):
        World(searcher=None).answer(questions, tmp_path / "out", open_engine=nothing)
    assert len(submitted(tmp_path / "out")) == 45


def test_a_question_file_that_changes_meanwhile_is_answered_as_it_was_read(
    tmp_path: Path, few: Path
) -> None:
    world = World()

    class Meddling(simulation.FakeSearcher):
        def search(self, asked: Any, *, as_of: Any = None, rerank: bool = True) -> Any:
            few.write_text("ID,Question\nA,설명하세요.\n", encoding="utf-8")
            return super().search(asked)

    world.searcher = Meddling(world.clock)
    figures = world.answer(few, tmp_path / "out")
    assert figures["question_file_changed"] == 1
    assert (figures["questions"], figures["fallback"]) == (23, 0)
    assert len((tmp_path / "out/submission.csv").read_text("utf-8-sig").splitlines()) >= 24


def test_free_text_for_which_nothing_is_found_says_so(tmp_path: Path, few: Path) -> None:
    world = World()
    world.searcher = simulation.FakeSearcher(world.clock, finds=False)
    figures = world.answer(few, tmp_path / "out")
    assert (figures["nothing_found"], figures["fallback"]) == (3, 3)
    said = {row["answer"] for row in rows(tmp_path / "out/answers.jsonl") if row["id"][0] == "F"}
    assert said == {NO_EVIDENCE}
    world = World()
    world.searcher = simulation.FakeSearcher(world.clock, finds=False)
    assert world.answer(few, tmp_path / "b", without_evidence="answer")["fallback"] == 0


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
