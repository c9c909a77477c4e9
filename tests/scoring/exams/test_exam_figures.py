"""Figures of exams: slices, comparisons with the best solver, and tests over several exams."""

import pytest
from exam_answers import OPTIONS, answered, exam

from kofinlaw.scoring.exams.exam_figures import best_solver, exam_pairs, exams_record
from kofinlaw.scoring.exams.rate_exam import rate_exam
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.stats.paired import mcnemar_exact

SETTINGS = ScoreSettings(embedder=None, bootstrap_samples=200)
TEXTS = (f"은행은 {OPTIONS[0]}.",)


def rated(tmp_path, name, count, labels, negative=(), **keywords):
    questions, keys = exam(count, negative)
    folders = {
        system: answered(
            tmp_path / name / system, questions, given, TEXTS if system.endswith("-rag") else ()
        )
        for system, given in labels.items()
    }
    return rate_exam(name, questions, keys, folders, **keywords)


def labels(count, right):
    return ["1"] * right + ["2"] * (count - right)


def comparison(rows, a, b, part=""):
    (found,) = [one for one in rows if (one["a"], one["b"], one["slice"]) == (a, b, part)]
    return found


def test_accuracy_by_slice_and_the_paired_tests(tmp_path):
    given = {"base-rag": labels(12, 3), "trained-rag": labels(12, 9)}
    one = rated(tmp_path, "bank", 12, given, negative=(1, 2, 3, 4, 5))
    record = exams_record([one], SETTINGS)
    assert record["pooled"] == []
    (found,) = record["exams"]
    rows = {row["name"]: row for row in found["rows"]}
    assert rows["trained-rag"]["all"]["value"] == pytest.approx(9 / 12)
    assert rows["trained-rag"]["slices"]["negative"]["value"] == 1.0
    assert rows["trained-rag"]["slices"]["positive"]["value"] == pytest.approx(4 / 7)
    assert rows["base-rag"]["slices"]["rows:odd"]["value"] == pytest.approx(2 / 6)
    trained = comparison(found["comparisons"], "base-rag", "trained-rag")
    assert (trained["n"], trained["only_a"], trained["only_b"]) == (12, 0, 6)
    assert trained["difference"] == pytest.approx(0.5)
    assert trained["p_value"] == pytest.approx(mcnemar_exact(0, 6))
    negative = comparison(found["comparisons"], "base-rag", "trained-rag", "negative")
    assert (negative["n"], negative["only_b"]) == (5, 2)
    # The solvers that read take the first option, which is false for a negative stem: 7 of 12.
    best = best_solver(one, "trained-rag")
    assert rows[best]["best"]
    assert rows[best]["all"]["value"] == pytest.approx(7 / 12)
    against = comparison(found["comparisons"], best, "trained-rag")
    assert (against["only_a"], against["only_b"]) == (3, 5)


def test_the_test_over_exams_uses_the_questions_of_each_pooled_slice(tmp_path):
    one = rated(
        tmp_path,
        "first",
        9,
        {"base-rag": labels(9, 0), "trained-rag": labels(9, 9)},
        pooled_slice="domain:법",
    )
    other = rated(tmp_path, "second", 4, {"base-rag": labels(4, 4), "trained-rag": labels(4, 0)})
    record = exams_record([one, other], SETTINGS)
    pooled = comparison(record["pooled"], "base-rag", "trained-rag")
    assert (pooled["n"], pooled["only_a"], pooled["only_b"]) == (10, 4, 6)
    assert pooled["p_value"] == pytest.approx(mcnemar_exact(4, 6))
    against = comparison(record["pooled"], "best solver", "trained-rag")
    assert (against["n"], against["only_a"]) == (10, 4)


def test_the_best_solver_is_chosen_on_the_questions_that_count(tmp_path):
    one = rated(tmp_path, "bank", 8, {"base-rag": "1"}, negative=(1, 2, 3, 4, 5, 6))
    assert one.solvers[best_solver(one, "base-rag", ["q7", "q8"])]["q7"] == 1.0
    everywhere = best_solver(one, "base-rag")
    assert sum(one.solvers[everywhere].values()) == max(
        sum(credit.values()) for credit in one.solvers.values()
    )


def test_pairs_add_evidence_or_training_but_not_both():
    assert exam_pairs(["base", "base-rag", "trained", "trained-rag"]) == [
        ("base", "base-rag"),
        ("trained", "trained-rag"),
        ("base", "trained"),
        ("base-rag", "trained-rag"),
    ]
    assert exam_pairs(["model"]) == []


def test_gold_evidence_is_compared_with_none_and_with_search():
    names = ["base", "base-gold", "base-rag", "trained", "trained-gold"]
    assert exam_pairs(names) == [
        ("base", "base-rag"),
        ("base", "base-gold"),
        ("trained", "trained-gold"),
        ("base-rag", "base-gold"),
        ("base", "trained"),
        ("base-gold", "trained-gold"),
    ]
