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
    found = verdict(scores)
    assert "statutes-cpu" in found["ko"][2]
    for smallest in scores["smallest"].values():
        smallest["n"] = 480
    assert "statutes-cpu" not in verdict(scores)["ko"][2]
    assert verdict(None)["outcome"] == "unknown"


def test_faults_of_the_answers_are_warnings(run_folder):
    scores = json.loads((run_folder / "score" / "scores.json").read_text())
    scores["systems"]["base"]["missing"] = ["MC-001", "MC-002"]
    scores["systems"]["base"]["fallbacks"] = 3
    found = verdict(scores, {"verdict": "fail"})
    assert [w["en"].split(":")[0] for w in found["warnings"]] == [
        "base model",
        "base model",
        "The merge was not proven",
    ]


def figure(value, low=None, high=None, n=60):
    return {"value": value, "low": low or value, "high": high or value, "n": n}


def first_line(run_folder, *, system, baselines, free=None):
    scores = json.loads((run_folder / "score" / "scores.json").read_text())
    scores["systems"]["trained-rag"] |= {"choice": system, "free": free}
    scores["baselines"] = baselines
    found = verdict(scores)
    return found["ko"][0], found["en"][0]


def test_the_first_line_names_the_strongest_of_all_baselines(run_folder):
    baselines = {
        "majority": figure(0.24),
        "longest": figure(0.25),
        "uniform": figure(0.22),
        "overlap:base-rag": figure(0.4),
        "overlap:trained-rag": figure(0.507),
        "echo": figure(0.9),
    }
    korean, english = first_line(run_folder, system=figure(0.206), baselines=baselines)
    assert "evidence overlap, trained + retrieval): 50.7%." in english
    assert english.endswith("The system does not beat this baseline.")
    assert "근거와 겹치는 보기, 학습 모델 + 검색)은 50.7%입니다." in korean
    assert korean.endswith("이 시스템은 이 기준선을 넘지 못했습니다.")


@pytest.mark.parametrize(
    ("value", "low", "sentence"),
    [
        (0.5, 0.4, "The system does not beat this baseline."),
        (0.55, 0.5, "so it is not shown to beat the baseline."),
        (0.7, 0.6, "The system beats this baseline by 20.0 points."),
    ],
)
def test_the_first_line_says_whether_the_system_beats_the_baseline(
    run_folder, value, low, sentence
):
    _, english = first_line(
        run_folder, system=figure(value, low, 0.9), baselines={"longest": figure(0.5)}
    )
    assert english.endswith(sentence)


def test_free_text_is_compared_with_the_question_given_back(run_folder):
    _, english = first_line(
        run_folder,
        system=None,
        baselines={"longest": figure(0.5), "echo": figure(0.53)},
        free=figure(0.48, 0.4, 0.6),
    )
    assert english.startswith(
        "Free text: 48.0 of 100. Giving the question back as the answer: 53.0. "
        "The system does not beat this baseline. "
        "Key facts of the references that the question does not hold: "
    )
    assert "(question repeated 0.0%; " in english


def test_without_any_score_the_first_line_says_so(run_folder):
    _, english = first_line(run_folder, system=None, baselines={})
    assert english == "No answers have been scored yet."
