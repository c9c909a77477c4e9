import pytest

from kofinlaw.data.law import KnownLaw
from kofinlaw.data.law.verifying.known_law import ArticleText, KnownAct
from kofinlaw.scoring.metrics.law_citations import law_citation_figures

ARTICLES = {f"제{n}조": [ArticleText(f"제목{n}", "본문", False)] for n in (1, 2, 3)}
LAW = KnownLaw({"가나법": KnownAct("가나법", "2024-01-01", "2024-01-01", ARTICLES, whole=True)})


def test_the_share_of_references_that_hold():
    written = {
        "a": "가나법 제1조와 가나법 제2조(제목2)에 따른다.",
        "b": "가나법 제9조에 따라 다라법 제1조를 적용한다.",
        "c": "인용이 없다.",
        "d": " ",
    }
    found = law_citation_figures(written, LAW, {})
    assert found == {
        "answers": 3,
        "citing": 2,
        "citations": 4,
        "holds": 2,
        "refuted": 1,
        "unknown": 1,
        "share": pytest.approx(0.5),
        "answers_with_refuted": 1,
        "by_verdict": {"absent": 1, "holds": 2, "unknown": 1},
    }


def test_the_day_of_the_question_counts():
    found = law_citation_figures({"a": "가나법 제9조"}, LAW, {"a": "2020-01-01"})
    assert (found["refuted"], found["unknown"]) == (0, 1)


def test_no_corpus_and_no_reference_give_no_figures():
    assert law_citation_figures({"a": "가나법 제1조"}, None, {}) is None
    assert law_citation_figures({"a": "모른다."}, LAW, {}) is None
