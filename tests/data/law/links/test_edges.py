"""Typed edges between rules."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.law.links.edges import Edge, Link, Rule, defined_terms, typed_edges

ACT = "가람법"
RULES = [
    Rule(f"{ACT} 제2조", ACT, "정의", '1. "전자지급수단"이란 카드를 말한다.'),
    Rule(
        f"{ACT} 제5조",
        ACT,
        "등록",
        "전자지급수단을 발행하는 자는 대통령령으로 정하는 바에 따라 등록한다.",
    ),
    Rule(
        f"{ACT} 제9조", ACT, "과태료", "제5조제1항을 위반하여 등록하지 아니한 자, 제2조에 따른 자"
    ),
    Rule(
        f"{ACT} 시행령 제3조",
        f"{ACT} 시행령",
        "등록",
        "법 제5조에서 정하는 등록은 전자지급수단별로 한다.",
    ),
    Rule(
        "가람감독규정 제1조",
        "가람감독규정",
        "목적",
        "이 규정은 「가람법 시행령」에서 위임된 사항을 정한다.",
    ),
]
LINKS = [
    Link(f"{ACT} 제9조", f"{ACT} 제5조", "제5조제1항", len("제5조제1항을") - 1),
    Link(
        f"{ACT} 제9조",
        f"{ACT} 제2조",
        "제2조",
        len("제5조제1항을 위반하여 등록하지 아니한 자, 제2조"),
    ),
    Link(f"{ACT} 시행령 제3조", f"{ACT} 제5조", "법 제5조", len("법 제5조")),
    Link(f"{ACT} 시행령 제3조", f"{ACT} 시행령 별표 1", "별표 1", 0),
    Link(f"{ACT} 제5조", f"{ACT} 제5조", "이 조", 0),
]


def edges(rules=RULES, links=LINKS):
    return [(e.kind, e.source, e.target, e.text) for e in typed_edges(lambda: rules, links)]


def test_each_kind_of_edge_is_found_once():
    assert edges() == [
        ("belongs_to", f"{ACT} 시행령", ACT, ""),
        ("belongs_to", "가람감독규정", ACT, ""),
        ("belongs_to", "가람감독규정", f"{ACT} 시행령", ""),
        ("cites", f"{ACT} 제9조", f"{ACT} 제5조", "제5조제1항"),
        ("penalises", f"{ACT} 제9조", f"{ACT} 제5조", "제5조제1항"),
        ("cites", f"{ACT} 제9조", f"{ACT} 제2조", "제2조"),
        ("cites", f"{ACT} 시행령 제3조", f"{ACT} 제5조", "법 제5조"),
        ("delegates", f"{ACT} 제5조", f"{ACT} 시행령 제3조", "법 제5조"),
        ("annex", f"{ACT} 시행령 제3조", f"{ACT} 시행령 별표 1", "별표 1"),
        ("defines", f"{ACT} 제2조", f"{ACT} 제5조", "전자지급수단"),
        ("defines", f"{ACT} 제2조", f"{ACT} 시행령 제3조", "전자지급수단"),
    ]


def test_terms_for_the_whole_document_are_read_and_others_are_not():
    text = (
        '"이용자"란 사람을 말한다. 「가람법」(이하 "법"이라 한다) 금융위원회(이하 "위원회"라 한다) '
        '협회(이하 이 조에서 "신청기관"이라 한다)'
    )
    assert defined_terms(Rule("x", "x", "정의", text)) == ("이용자", "위원회")
    assert defined_terms(Rule("x", "x", "등록", text)) == ("위원회",)


def test_the_longest_term_at_the_beginning_of_a_word_is_used():
    rules = [
        Rule("법 제2조", "법", "정의", '"전자금융"이란 가를 말한다. "전자금융업자"란 나를 말한다.'),
        Rule("법 제3조", "법", "의무", "전자금융업자는 비전자금융을 하지 못한다."),
    ]
    assert edges(rules, []) == [("defines", "법 제2조", "법 제3조", "전자금융업자")]


def test_no_delegation_is_read_from_an_act_next_to_it_or_without_delegating_words():
    rules = [
        Rule("가법 제1조", "가법", "목적", "대통령령으로 정한다."),
        Rule("나법 제1조", "나법", "목적", "「가법」 제1조에 따른다."),
        Rule("가법 제2조", "가법", "등록", "등록한다."),
        Rule("가법 시행령 제1조", "가법 시행령", "등록", "법 제2조에 따른 등록"),
    ]
    links = [
        Link("나법 제1조", "가법 제1조", "제1조", 9),
        Link("가법 시행령 제1조", "가법 제2조", "", 6),
    ]
    assert {edge[0] for edge in edges(rules, links)} == {"belongs_to", "cites"}


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=12))
@settings(max_examples=40, derandomize=True, deadline=None)
def test_links_in_any_number_give_each_edge_once_and_no_edge_to_itself(pairs):
    links = [Link(RULES[a].id, RULES[b].id, "", 0) for a, b in pairs]
    found = list(typed_edges(lambda: RULES, links))
    keys = [(e.kind, e.source, e.target, e.text) for e in found]
    assert len(keys) == len(set(keys))
    assert all(e.source != e.target for e in found)
    cited = {(e.source, e.target) for e in found if e.kind == "cites"}
    assert cited == {(link.source, link.target) for link in links if link.source != link.target}


def test_the_corpus_stage_writes_the_edges(build, act, tmp_path):
    build([act], tmp_path / "out")
    lines = Path(tmp_path / "out" / "edges.jsonl").read_text(encoding="utf-8").splitlines()
    found = [Edge(**json.loads(line)) for line in lines]
    assert ("cites", "가람법 제2조", "가람법 제3조") in [
        (e.kind, e.source, e.target) for e in found
    ]
