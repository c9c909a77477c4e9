"""Figures computed from verdicts."""

import pytest

from kofinlaw.scoring.judge.judge_figures import Verdict, system_figures


def test_agreement_is_the_share_of_items_whose_repeats_are_equal():
    rows = {"a": (1, 1), "b": (0, 1), "c": (0, 0), "d": (1, None)}
    verdicts = [
        Verdict("s", name, "correctness", at, score)
        for name, scores in rows.items()
        for at, score in enumerate(scores)
    ]
    figures = system_figures(verdicts, seed=0)
    assert figures["agreement"] == pytest.approx(2 / 3)
    assert figures["by_chance"] == pytest.approx(0.5)  # three of six verdicts are 1
    assert figures["figure"]["value"] == pytest.approx((1 + 0.5 + 0 + 1) / 4)
