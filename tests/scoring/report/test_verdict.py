"""The summary at the top of the report."""

import json

import pytest

from kofinlaw.scoring.report.verdict import verdict


def test_the_verdict_points_to_the_larger_question_set_when_items_are_few(run_folder):
    scores = json.loads((run_folder / "score" / "scores.json").read_text())
    found = verdict(scores)
    assert "augment.holdout_items" in found["ko"][-1]
    assert "at least 400 items" in found["en"][-1]
    for smallest in scores["smallest"].values():
        smallest["n"] = 480
    assert "holdout_items" not in verdict(scores)["ko"][-1]
    assert verdict(None)["outcome"] == "unknown"


def figure(value, low=None, high=None, n=60):
    return {"value": value, "low": low or value, "high": high or value, "n": n}


def against(baseline, difference, only_system, only_baseline, p_value, system="trained-rag"):
    return {
        "system": system,
        "baseline": baseline,
        "n": 60,
        "only_system": only_system,
        "only_baseline": only_baseline,
        "tied": 0,
        "difference": difference,
        "low": difference,
        "high": difference,
        "p_value": p_value,
    }


def changed(run_folder, *, system, baselines, tests=(), free=None):
    """The scores of the run with other figures of the trained system and other baselines."""
    scores = json.loads((run_folder / "score" / "scores.json").read_text())
    scores["systems"]["trained-rag"] |= {"choice": system, "free": free}
    scores["baselines"] = baselines
    empty = {"basis": "none", "systems": [], "method": "", "other": None, "tied": 0}
    scores["solvers"] = {name: empty for name in baselines if name != "echo"}
    scores["against"] = list(tests)
    return scores


def score_text(scores):
    found = verdict(scores)
    return "\n".join(found["ko"]), "\n".join(found["en"])


def test_the_summary_names_the_strongest_baseline_of_the_main_system(run_folder):
    baselines = {
        "longest": figure(0.25),
        "overlap:base-rag": figure(0.95),
        "overlap:trained-rag": figure(0.507),
        "look_up:trained-rag": figure(0.907),
        "echo": figure(0.9),
    }
    tests = [
        against("longest", -0.05, 5, 8, 0.5),
        against("overlap:base-rag", -0.7, 1, 40, 0.001, system="base-rag"),
        against("overlap:trained-rag", -0.3, 3, 30, 0.001),
        against("look_up:trained-rag", -0.7, 1, 40, 0.0001),
    ]
    scores = changed(run_folder, system=figure(0.206), baselines=baselines, tests=tests)
    scores["solvers"]["look_up:trained-rag"]["method"] = ""
    korean, english = score_text(scores)
    assert (
        "does not beat the strongest trivial baseline (look-up in the evidence, trained + "
        "retrieval, 90.7%): -70.0 points (only one correct 1:40, p < 0.001)." in english
    )
    assert (
        "기준선(근거에서 그대로 찾은 보기, 학습 모델 + 검색, 90.7%)을 넘지 못했습니다(차이 -70.0점"
        in korean
    )


@pytest.mark.parametrize(
    ("test", "sentence"),
    [
        (against("overlap", 0, 5, 5, 1), "It does not beat the strongest trivial baseline"),
        (against("overlap", 0.05, 8, 5, 0.58), "It is not shown to beat the strongest"),
        (against("overlap", 0.2, 20, 4, 0.002), "50.0%) by 20.0 points (only one correct 20:4"),
    ],
)
def test_the_summary_says_whether_the_system_beats_the_baseline(run_folder, test, sentence):
    given = {"system": figure(0.5, 0.4, 0.9), "baselines": {"overlap": figure(0.5)}}
    _, english = score_text(changed(run_folder, tests=[test], **given))
    assert sentence in english


@pytest.mark.parametrize(
    ("test", "outcome", "claim"),
    [
        (against("overlap", 0.2, 20, 4, 0.002), "helped", "Training helped"),
        (against("overlap", 0.05, 8, 5, 0.58), "no-claim", "does not claim that the model learned"),
        (against("overlap", -0.3, 2, 30, 0.001), "no-claim", "does not claim that the model"),
    ],
)
def test_a_gain_is_no_claim_unless_it_beats_the_strongest_baseline(
    run_folder, test, outcome, claim
):
    scores = changed(
        run_folder, system=figure(0.5), baselines={"overlap": figure(0.4)}, tests=[test]
    )
    for pair in scores["pairs"]:
        pair |= {"only_a": 4, "only_b": 30, "difference": 0.4, "p_value": 0.0001}
    found = verdict(scores)
    assert found["outcome"] == outcome
    assert claim in found["en"][0]


