"""References: found, and resolved to the article they mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.data.law.citations import Scope, cited_units, document_aliases, find_citations
from kofinlaw.data.law.titles import titles_by_key

TITLES = titles_by_key(
    [
        "전자금융거래법",
        "전자금융거래법 시행령",
        "개인정보 보호법",
        "개인정보 보호법 시행령",
        "상법",
        "은행법",
    ]
)


SCOPE = Scope({"법": "전자금융거래법", "영": "전자금융거래법 시행령"}, TITLES)


def found(text, scope=SCOPE, act="전자금융감독규정", article="제10조"):
    return [
        (c.target, c.provision) for c in find_citations(text, act=act, article=article, scope=scope)
    ]


HERE = "전자금융감독규정"


CASES = [
    ("제9조제1항제2호에 따라", [(f"{HERE} 제9조", "제1항제2호")]),
    ("별표 1의2에 따른다", [(f"{HERE} 별표 1의2", "")]),
    ("영 별표 3 제2호가목", [("전자금융거래법 시행령 별표 3", "제2호가목")]),
    ("「은행법」 <별표 4> 및 별표5", [("은행법 별표 4", ""), ("은행법 별표 5", "")]),
    ("별지 제3호의2 서식에 따라", [(f"{HERE} 별지 제3호의2서식", "")]),
    (
        "제5조 및 별표 1, 같은 조 제2항",
        [(f"{HERE} 제5조", ""), (f"{HERE} 별표 1", ""), (f"{HERE} 제10조", "제2항")],
    ),
    ("부칙 제2조제1항에 따라", [(f"{HERE} 부칙 제2조", "제1항")]),
    ("부칙 <제1234호, 2020. 5. 19.> 제3조", [(f"{HERE} 부칙 제3조", "")]),
    ("별표와 같다", []),
    ("제9조의2제1항", [(f"{HERE} 제9조의2", "제1항")]),
    ("제5-14조의4를 준용한다", [(f"{HERE} 제5-14조의4", "")]),
    ("제2항에도 불구하고", [(f"{HERE} 제10조", "제2항")]),
    (
        "제3조제1항 본문 및 같은 조 제2항 후단",
        [(f"{HERE} 제3조", "제1항"), (f"{HERE} 제3조", "제2항")],
    ),
    (
        "「개인정보 보호법」 제17조 및 같은 법 시행령 제17조제2항",
        [("개인정보 보호법 제17조", ""), ("개인정보 보호법 시행령 제17조", "제2항")],
    ),
    (
        "제5조부터 제7조까지, 제9조 및 제10조를",
        [(f"{HERE} 제{n}조", "") for n in (5, 6, 7, 9, 10)],
    ),
    (
        "법 제2조제1호가목 및 나목, 제3호",
        [
            ("전자금융거래법 제2조", "제1호가목"),
            ("전자금융거래법 제2조", "제1호나목"),
            ("전자금융거래법 제2조", "제3호"),
        ],
    ),
    (
        "제1항 또는 제2항제1호ㆍ제3호",
        [
            (f"{HERE} 제10조", "제1항"),
            (f"{HERE} 제10조", "제2항제1호"),
            (f"{HERE} 제10조", "제2항제3호"),
        ],
    ),
    (
        '「은행법」(이하 "법"이라 한다) 제38조제1호부터 제3호까지, 제7호',
        [("은행법 제38조", p) for p in ("제1호", "제2호", "제3호", "제7호")],
    ),
    ("상법 제401조의2제1항 각호", [("상법 제401조의2", "제1항")]),
    ("이 규정 제5조", [(f"{HERE} 제5조", "")]),
    ("영 제9조 및 업무규정 제3조", [("전자금융거래법 시행령 제9조", ""), ("업무규정 제3조", "")]),
    ("별지 제3호서식과 법률 제7929호, 별표 제2호", [(f"{HERE} 별지 제3호서식", "")]),
    ("제21조제2항의 인력, 제22조제1항", [(f"{HERE} 제21조", "제2항"), (f"{HERE} 제22조", "제1항")]),
    (
        "「은행법」 제2조에 따른 은행은 제3조를 지킨다",
        [("은행법 제2조", ""), (f"{HERE} 제3조", "")],
    ),
    ("전항의 규정", [(f"{HERE} 제10조", "")]),
    ("개인정보보호법 시행령 제3조", [("개인정보 보호법 시행령 제3조", "")]),
    ("동법 시행령 제6조", [(f"{HERE} 시행령 제6조", "")]),
]


@pytest.mark.parametrize("text, wanted", CASES, ids=[text for text, _ in CASES])
def test_a_reference_is_resolved_to_the_article_it_means(text, wanted):
    assert found(text) == wanted


def test_ranges_are_filled_from_the_articles_there_are():
    scope = Scope(
        {}, titles_by_key(["은행법"]), {"은행법": ["제5조", "제5조의2", "제6조", "제7조"]}
    )
    assert [t for t, _ in found("제5조부터 제7조까지", scope, "은행법", "제1조")] == [
        "은행법 제5조",
        "은행법 제5조의2",
        "은행법 제6조",
        "은행법 제7조",
    ]


def test_short_names_are_read_from_the_document():
    text = (
        '「전자금융거래법」(이하 "법"이라 한다) 및 같은 법 시행령(이하 "영"이라 한다)과 '
        '「개인정보보호법」(이하 "정보법"이라 한다)'
    )
    assert document_aliases("전자금융감독규정", text, TITLES) == {
        "법": "전자금융거래법",
        "영": "전자금융거래법 시행령",
        "정보법": "개인정보 보호법",
    }
    assert document_aliases("은행법 시행규칙", "", TITLES) == {
        "법": "은행법",
        "영": "은행법 시행령",
    }


def test_questions_name_units_by_short_names_too():
    titles = [
        "정보통신망 이용촉진 및 정보보호 등에 관한 법률",
        "전자금융거래법",
        "신용정보의 이용 및 보호에 관한 법률 시행령",
    ]
    question = "정통망법 제44조의7과 전자금융거래법상 제9조, 신정법 시행령 제3조 가운데 「상법」 제1조가 아닌 것은?"
    assert cited_units(question, titles) == [
        "정보통신망 이용촉진 및 정보보호 등에 관한 법률 제44조의7",
        "전자금융거래법 제9조",
        "신용정보의 이용 및 보호에 관한 법률 시행령 제3조",
    ]
    assert cited_units("제9조에 따른 손해배상은?", titles) == []
    assert cited_units(question, titles[1:2]) == ["전자금융거래법 제9조"]


@given(st.text(alphabet="제조항호목의1239 「」같은법영이전부터까지,및()가나다\n", max_size=80))
def test_spans_of_citations_are_inside_any_text(text):
    for citation in find_citations(text, act="은행법", article="제3조", scope=SCOPE):
        assert 0 <= citation.start < citation.end <= len(text)
        assert citation.target.strip()
