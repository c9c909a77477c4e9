"""Several turns of a question combined into one answer."""

from __future__ import annotations

import math

import pytest

from kofinlaw.models.engines.base import ChoiceScore, Generation
from kofinlaw.rag.answer.agreement import (
    choice_probabilities,
    combine,
    written_choice,
)
from kofinlaw.rag.answer.journal import Turn
from kofinlaw.records import Question


def test_choice_probabilities_return_to_the_questions_order() -> None:
    scores = [
        ChoiceScore(math.log(0.6), 1),
        ChoiceScore(math.log(0.2), 1),
        ChoiceScore(math.log(0.2), 1),
    ]
    assert choice_probabilities(scores, (2, 0, 1), per_token=False) == pytest.approx(
        [0.2, 0.2, 0.6]
    )
    nan = [ChoiceScore(math.nan, 1), ChoiceScore(-1.0, 1)]
    assert choice_probabilities(nan, (0, 1), per_token=False) is None
    dead = [ChoiceScore(-math.inf, 1), ChoiceScore(-math.inf, 1)]
    assert choice_probabilities(dead, (0, 1), per_token=False) is None


def test_scores_by_token_do_not_punish_length() -> None:
    scores = [ChoiceScore(-2.0, 2), ChoiceScore(-10.0, 10)]
    assert choice_probabilities(scores, (0, 1), per_token=True) == [0.5, 0.5]


def test_a_written_choice_must_be_one_of_them() -> None:
    sure = Generation("2", 5, 1, "stop", math.log(0.8))
    assert written_choice(sure, ("1", "2"), (0, 1)) == pytest.approx([0.2, 0.8])
    assert written_choice(Generation("12", 5, 2, "length", -1.0), ("1", "2"), (0, 1)) is None


def turn(number: int, **values: object) -> Turn:
    return Turn("q", number, "full", 1, 10, 2, **values)  # type: ignore[arg-type]


def test_probabilities_are_averaged_over_orders_of_the_options() -> None:
    question = Question("q", "무엇?", ("가", "나"))
    answer = combine(question, [turn(0, scores=[0.9, 0.1]), turn(1, scores=[0.3, 0.7])], ["c"])
    assert answer is not None
    assert (answer.answer, answer.confidence, answer.tokens) == ("1", 0.6, 24)
    assert combine(question, [turn(0, failed="x")], []) is None


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
