"""Retrieval metrics over articles."""

import math

import pytest

from kofinlaw.scoring.metrics.retrieval_scores import ndcg, ranked_units, retrieval_scores


def test_recall_counts_every_gold_article_and_hit_any():
    gold = {"Q1": ["가 제1조", "가 제2조"], "Q2": ["가 제9조"]}
    evidence = {"Q1": ["a", "b", "c", "d"], "Q2": ["a"]}
    units = {"a": "가 제1조", "b": "나 제1조", "c": "나 제2조", "d": "가 제2조"}
    found = retrieval_scores(gold, evidence, units, {"Q1": ["b"]})
    assert (found.hit_3, found.recall_3, found.recall_5) == (0.5, 0.25, 0.5)
    assert (found.in_context, found.in_context_n) == (0.0, 1)


def test_several_chunks_of_an_article_count_once():
    unit_of = {"a/1": "법 제1조", "a/2": "법 제1조", "b": "법 제2조"}
    assert ranked_units(["a/1", "a/2", "b", "x"], unit_of) == ["법 제1조", "법 제2조", "x"]


def test_retrieval_scores_by_hand():
    gold = {"1": ["A"], "2": ["B"], "3": ["C", "D"], "4": []}
    evidence = {"1": ["A", "B"], "2": ["A", "C", "D", "B"], "3": ["D", "X", "C"]}
    units = {"A": "A"}  # a chunk that is not in it is its own unit
    found = retrieval_scores(gold, evidence, units)
    assert (found.n, found.hit_1, found.hit_3, found.hit_5) == (3, 2 / 3, 2 / 3, 1.0)
    assert found.mrr == pytest.approx((1 + 1 / 4 + 1) / 3)
    ideal = 1 + 1 / math.log2(3)
    assert ndcg(evidence["3"], gold["3"]) == pytest.approx((1 + 1 / math.log2(4)) / ideal)
    assert found.depth == 3
    assert retrieval_scores(gold, {}, units) is None
    assert retrieval_scores({"4": []}, evidence, units) is None
    assert retrieval_scores(gold, evidence, {}) is None  # the units are not known


def test_ndcg_is_sklearns(embedder):
    sklearn = pytest.importorskip("sklearn.metrics")
    units = ["a", "b", "c", "d", "e"]
    truth = [[0, 1, 0, 1, 0]]
    assert ndcg(units, ["b", "d"]) == pytest.approx(sklearn.ndcg_score(truth, [[5, 4, 3, 2, 1]]))
