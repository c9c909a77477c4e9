"""The Markdown of exams, and the rows and slices that a page shows."""

from exam_answers import OPTIONS, answered, exam

from kofinlaw.scoring.exams.exam_figures import exams_record
from kofinlaw.scoring.exams.exam_table import exams_markdown, other_plans, shown_rows, shown_slices
from kofinlaw.scoring.exams.rate_exam import rate_exam
from kofinlaw.scoring.settings import ScoreSettings

SETTINGS = ScoreSettings(embedder=None, bootstrap_samples=200)


def record(tmp_path, plan="full"):
    questions, keys = exam(12, negative=(1, 2, 3, 4, 5, 6))
    texts = (f"은행은 {OPTIONS[0]}.",)
    folders = {
        "base-rag": answered(tmp_path / "base-rag", questions, "2", texts),
        "trained-rag": answered(tmp_path / "trained-rag", questions, "1", texts, plan),
    }
    return exams_record([rate_exam("bank", questions, keys, folders)], SETTINGS)


def test_the_page_has_accuracy_slices_and_comparisons(tmp_path):
    found = record(tmp_path)
    page = exams_markdown(found)
    assert "### bank" in page
    assert "| base-rag | 12 | 0.0 [" in page
    assert "| trained-rag | 12 | 100.0 [" in page
    assert "| *uniform* | 12 | 25.0 [25.0, 25.0] |" in page
    assert "| base-rag → trained-rag | 12 | +100.0 [+100.0, +100.0] | 0 | 12 | < 0.001 |" in page
    (one,) = found["exams"]
    assert shown_slices(one)[:4] == ["positive", "negative", "rows:odd", "rows:even"]
    assert "options-4" not in shown_slices(one)
    assert "| domain:법 | 8 |" in page
    assert {"base-rag", "trained-rag"} < set(shown_rows(one))
    assert other_plans(one) == []


def test_another_plan_is_reported(tmp_path):
    found = record(tmp_path, plan="half-context")
    ((korean, english),) = other_plans(found["exams"][0])
    assert "half-context 12" in korean
    assert "half-context 12" in english
    page = exams_markdown(found)
    assert english in page
    assert "| base-rag → trained-rag | 12 | +100.0 | 0 | 12 | not tested |" in page
    (solver,) = [
        line for line in page.splitlines() if "→ trained-rag |" in line and "base-rag" not in line
    ]
    assert "not tested" not in solver
