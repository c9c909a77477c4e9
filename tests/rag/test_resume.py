"""Runs gone on with after a kill, and plans followed again: the same bytes."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import simulation
from worlds import World, assert_complete, rows, same_bytes, submitted

from kofinlaw import UserError
from kofinlaw.rag.answer.answer_book import AnswerBook
from kofinlaw.rag.answer.batches import Task
from kofinlaw.rag.answer.deadline import HALF, LABEL_ONLY, PLANS, Budget, Costs
from kofinlaw.rag.answer.journal import Journal, Turn
from kofinlaw.rag.answer.schedule import Schedule
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.questions.question_files import read_questions


class Killed(BaseException):
    """What a kill is to a test: nothing after it runs."""


@pytest.mark.parametrize("seed", range(12))
def test_killed_anywhere_and_run_again_gives_the_same_bytes(tmp_path: Path, seed: int) -> None:
    questions = simulation.question_file(tmp_path, 25, 4, random.Random(seed))
    options: dict[str, Any] = {
        "permutations": 3,
        "votes": 3,
        "batch_questions": 4,
        "budget_minutes": 600,
    }
    World().answer(questions, tmp_path / "whole", **options)
    draw = random.Random(seed)
    prompts: list[str] = []
    for _ in range(6):
        after = draw.randint(1, 9)

        def progress(phase: str, done: int, total: int | None = None, **info: object) -> None:
            nonlocal after
            after -= 1
            if after < 0:
                raise Killed

        world = World(clock=simulation.Clock(draw.random() * 1e6))
        try:
            world.answer(questions, tmp_path / "cut", progress=progress, **options)
            break
        except Killed:
            with open(tmp_path / "cut" / "plan.jsonl", "a", encoding="utf-8") as handle:
                handle.write('{"id": "torn')
            assert len(submitted(tmp_path / "cut")) == 29
        finally:
            prompts += world.prompts
    World().answer(questions, tmp_path / "cut", **options)
    same_bytes(tmp_path / "cut", tmp_path / "whole")
    assert len(prompts) <= len(set(prompts)) + 2 * 4 * 6


def test_a_resumed_run_counts_the_time_already_used(tmp_path: Path, questions: Path) -> None:
    out = tmp_path / "out"
    World().answer(questions, out, budget_minutes=60)
    (out / "clock.json").write_text('{"seconds_used": 3590}')
    (out / "plan.jsonl").unlink()
    figures = World().answer(questions, out, budget_minutes=60)
    assert figures["fallback"] == 45
    assert_complete(out, questions)


@pytest.mark.parametrize(
    ("count_pauses", "set_forward", "left_to_the_fallback"),
    [(False, 7200.0, False), (True, 7200.0, True), (True, -1e6, False), (True, 60.0, False)],
)
def test_the_time_between_a_kill_and_the_next_start_counts_when_asked(
    tmp_path: Path,
    few: Path,
    count_pauses: bool,
    set_forward: float,
    left_to_the_fallback: bool,
) -> None:
    world = World()
    world.answer(few, tmp_path / "out", budget_minutes=60, count_pauses=count_pauses)
    (tmp_path / "out" / "plan.jsonl").unlink()
    world.wall += set_forward
    figures = world.answer(few, tmp_path / "out", budget_minutes=60, count_pauses=count_pauses)
    assert (figures["fallback"] == 23) == left_to_the_fallback


def test_a_half_recorded_batch_is_done_again_by_the_plan_it_had(
    tmp_path: Path, questions: Path
) -> None:
    file = read_questions(questions)
    journal = Journal(tmp_path, {})
    book = AnswerBook(file, journal, AnswerSettings(), 400)
    # The first task alone had stepped down to the labels before the kill.
    for place, plan in ((0, LABEL_ONLY), (1, HALF)):
        journal.record(Turn(file.questions[place].id, 0, plan.name, 0, 9, 1, scores=[1.0, 0, 0, 0]))
    batch = [Task(place, 0, "choice") for place in range(4)]
    budget = Budget(None, 0.0, simulation.Clock())
    steps = Schedule(book, budget, Costs(), PLANS).first(batch, batch)
    assert steps == [(batch, HALF)]


def test_other_questions_in_the_same_folder_are_refused(tmp_path: Path, questions: Path) -> None:
    World().answer(questions, tmp_path / "out")
    questions.write_text("ID,Question\nA,설명하세요.\n", encoding="utf-8")
    with pytest.raises(UserError, match="questions changed since it began"):
        World().answer(questions, tmp_path / "out")


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
