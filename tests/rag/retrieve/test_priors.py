"""Priors of passages: what each is, and how its weight moves a passage."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from corpora import DECREE, settings

from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.priors import Priors
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.settings import RetrieverWeights
from kofinlaw.records import Question

TODAY = date(2026, 11, 22)


def test_priors_see_past_texts_of_other_versions(index: Index) -> None:
    """제4조 is next to 제2조 (제3조 is deleted): its score raises 제2조's in each version."""
    retriever = Retriever(index, settings(k=9, weights={"beside": 5.0}), today=TODAY)
    hits = retriever.search([Question("1", "점포를 닫으려는 은행의 과태료")])[0]
    plain = Retriever(index, settings(k=9), today=TODAY)
    without = {
        h.chunk.id: h.score
        for h in plain.search([Question("1", "점포를 닫으려는 은행의 과태료")])[0]
    }
    raised = {h.chunk.id: h.score - without[h.chunk.id] for h in hits}
    assert raised["가람법@2024-09-15/제2조"] > 0


def test_each_prior_is_what_its_name_says(cited_index: Index) -> None:
    # Rows: 0 제6조, 1 제9조, 2 제9조의2, 3 and 4 of the other act, 5 the decree.
    priors = Priors(cited_index)
    rows, scores = np.array([1, 4, 0, 2, 5]), np.array([1.0, 0.6, 0.5, 0.1, 0.1])
    assert priors.document(rows, scores).tolist() == [
        1.0,
        pytest.approx(0.6 / 1.6),
        1.0,
        1.0,
        pytest.approx(0.1 / 1.6),
    ]
    assert priors.linked(rows, scores).tolist() == [0, 0, 0, 1, 0]
    assert priors.beside(rows, scores).tolist() == [0.5, 0, 1.0, 1.0, 0]
    often = float(np.log(2) / np.log(3))
    assert priors.cited_often(np.array([2, 3, 0]), scores).tolist() == [1, pytest.approx(often), 0]
    assert priors.act(rows, scores).tolist() == [1, 1, 1, 1, 0]


def test_a_prior_moves_a_passage_up_and_its_weight_says_how_far(cited_index: Index) -> None:
    question = Question("1", "접근매체의 종류와 위조")
    plain = Retriever(cited_index, settings(k=2)).search([question])[0]
    assert plain[0].chunk.unit == DECREE
    acts = settings(k=2, weights=RetrieverWeights(act=0.5))
    raised = Retriever(cited_index, acts).search([question])[0]
    assert raised[0].chunk.unit == "전자금융거래법 제9조"
    assert raised[0].score == pytest.approx(plain[1].score + 0.5, abs=1e-5)


def test_a_walk_adds_the_articles_that_hits_refer_to(cited_index: Index) -> None:
    # Row 2 (제9조의2) is referred to by row 1 (제9조).
    priors = Priors(cited_index)
    rows, scores = np.array([1, 4]), np.array([1.0, 0.6])
    walked, values = priors.walk(rows, scores, 0.5)
    assert dict(zip(walked.tolist(), values.tolist(), strict=True)) == {1: 1.0, 4: 0.6, 2: 0.5}
    found, raised = priors.walk(np.array([1, 2]), np.array([1.0, 0.1]), 0.5)
    assert found.tolist() == [1, 2]
    assert raised.tolist() == [1.0, 0.6]
    hidden = np.array([True, True, False, True, True, True])
    assert priors.walk(rows, scores, 0.5, hidden)[0].tolist() == [1, 4]
    assert priors.walk(rows[:0], scores[:0], 0.5)[0].tolist() == []


def test_a_search_shows_what_the_walk_found(cited_index: Index) -> None:
    question = Question("1", "접근매체의 종류")
    plain = Retriever(cited_index, settings(k=9, lexical="kiwi")).search([question])[0]
    walked = Retriever(cited_index, settings(k=9, lexical="kiwi", weights={"walk": 0.5}))
    found = walked.search([question])[0]
    new = {hit.chunk.unit for hit in found} - {hit.chunk.unit for hit in plain}
    assert [hit.by for hit in found if hit.chunk.unit in new] == [("walk",)] * len(new)
    assert new
