import pytest

from kofinlaw.records import Key
from kofinlaw.scoring.metrics.citations import citation_figures, cited_numbers

GOLDS = {
    "a": Key("a", answer="1", units=("법 제1조",)),
    "b": Key("b", answer="1", units=("법 제2조", "법 제3조")),
    "c": Key("c", answer="1"),
}
SHOWN = {"a": ["법 제9조", "법 제1조"], "b": ["법 제3조"], "c": ["법 제1조"]}


def test_each_number_counts_once_in_order():
    assert cited_numbers("[2] 제1조와 [1], 다시 [2]; 제[3]조 [x] [100]") == [2, 1, 3]


def test_precision_counts_passages_of_gold_articles_and_numbers_of_no_passage():
    written = {"a": "[2] 제1조에 따르면 [1]", "b": "[1]과 [4]", "c": "[1]"}
    found = citation_figures(written, SHOWN, GOLDS)
    assert (found["answers"], found["citing"]) == (2, 2)
    assert (found["citations"], found["right"], found["unknown"]) == (4, 2, 1)
    assert found["precision"] == pytest.approx(0.5)
    assert found["recall"] == 1.0


def test_recall_needs_a_shown_gold_article_and_a_right_citation():
    shown = {"a": ["법 제9조"], "b": ["법 제3조", "법 제8조"]}
    found = citation_figures({"a": "[1]", "b": "[2]"}, shown, GOLDS)
    assert found["precision"] == 0.0
    assert found["recall"] == 0.0  # only b could cite its article


def test_no_citation_gives_no_figures():
    assert citation_figures({"a": "제1조에 따른다."}, SHOWN, GOLDS) is None
    assert citation_figures({"a": "[1]"}, {}, GOLDS) is None
