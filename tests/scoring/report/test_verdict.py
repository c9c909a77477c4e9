"""The first lines of the report and its warnings."""

import json

import pytest

from kofinlaw.scoring.report.verdict import outcome_of, verdict


@pytest.mark.parametrize(
    ("only_a", "only_b", "p_value", "outcome"),
    [
        (5, 20, 0.004, "helped"),
        (20, 5, 0.004, "hurt"),
        (8, 12, 0.5, "unclear"),
        (7, 7, 1.0, "none"),
    ],
)
def test_the_verdict_says_plainly_what_the_paired_test_says(only_a, only_b, p_value, outcome):
    pair = {
        "n": 60,
        "only_a": only_a,
        "only_b": only_b,
        "p_value": p_value,
        "difference": (only_b - only_a) / 60,
    }
    assert outcome_of(pair, 0.05) == outcome


def test_the_verdict_points_to_the_larger_question_set_when_items_are_few(run_folder):
    scores = json.loads((run_folder / "score" / "scores.json").read_text())
    found = verdict({"scores": scores})
    assert "statutes-cpu" in found["ko"][2]
    for smallest in scores["smallest"].values():
        smallest["n"] = 480
    assert "statutes-cpu" not in verdict({"scores": scores})["ko"][2]
    assert verdict({})["outcome"] == "unknown"


def test_faults_of_the_answers_are_warnings(run_folder):
    scores = json.loads((run_folder / "score" / "scores.json").read_text())
    scores["systems"]["base"]["missing"] = ["MC-001", "MC-002"]
    scores["systems"]["base"]["fallbacks"] = 3
    found = verdict({"scores": scores, "merge": {"verdict": "fail"}})
    assert [w["en"].split(":")[0] for w in found["warnings"]] == [
        "base model",
        "base model",
        "The merge was not proven",
    ]
