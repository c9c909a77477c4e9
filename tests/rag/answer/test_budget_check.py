"""The forecast of a whole file from a sample."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import simulation
from worlds import World

from kofinlaw.rag.answer.budget_check import check_budget
from kofinlaw.rag.answer.run_context import RunContext
from kofinlaw.rag.answer_settings import AnswerSettings


def checked(
    tmp_path: Path, seconds_per_token: float, minutes: float, *, free: int = 15, **more: Any
) -> Any:
    world = World(faults=simulation.Faults(seconds_per_token=seconds_per_token))
    questions = simulation.question_file(tmp_path, 200, free, random.Random(3))
    return check_budget(
        questions,
        open_engine=world.open_engine,
        template=simulation.TEMPLATE,
        retriever=world.searcher,
        settings=AnswerSettings(budget_minutes=minutes, batch_questions=4, **more),
        context=RunContext(clock=world.clock),
    )


def test_a_budget_that_is_enough_fits_and_its_interval_holds_the_truth(tmp_path: Path) -> None:
    check = checked(tmp_path, 0.001, 60)
    assert check.fits
    assert check.load == 5.0
    world = World(faults=simulation.Faults(seconds_per_token=0.001))
    world.answer(tmp_path / "test.csv", tmp_path / "out", batch_questions=4)
    taken = world.clock.now - 1000
    assert 0.8 * taken < check.total.seconds < 1.25 * taken
    assert check.total.low <= check.total.seconds <= check.total.high


def test_choosing_free_text_is_forecast_too(tmp_path: Path) -> None:
    voters = {"nearest": 1.0, "question": 1.0, "evidence": 0.5}
    check = checked(tmp_path, 0.001, 60, free_by="choose", free_voters=voters, votes=3)
    world = World(faults=simulation.Faults(seconds_per_token=0.001))
    world.answer(
        tmp_path / "test.csv",
        tmp_path / "out",
        batch_questions=4,
        free_by="choose",
        free_voters=voters,
        votes=3,
    )
    taken = world.clock.now - 1000
    assert 0.8 * taken < check.total.seconds < 1.25 * taken
    assert check.turns == 1


def test_passes_are_promised_as_the_run_makes_them(tmp_path: Path) -> None:
    """Nine orders of four or five options are five at most, and scored choices have no votes."""
    orders = checked(tmp_path, 0.0001, 600, permutations=9)
    assert orders.turns == 5
    (tmp_path / "choices").mkdir()
    votes = checked(tmp_path / "choices", 0.0001, 600, votes=9, free=0)
    assert votes.turns == 1


def test_a_budget_that_is_too_small_names_the_plan_that_would_fit(tmp_path: Path) -> None:
    whole = checked(tmp_path, 0.01, 600)
    tight = checked(tmp_path, 0.01, whole.total.seconds * 0.9 / 60 + 1)
    assert not tight.fits
    assert tight.plan in {"half-context", "quarter-context", "label-only"}
    assert "does not fit as configured" in tight.lines()[-1]
    hopeless = checked(tmp_path, 10.0, 2)
    assert hopeless.plan is None
    assert not hopeless.fits
