"""Parsing of real statutes; skipped without the development data."""

import importlib.util
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
spec = importlib.util.spec_from_file_location("parsing_yardstick", BENCHMARKS / "parsing.py")
parsing = importlib.util.module_from_spec(spec)
spec.loader.exec_module(parsing)

pytestmark = pytest.mark.shared


@pytest.mark.slow
def test_articles_are_found_and_equal_to_independent_records(shared):
    figures = parsing.articles(shared)
    assert figures["articles"] == 13358
    assert figures["found_share"] >= 0.995
    assert figures["same_share"] >= 0.99


@pytest.mark.slow
def test_a_law_portal_pdf_equals_its_markdown(shared):
    figures = parsing.pdf(shared, "전자금융거래법.pdf", "전자금융거래법")
    assert figures["found"] == figures["articles"] == 66
    assert figures["extra"] == []
    assert figures["character_error"] <= 0.01


def test_edits_are_counted_as_levenshtein_does():
    assert parsing.edits("kitten", "sitting") == 3
    assert parsing.edits("", "가나") == 2
    assert parsing.edits("은행법", "은행법") == 0
    assert parsing.edits("가나다라마", "나다라마바") == 2


@pytest.mark.slow
def test_references_of_hand_labelled_articles_are_resolved(shared):
    spec = importlib.util.spec_from_file_location(
        "citations_yardstick", BENCHMARKS / "citations.py"
    )
    citations = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(citations)
    have = citations.found(shared)
    figures = [
        citations.score(path, have) for path in sorted(citations.LABELS.glob("citations_*.jsonl"))
    ]
    assert sum(f["labels"] for f in figures) == 190
    assert min(f["precision"] for f in figures) >= 0.97
    assert min(f["recall"] for f in figures) >= 0.97


@pytest.mark.slow
def test_the_trees_of_hand_labelled_articles_are_right(shared):
    figures = parsing.trees(shared)
    assert figures["articles"] == 60
    assert figures["labels"] == 519
    assert figures["f1"] >= 0.98
