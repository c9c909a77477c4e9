"""One question with its evidence, and the forecast of a whole file."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import simulation
from worlds import World

from kofinlaw import UserError
from kofinlaw.models.engines.base import Generation, Request
from kofinlaw.models.engines.dummy_engine import DummyEngine
from kofinlaw.rag.answer.budget_check import check_budget
from kofinlaw.rag.answer.run_context import RunContext
from kofinlaw.rag.answer.single_question import ask_question
from kofinlaw.rag.answer_settings import AnswerSettings


def test_ask_gives_the_option_and_says_what_the_model_read() -> None:
    clock = simulation.Clock()
    result = ask_question(
        "손해배상 기한은?\n1 3일\n2 10일",
        engine=DummyEngine(),
        template=simulation.TEMPLATE,
        retriever=simulation.FakeSearcher(clock),
        settings=AnswerSettings(permutations=2),
    )
    assert result.answer in ("1", "2")
    assert result.option == ("3일", "10일")[int(result.answer) - 1]
    assert len(result.evidence) == 3
    assert result.evidence[0].shown
    assert result.evidence[0].unit.startswith("전자금융거래법 제")
    assert result.origin == "model"


def test_ask_without_documents_and_without_a_question() -> None:
    result = ask_question(
        "접근매체를 설명하세요.",
        engine=DummyEngine(),
        template=simulation.TEMPLATE,
        retriever=None,
        settings=AnswerSettings(votes=3),
    )
    assert result.answer.startswith("답변")
    assert result.evidence == ()
    with pytest.raises(UserError, match="empty"):
        ask_question(" ", engine=DummyEngine(), template=simulation.TEMPLATE, retriever=None,
            settings=AnswerSettings())  # fmt: skip


def test_a_fallback_keeps_to_the_recipes_length_and_the_question_to_its_day() -> None:
    class Silent(DummyEngine):
        def generate(self, requests: Sequence[Request]) -> list[Generation]:
            return [Generation("", 1, 0, "error", 0.0) for _ in requests]

    searcher = simulation.FakeSearcher(simulation.Clock())
    given = {"engine": Silent(), "template": simulation.TEMPLATE, "retriever": searcher}
    settings = AnswerSettings(free_max_characters=20)
    result = ask_question("이용자의 손해를 며칠 이내에 배상하는가?", settings=settings, **given)
    assert result.origin == "fallback"
    assert len(result.answer) == 20
    assert searcher.days is None
    ask_question("배상?", settings=settings, as_of=date(2020, 3, 1), **given)
    assert searcher.days == [date(2020, 3, 1)]


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
    assert "does not fit as set" in tight.lines()[-1]
    hopeless = checked(tmp_path, 10.0, 2)
    assert hopeless.plan is None
    assert not hopeless.fits
