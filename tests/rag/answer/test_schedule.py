"""Which batch is asked by which plan, by the time left or as recorded."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import simulation
from worlds import World, rows, same_bytes

from kofinlaw import UserError
from kofinlaw.rag.answer.answer_book import AnswerBook
from kofinlaw.rag.answer.batches import Task
from kofinlaw.rag.answer.deadline import HALF, LABEL_ONLY, PLANS, Costs, TimeBudget
from kofinlaw.rag.answer.journal import Journal, Turn
from kofinlaw.rag.answer.schedule import Schedule
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.questions.question_files import read_questions
from kofinlaw.rag.settings import RagSettings


def test_the_reranker_goes_before_labels_are_scored_without_evidence(
    tmp_path: Path, few: Path
) -> None:
    class Reranking(simulation.FakeSearcher):
        def search(self, asked: Any, *, as_of: Any = None, rerank: bool = True) -> Any:
            self.clock.now += 8.0 * len(asked) if rerank else 0.0
            return super().search(asked)

    def world() -> World:
        one = World()
        one.searcher = Reranking(one.clock)
        one.searcher.settings = RagSettings(evidence_tokens=400, reranker="llm")
        return one

    plenty = world().answer(few, tmp_path / "a", budget_minutes=60)
    assert "reranker_left_out" not in plenty
    tight = world().answer(
        few, tmp_path / "b", budget_minutes=2, reserve_minutes=0.1, batch_questions=4
    )
    assert tight["reranker_left_out"] == 1
    assert tight["fallback"] == 0
    assert tight["plan_full"] > tight["plan_label-only"]


def test_a_half_recorded_batch_is_done_again_by_the_plan_it_had(
    tmp_path: Path, questions: Path
) -> None:
    file = read_questions(questions)
    journal = Journal(tmp_path, {})
    book = AnswerBook(file, journal, AnswerSettings(), 400)
    # The first task alone had stepped down to the labels before the kill.
    for position, plan in ((0, LABEL_ONLY), (1, HALF)):
        journal.record_turn(
            Turn(file.questions[position].id, 0, plan.name, 0, 9, 1, scores=[1.0, 0, 0, 0])
        )
    batch = [Task(position, 0, "choice") for position in range(4)]
    budget = TimeBudget(None, 0.0, simulation.Clock())
    steps = Schedule(book, budget, Costs(), PLANS).first(batch, batch)
    assert steps == [(batch, HALF)]


def test_a_replayed_plan_gives_the_same_bytes_whatever_the_clock_says(
    tmp_path: Path, few: Path
) -> None:
    settings = {"votes": 3, "permutations": 3, "reasoning_tokens": 64, "batch_questions": 4}
    slow = World(faults=simulation.Faults(seconds_per_token=0.001, empty=0.1))
    figures = slow.answer(
        few, tmp_path / "first", budget_minutes=3, reserve_minutes=0.1, **settings
    )
    plans = {turn["plan"] for turn in rows(tmp_path / "first/plan.jsonl")}
    assert len(plans) > 1
    plan = tmp_path / "first" / "plan.jsonl"
    world = World(searcher=slow.searcher)
    again = world.answer(few, tmp_path / "again", replay=plan, **settings)
    same_bytes(tmp_path / "first", tmp_path / "again")
    assert again["turns"] == figures["turns"]


def test_a_plan_of_other_questions_is_refused(tmp_path: Path, few: Path) -> None:
    World().answer(few, tmp_path / "first")
    (tmp_path / "other").mkdir()
    other = simulation.question_file(tmp_path / "other", 2, 1, random.Random(9))
    with pytest.raises(UserError, match="other questions"):
        World().answer(other, tmp_path / "again", replay=tmp_path / "first" / "plan.jsonl")


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
