"""The scores as Markdown, which the report's Markdown repeats."""

import json

from kofinlaw.scoring.markdown import scores_markdown
from kofinlaw.texts import markdown_text


def test_every_sort_and_the_twins_have_rows(run_folder):
    scores = json.loads((run_folder / "score" / "scores.json").read_text(encoding="utf-8"))
    model = {"both": 0.5, "each": 0.75, "unmoved": 0.5}
    scores["twins"] = {"pairs": 2, "chance": 0.1, "models": {"base": model}, "solvers": {}}
    rows = scores_markdown(scores).splitlines()
    for sort, n in (("hard", 15), ("look_up", 45)):
        best = scores["sorts"][sort]["best"]["base"]
        (row,) = [row for row in rows if row.startswith(f"| {sort} | base |")]
        assert f"| {n} |" in row
        assert best["baseline"] in row
    assert "| base | 50.0 | 75.0 | 50.0 |" in rows
    del scores["sorts"], scores["twins"]
    assert "Hard and look-up" not in scores_markdown(scores)


def test_a_pair_under_different_plans_has_no_test(run_folder):
    scores = json.loads((run_folder / "score" / "scores.json").read_text(encoding="utf-8"))
    for pair in scores["pairs"]:
        pair["other_plans"] = 0
    (row,) = [r for r in scores_markdown(scores).splitlines() if "| base-rag → trained-rag |" in r]
    assert "[" in row
    for pair in scores["pairs"]:
        pair["other_plans"] = 9
    page = scores_markdown(scores)
    (row,) = [r for r in page.splitlines() if "| base-rag → trained-rag |" in r]
    assert row.endswith("| not tested | not tested |")
    assert "[" not in row
    assert "9 items asked under different plans; the paired test is not shown" in page


def test_answers_that_could_not_be_read_are_counted_with_their_ids(run_folder):
    scores = json.loads((run_folder / "score" / "scores.json").read_text(encoding="utf-8"))
    scores["systems"]["base"]["unreadable"] = [f"q{n}" for n in range(12)]
    page = scores_markdown(scores)
    assert "- base: 12 answers that name no option, counted as wrong: q0, q1," in page
    assert "q9, …" in page
    scores["systems"]["base"]["unreadable"] = ["<b>q1"]
    assert f"counted as wrong: {markdown_text('<b>q1')}\n" in scores_markdown(scores)
    scores["systems"]["base"]["unreadable"] = []
    assert "name no option" not in scores_markdown(scores)
