"""Passes beyond the first, and reasons written before a choice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import simulation
from worlds import World, rows

from kofinlaw.data.prompting.wording import REASONED_CUE, REASONING_RULE
from kofinlaw.models.engines.base import Generation, Request
from kofinlaw.models.engines.dummy_engine import DummyEngine
from kofinlaw.rag.answer.agreement import combine
from kofinlaw.rag.answer.journal import Turn
from kofinlaw.rag.answer.single_question import ask_question
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.retrieve.query_forms import generate_with
from kofinlaw.records import Question


@pytest.mark.parametrize("choose_by", ["score", "generate"])
def test_reasoning_is_written_first_and_the_choice_follows_it(
    tmp_path: Path, few: Path, choose_by: str
) -> None:
    world = World()
    figures = world.answer(
        few, tmp_path / "out", reasoning_tokens=64, answer_form="label", choose_by=choose_by
    )
    assert figures["fallback"] == 0
    first, second = (
        [p for p in world.prompts if REASONING_RULE in p and p.endswith(end)]
        for end in ("<assistant>", REASONED_CUE)
    )
    assert len(first) == len(second) == 20
    assert all(any(p.startswith(q) for q in first) for p in second)
    turns = [turn for turn in rows(tmp_path / "out/plan.jsonl") if turn["scores"]]
    assert all(turn["reasoning"] for turn in turns)


def test_log_probabilities_are_asked_for_only_where_they_are_read() -> None:
    wanted: dict[str, set[bool]] = {}

    class Noting(DummyEngine):
        def generate(self, requests: Sequence[Request]) -> list[Generation]:
            kind = "choice" if requests[0].choices else "reasons"
            wanted.setdefault(kind, set()).update(request.logprob for request in requests)
            return super().generate(requests)

    asked = {"engine": Noting(), "template": simulation.TEMPLATE, "retriever": None}
    reasoned = AnswerSettings(reasoning_tokens=32, choose_by="generate")
    ask_question("기한은?\n1 3일\n2 10일", settings=reasoned, **asked)
    assert wanted == {"reasons": {False}, "choice": {True}}

    wanted.clear()
    generate_with(Noting(), simulation.TEMPLATE)(["검색문을 쓰십시오.", "조문을 쓰십시오."])
    assert wanted == {"reasons": {False}}


def test_votes_are_spent_where_the_answer_is_least_sure(tmp_path: Path, few: Path) -> None:
    world = World()
    figures = world.answer(few, tmp_path / "out", votes=5, choose_by="generate", batch_questions=4)
    assert figures["turns"] == 23 * 5
    some = World()
    whole = world.clock.now - 1000.0
    figures = some.answer(
        few, tmp_path / "some", votes=5, choose_by="generate", batch_questions=4,
        budget_minutes=whole / 60 * 0.5, reserve_minutes=0.01,
    )  # fmt: skip
    assert figures["fallback"] == 0
    assert 23 < figures["turns"] < 23 * 5
    turns = rows(tmp_path / "some/plan.jsonl")
    sure = {t["id"]: max(t["scores"]) for t in turns if t["scores"] and t["turn"] == 0}
    again = {t["id"] for t in turns if t["scores"] and t["turn"] == 1}
    if again and again != set(sure):
        assert max(sure[i] for i in again) <= min(sure[i] for i in set(sure) - again)


def test_all_orders_of_a_scored_choice_are_asked_in_one_call(tmp_path: Path, few: Path) -> None:
    world = World()
    figures = world.answer(few, tmp_path / "out", permutations=4, batch_questions=8)
    assert figures["turns"] == 20 * 4 + 3
    calls = [call for engine in world.engines for call in engine.calls]
    spare = [call for call in calls if len(call) % 3 == 0 and "[문제]" in call[0]][-10:]
    for call in spare:
        stems = Counter(prompt.partition("\n1 ")[0] for prompt in call)
        assert set(stems.values()) == {3}, "a question's other orders are read apart"
    assert sum(map(len, spare)) == 20 * 3


def test_written_choices_are_counted_and_not_averaged() -> None:
    question = Question("q", "무엇?", ("가", "나", "다"))

    def turn(number: int, scores: list[float], text: str) -> Turn:
        return Turn("q", number, "full", 0, 10, 1, scores=scores, text=text)

    turns = [
        turn(0, [0.98, 0.01, 0.01], "1"),
        turn(1, [0.3, 0.4, 0.3], "2"),
        turn(2, [0.3, 0.4, 0.3], "2"),
    ]
    answer = combine(question, turns, ())
    assert answer is not None
    assert (answer.answer, answer.confidence) == ("2", pytest.approx(2 / 3, abs=1e-6))
    scored = [turn(t.turn, t.scores, "") for t in turns]
    averaged = combine(question, scored, ())
    assert averaged is not None
    assert averaged.answer == "1"
