"""What evidence and stem add to an option's log-probability, a token on average."""

from __future__ import annotations

import math

import pytest

from kofinlaw.models.engines.base import ChoiceScore
from kofinlaw.rag.choosing.bare_scores import BareScore, BareScores
from kofinlaw.rag.choosing.contrast import model_votes

TEXTS = ["3일", "5일 이내에 보고"]
BARE = BareScores([BareScore(TEXTS[0], -4.0, 2), BareScore(TEXTS[1], -20.0, 5)])


def test_the_options_own_prior_is_taken_away_token_by_token() -> None:
    votes = model_votes(TEXTS, [ChoiceScore(-2.0, 2), ChoiceScore(-15.0, 5)], BARE)
    assert votes == [
        {"voter": "contrast", "values": [pytest.approx(1.0), pytest.approx(1.0)]},
        {"voter": "likelihood", "values": [pytest.approx(-1.0), pytest.approx(-3.0)]},
    ]


def test_the_stem_alone_is_a_second_reference() -> None:
    scores = [ChoiceScore(-2.0, 2), ChoiceScore(-15.0, 5)]
    stem = [ChoiceScore(-2.0, 2), ChoiceScore(-17.5, 5)]
    votes = model_votes(TEXTS, scores, BARE, {"evidence": stem})
    assert votes is not None
    assert [vote["voter"] for vote in votes] == ["contrast", "likelihood", "evidence"]
    assert votes[2]["values"] == [pytest.approx(0.0), pytest.approx(0.5)]


@pytest.mark.parametrize("bad", [math.nan, -math.inf])
def test_a_score_that_is_not_finite_gives_no_votes(bad: float) -> None:
    good = [ChoiceScore(-2.0, 2), ChoiceScore(-15.0, 5)]
    assert model_votes(TEXTS, [good[0], ChoiceScore(bad, 5)], BARE) is None
    assert model_votes(TEXTS, good, BARE, {"evidence": [ChoiceScore(bad, 2), good[1]]}) is None
    assert model_votes(TEXTS, good, BareScores()) is None
    assert model_votes(TEXTS, good[:1], BARE) is None
