"""The comparison of runs begins with a verdict, and shows intervals, charts and plain settings."""

from dataclasses import replace

import pytest

from kofinlaw import UserError
from kofinlaw.scoring.compare import compare_items, read_run
from kofinlaw.scoring.report.compare_runs_page import pair_verdict, runs_page
from kofinlaw.scoring.settings import ScoreSettings


@pytest.fixture
def items(run_folder):
    """Return the main system's items, and the same ones with `more` of the wrong ones right."""
    own = read_run(run_folder)[1]["trained-rag"]

    def improved(more, plan=None):
        wrong = [i.id for i in own if i.kind == "choice" and not i.score][:more]
        return [
            replace(i, score=1.0 if i.id in wrong else i.score, plan=plan or i.plan) for i in own
        ]

    return own, improved


@pytest.mark.parametrize(
    ("more", "plan", "english"),
    [
        (0, None, "the same items correct as in one"),
        (2, None, "trained + retrieval is not shown to differ from one"),
        (12, None, "trained + retrieval is better than in one"),
        (12, "half-context", "not tested against one, because 72 items were asked under"),
    ],
)
def test_the_verdict_says_whether_the_runs_differ(items, more, plan, english):
    own, improved = items
    own = [replace(item, plan="full") for item in own]
    other = [replace(item, plan=plan or "full") for item in improved(more)]
    pair = compare_items("s", own, "s", other, settings=ScoreSettings())
    korean, found = pair_verdict("one", "two", "trained-rag", pair, 0.05)
    assert found.startswith(f"two: {english}")
    assert korean.startswith("two: ")
    worse = compare_items("s", other, "s", own, settings=ScoreSettings())
    if more == 12 and plan is None:
        assert "worse" in pair_verdict("one", "two", "trained-rag", worse, 0.05)[1]


def test_without_common_items_nothing_is_compared():
    assert "no multiple-choice items" in pair_verdict("one", "two", "base", None, 0.05)[1]


def test_the_page_has_charts_intervals_and_names_in_both_languages(run_folder, tmp_path):
    page = runs_page([run_folder, run_folder])
    assert page.count("<figure>") == 2
    assert "기본 모델 + 검색</span>" in page
    assert "base + retrieval</span>" in page
    assert "–" in page.partition("<tbody>")[2].partition("</tr>")[0]
    assert "차이가 없습니다." in page
    with pytest.raises(UserError, match="two or more"):
        runs_page([run_folder])
