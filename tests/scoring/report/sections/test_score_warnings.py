"""The warnings of the report: faults of answers, plans, baselines and the merge."""

import json

from kofinlaw.scoring.report.sections.score_warnings import merge_warnings, score_warnings
from kofinlaw.scoring.report.verdict import verdict


def scores_of(run_folder, *, basis="shown"):
    """The scores of the run, with solvers that read the texts of `basis`."""
    scores = json.loads((run_folder / "score" / "scores.json").read_text(encoding="utf-8"))
    for solver in scores["solvers"].values():
        solver["basis"] = basis
    return scores


def test_faults_of_the_answers_are_warnings(run_folder):
    scores = scores_of(run_folder)
    scores["systems"]["base"]["missing"] = ["MC-001", "MC-002"]
    scores["systems"]["base"]["fallbacks"] = 3
    scores["systems"]["base-rag"]["abstained"] = 5
    scores["counts"]["without_key"] = 4
    assert [english for _, english in score_warnings(scores)] == [
        "base model: 2 unanswered items, counted as wrong",
        "base model: 3 answers by the fallback rule, not by the model",
        "base + retrieval: 5 free-text questions refused (answer.abstain); the refusal is scored "
        "as the answer",
        "4 questions without a key",
    ]


def test_plans_other_than_full_and_unequal_plans_are_warnings(run_folder):
    scores = scores_of(run_folder)
    scores["systems"]["base-rag"]["plans"] = {"full": 308, "half-context": 80, "label-only": 32}
    scores["systems"]["trained-rag"]["plans"] = {"full": 416, "half-context": 4}
    pair = next(p for p in scores["pairs"] if (p["a"], p["b"]) == ("base-rag", "trained-rag"))
    pair["other_plans"] = 110
    assert [english for _, english in score_warnings(scores)] == [
        "base + retrieval: 112 of 420 answers under a plan other than full "
        "(half-context 80, label-only 32)",
        "base + retrieval → trained + retrieval: 110 items asked under different plans, so the "
        "comparison is not under equal conditions; the paired test is not shown",
    ]


def test_baselines_that_read_whole_passages_are_a_warning(run_folder):
    scores = json.loads((run_folder / "score" / "scores.json").read_text(encoding="utf-8"))
    assert {solver["basis"] for solver in scores["solvers"].values()} == {"none", "passages"}
    found = [english for _, english in score_warnings(scores)]
    assert [text.split(":")[0] for text in found] == ["base + retrieval", "trained + retrieval"]
    assert all("baselines read whole retrieved passages" in text for text in found)


def test_the_verdict_has_the_warnings_of_the_scores_and_of_the_merge(run_folder):
    scores = scores_of(run_folder)
    scores["systems"]["base"]["fallbacks"] = 3
    found = verdict(scores, {"verdict": "fail"})["warnings"]
    assert [warning["en"].split(":")[0].rstrip(".") for warning in found] == [
        "base model",
        "The merge was not proven",
    ]
    assert merge_warnings({"verdict": "pass"}) == merge_warnings(None) == []
