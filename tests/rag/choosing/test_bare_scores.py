"""Scores of options without context: each once, in any order, none that is not finite."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from kofinlaw.models.engines.base import ChoiceScore
from kofinlaw.models.engines.dummy_engine import DummyEngine
from kofinlaw.rag.choosing.bare_scores import BareScore, BareScores, score_bare


def test_each_text_is_scored_once_and_recorded() -> None:
    engine, written = DummyEngine(), []
    bare = BareScores(record=written.append)
    bare.add(score_bare(engine, "정답:", bare.missing(["나", "가", "나"])))
    assert [score.text for score in written] == ["가", "나"]
    assert bare.missing(["가", "나", "다"]) == ["다"]
    bare.add([BareScore("가", -99.0, 1)])
    assert bare.mean("가") == written[0].logprob / written[0].tokens > -99
    assert score_bare(engine, "정답:", []) == []
    assert engine.stats.calls == 1


def test_scores_of_an_earlier_process_are_kept_and_not_written_again() -> None:
    written: list[BareScore] = []
    bare = BareScores([BareScore("가", -4.0, 2)], written.append)
    assert bare.mean("가") == -2.0
    assert bare.missing(["가"]) == []
    assert written == []


def test_a_score_that_is_not_finite_is_asked_for_again() -> None:
    bare = BareScores()
    bare.add([BareScore("가", math.nan, 1), BareScore("나", -math.inf, 1)])
    assert bare.missing(["가", "나"]) == ["가", "나"]
    assert math.isnan(bare.mean("가"))


def test_an_engine_that_returns_too_few_scores_is_an_error() -> None:
    class Short(DummyEngine):
        def score(
            self, prompts: Sequence[str], choices: Sequence[Sequence[str]]
        ) -> list[list[ChoiceScore]]:
            return [row[:-1] for row in super().score(prompts, choices)]

    with pytest.raises(RuntimeError, match="2 texts"):
        score_bare(Short(), "정답:", ["가", "나"])
