"""What a study concludes for each goal, and when it draws no conclusion."""

import pytest

from kofinlaw.scoring.study_conclusions import conclude, judge_note


def figure(value):
    return {"value": value, "low": value - 0.1, "high": value + 0.1, "n": 100}


def cell(system, choice, free, p50, tokens):
    return {
        "system": system, "choice": figure(choice), "free": figure(free), "hit_3": None,
        "in_context": None, "text": dict.fromkeys(("bleu", "meteor_exact", "rouge1", "rougeL"), 0.2),
        "judged": {"correctness": {"figure": figure(choice)}}, "tokens": tokens, "p50": p50, "p95": 2 * p50,
    }  # fmt: skip


CELLS = [
    cell("base", 0.30, 0.50, 0.4, 200),
    cell("base-dense", 0.55, 0.52, 1.0, 700),
    cell("base-full", 0.58, 0.60, 2.5, 1500),
]


def pair(a, b, p, free_low=-0.1, free_high=0.1):
    return {"a": a, "b": b, "p_holm": p, "free_low": free_low, "free_high": free_high}


def scores(auc=None, pairs=()):
    judge = auc and {
        "judge": "local/judge",
        "controls": {"correctness": {"auc": auc}},
        "criteria": {"correctness": {"base": {"verdicts": 8, "unreadable": 2}}},
    }
    return {
        "judge": judge,
        "settings": {"alpha": 0.05},
        "pairs": [
            pair("base", "base-dense", 0.001),
            pair("base", "base-full", 0.001, 0.02, 0.2),
            pair("base-dense", "base-full", 0.8),
            *pairs,
        ],
    }


def said(goal, **given):
    return dict(conclude(CELLS, scores(**given)))[goal][1]


def test_the_best_is_named_with_those_that_do_not_differ_from_it():
    assert said("choice") == (
        "base-full is best in multiple choice (58.0), significantly better than 1. "
        "Not shown to differ from it: base-dense."
    )
    assert "significantly better than 1" in said("free text")


def test_the_fastest_is_chosen_among_the_best():
    # `base` is quicker but worse beyond chance.
    assert said("time").startswith(
        "Of the systems not shown to be worse than the best in multiple choice, base-dense is fastest"
    )
    assert said("tokens") == "base uses fewest tokens (200 per question), base-full most (1500)."


def test_with_too_few_questions_no_winner_is_named_as_better():
    few = {
        **scores(),
        "pairs": [
            pair("base", "base-dense", 0.9),
            pair("base", "base-full", 0.4),
            pair("base-dense", "base-full", 1.0),
        ],
    }
    assert "no other system is shown to differ" in dict(conclude(CELLS, few))["choice"][1]


@pytest.mark.parametrize(("auc", "trusted"), [(0.5, False), (0.69, False), (0.9, True)])
def test_a_judge_that_cannot_distinguish_its_controls_decides_nothing(auc, trusted):
    goals = dict(conclude(CELLS, scores(auc=auc)))
    assert ("judged correctness" in goals) == trusted
    note = judge_note(scores(auc=auc)["judge"])[1]
    assert "25% of the verdicts are unreadable" in note
    assert ("no conclusion uses its scores" in note) != trusted