def test_the_overlap_names_its_tokens(run_folder):
    scores = changed(
        run_folder,
        system=figure(0.5),
        baselines={"overlap": figure(0.4)},
        tests=[against("overlap", 0.1, 9, 3, 0.2)],
    )
    scores["solvers"]["overlap"]["method"] = "bigrams"
    korean, english = score_text(scores)
    assert "(evidence overlap, bigrams, 40.0%)" in english
    assert "근거와 겹치는 보기, 바이그램" in korean


def test_free_text_is_compared_with_its_strongest_baseline_and_the_repeated_question(run_folder):
    baselines = {"longest": figure(0.5), "echo": figure(0.45), "sentence": figure(0.53)}
    free = figure(0.48, 0.4, 0.6)
    given = {"system": None, "free": free}
    lines = verdict(changed(run_folder, baselines=baselines, **given))["en"]
    assert lines[1] == (
        "Free text gets 48.0 of 100 (60 items). It does not beat the strongest trivial baseline, "
        "nearest evidence sentence (53.0): -5.0 points. It is not shown to beat the question given "
        "back as the answer (45.0): it is 3.0 points higher, but the baseline lies within its "
        "interval."
    )
    assert "(question repeated 0.0%; " in lines[2]
    del baselines["sentence"]
    lines = verdict(changed(run_folder, baselines=baselines, **given))["en"]
    assert "baseline, question repeated (45.0): it is 3.0 points" in lines[1]
    assert "given back" not in lines[1]


def test_without_any_score_the_summary_says_so(run_folder):
    lines = verdict(changed(run_folder, system=None, baselines={}))["en"]
    assert "No answers have been scored yet." in lines
    assert verdict(None)["en"][0] == "No answers have been scored yet."
    (only,) = verdict(None, tested=False)["en"]
    assert only.startswith("Not proven")


def test_scores_come_first_without_a_base_model_to_compare(run_folder):
    scores = changed(run_folder, system=figure(0.5), baselines={})
    scores["pairs"] = []
    first, *_, last = verdict(scores)["en"]
    assert first == "Trained + retrieval answers 30 of 60 multiple-choice items correctly (50.0%)."
    assert last.startswith("The effect of training is unknown")


@pytest.mark.parametrize("n", [29, 30])
def test_enough_hard_questions_are_the_headline_with_look_up_next_to_them(run_folder, n):
    baselines = {"longest": figure(0.3), "uniform": figure(0.25)}
    scores = changed(
        run_folder,
        system=figure(0.5),
        baselines=baselines,
        tests=[against("longest", 0.2, 20, 8, 0.04)],
    )
    scores["sorts"] = {
        "hard": {
            "n": n,
            "systems": {"trained-rag": figure(0.4, n=n)},
            "best": {"trained-rag": against("uniform", 0.12, 9, 8, 0.9)},
        },
        "look_up": {
            "n": 20,
            "systems": {"trained-rag": figure(0.8, n=20)},
            "best": {"trained-rag": against("longest", 0.3, 12, 1, 0.003)},
        },
    }
    korean, english = score_text(scores)
    if n < 30:
        assert "There are only 29 hard items, too few to compare (at least 30)" in english
        assert english.index("29 hard items") > english.index("multiple-choice items correct")
        assert "look-up items" not in english
        assert "읽어야 푸는 문항이 29개뿐이라" in korean
        return
    assert english.index("40.0% of 30 hard items") < english.index("80.0% of 20 look-up items")
    assert english.index("look-up items") < english.index("multiple-choice items correct")
    assert "not shown to beat the strongest" in english.split("look-up items")[0]
    assert "읽어야 푸는 30문항의 40.0%" in korean


def test_a_pair_under_different_plans_is_not_tested(run_folder):
    scores = json.loads((run_folder / "score" / "scores.json").read_text())
    for pair in scores["pairs"]:
        pair["other_plans"] = 9
    found = verdict(scores)
    assert found["outcome"] == "unequal"
    assert "base and trained model answered 9 items under different plans" in found["en"][0]
    assert "McNemar" not in "".join(found["en"])
    assert "smallest difference" not in "".join(found["en"])
