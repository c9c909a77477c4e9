"""A file of questions is answered completely, on a simulated clock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import simulation
from worlds import World, assert_complete, rows, submitted

from kofinlaw import UserError
from kofinlaw.data.prompting.wording import NO_EVIDENCE
from kofinlaw.rag.abstention.decision import Judgement
from kofinlaw.records import Question
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


REFUSAL = Judgement("below_floor", NO_EVIDENCE, 0.2, 0.5, ("전자금융거래법 제1조",))


class Judging(simulation.FakeSearcher):
    """Refuses the first free-text question; choices are not judged."""

    def judge(self, questions: Sequence[Question]) -> list[Any]:
        assert not any(one.options for one in questions)
        return [REFUSAL if q.id == "F000" else Judgement() for q in questions]


@pytest.mark.parametrize("abstain", ["never", "free", "always"])
def test_free_text_is_refused_as_the_recipe_says_and_choices_never(
    tmp_path: Path, few: Path, abstain: str
) -> None:
    world, out = World(), tmp_path / "out"
    world.searcher = Judging(world.clock)
    figures = world.answer(few, out, abstain=abstain, votes=3)
    assert_complete(out, few)
    answers = {row["id"]: row for row in rows(out / "answers.jsonl")}
    refused = [name for name, row in answers.items() if row["origin"] == "abstention"]
    assert refused == ([] if abstain == "never" else ["F000"])
    assert answers["Q000"]["answer"] in "12345"
    if not refused:
        assert "abstained" not in figures
        return
    assert figures["abstained"] == 1
    assert answers["F000"]["answer"] == NO_EVIDENCE
    assert answers["F000"]["confidence"] == 0.0
    (turn,) = [row for row in rows(out / "plan.jsonl") if row["id"] == "F000"]
    assert (turn["abstained"], turn["tokens"]) == ("below_floor", 0)
    (found,) = [row for row in rows(out / "evidence.jsonl") if row["id"] == "F000"]
    assert found["judgement"]["score"] == 0.2
    assert not any("배상책임 0을" in prompt for prompt in world.prompts)


def test_a_refusal_survives_a_kill_and_a_replay(tmp_path: Path, few: Path) -> None:
    world = World()
    world.searcher = Judging(world.clock)
    world.answer(few, tmp_path / "whole")
    assert world.answer(few, tmp_path / "whole")["abstained"] == 1  # a resume counts all
    again = World()
    again.searcher = Judging(again.clock)
    (tmp_path / "killed").mkdir()
    for name in ("state.json", "evidence.jsonl"):
        text = (tmp_path / "whole" / name).read_text(encoding="utf-8")
        (tmp_path / "killed" / name).write_text(text, encoding="utf-8")
    again.answer(few, tmp_path / "killed")
    replayed = World()
    replayed.searcher = simulation.FakeSearcher(replayed.clock)
    replayed.answer(few, tmp_path / "replayed", replay=tmp_path / "whole" / "plan.jsonl")
    for name in ("killed", "replayed"):
        one, other = (rows(tmp_path / folder / "answers.jsonl") for folder in ("whole", name))
        assert one == other
