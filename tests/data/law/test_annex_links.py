"""Annexes and the articles that name them."""

from __future__ import annotations

from kofinlaw.data.law.annex_links import annex_links
from kofinlaw.data.law.graph import ChunkLookup, Passage, citation_graph

UNITS = [
    "가람규정 제2조",
    "가람규정 제3조",
    *(f"가람규정 별표 {n}" for n in ("1", "2", "3", "4의2")),
]


def test_both_directions_and_the_annexes_that_nothing_names():
    references = [
        ("가람규정 제2조", "가람규정 별표 1"),
        ("가람규정 제3조", "가람규정 별표 1"),
        ("가람규정 별표 2", "가람규정 제3조"),
        ("가람규정 별표 3", "다른법 제3조"),
    ]
    links = annex_links(references, UNITS, ["가람규정 별표 4의2"])
    assert links.named_by["가람규정 별표 1"] == ("가람규정 제2조", "가람규정 제3조")
    assert links.annexes_of["가람규정 제3조"] == ("가람규정 별표 1", "가람규정 별표 2")
    assert links.unnamed == ("가람규정 별표 3",)


def test_the_spelling_of_a_branch_is_that_of_the_corpus():
    lookup = ChunkLookup()
    lookup.add("가람규정", "제2조", "가람규정 제2조", ["가람규정/제2조"])
    lookup.add_chunks("가람규정 별표 4의2", "가람규정/별표 4의2")
    passage = Passage("가람규정 제2조", "가람규정", "제2조", "별표 4-2와 별표 5-2에 따른다.", False)
    found = [(edge.target, edge.resolved) for edge in citation_graph([passage], lookup)]
    assert found == [("가람규정 별표 4의2", True), ("가람규정 별표 5-2", False)]
