"""References of a text, checked against a small corpus."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.law import KnownLaw, verify_citations
from kofinlaw.data.law.provisions import provision_tree, read_lines
from kofinlaw.records import Article

DAMAGES = "고의 또는 과실로 타인에게 손해를 가한 자는 그 손해를 배상할 책임이 있다."
LISTED = "① 다음 각 호의 자는 신고하여야 한다.\n1. 은행\n2. 보험회사\n② 신고는 7일 이내에 한다."


def article(number, heading, text, title="가나법", as_of="2024-01-01"):
    lead, tree = provision_tree(read_lines(text, 0, len(text))[0])
    name = title.replace(" ", "_")
    return Article(
        f"{title} {number}", name, title, "statute", number, heading, "", lead, text, tree,
        text.startswith("삭제"), as_of, "a.md", "", (),
    )  # fmt: skip


ARTICLES = [
    article("제1조", "손해배상", DAMAGES),
    article("제2조", "신고", LISTED),
    article("제3조", "", "삭제"),
    article("제1조", "목적", "이 영은 가나법을 시행한다.", "가나법 시행령"),
]
LAW = KnownLaw.of_articles(ARTICLES)


def verdicts(text, **options):
    return [
        (one.target, one.provision, one.title) for one in verify_citations(text, LAW, **options)
    ]


AS_FAR = "holds as far as the corpus says"
DIFFERS = "exists, but heading or quotation differs"


@pytest.mark.parametrize(
    ("text", "target", "title"),
    [
        ("가나법 제1조", "가나법 제1조", AS_FAR),
        ("「가나법」 제1조(손해배상)", "가나법 제1조", "holds"),
        ("가나법 제1조(신고의무)", "가나법 제1조", DIFFERS),
        (f"가나법 제1조는 “{DAMAGES}”라고 정한다", "가나법 제1조", "holds"),
        ("가나법 제1조는 “고의로 손해를 가한 자는 책임이 있다”라고 정한다", "가나법 제1조", DIFFERS),
        ("“고의 또는 과실로 … 그 손해를 배상”이라고 정한 가나법 제1조", "가나법 제1조", "holds"),
        ("가나법 제9조", "가나법 제9조", "does not exist"),
        ("가나법 제2조제3항", "가나법 제2조", "does not exist"),
        ("가나법 제2조제1항제3호", "가나법 제2조", "does not exist"),
        ("가나법 제3조", "가나법 제3조", "repealed"),
        ("다라법 제1조", "다라법 제1조", "cannot know"),
        ("구 가나법 제9조", "가나법 제9조", "cannot know"),
        ("미국 가나법 제9조", "미국 가나법 제9조", "cannot know"),
        ("다라 등에 관한 법률 제9조", "다라 등에 관한 법률 제9조", "cannot know"),
        ("대법원 2010. 12. 9. 선고 2010도11015 판결", "2010도11015", "cannot know"),
        ("가나법　第２條第１項", "가나법 제2조", AS_FAR),
    ],
)  # fmt: skip
def test_the_verdict_on_a_reference(text, target, title):
    found = verify_citations(text, LAW)
    assert [(one.target, one.title) for one in found] == [(target, title)]


def test_an_act_named_before_is_the_act_of_a_short_form():
    text = "가나법 제1조, 동법 시행령 제1조, 같은 영 제9조, 같은 법 제2조부터 제9조까지"
    assert verdicts(text) == [
        ("가나법 제1조", "", AS_FAR),
        ("가나법 시행령 제1조", "", AS_FAR),
        ("가나법 시행령 제9조", "", "does not exist"),
        ("가나법 제2조", "", AS_FAR),
        ("가나법 제9조", "", "does not exist"),
    ]


def test_offsets_lead_into_the_text_as_it_was_written():
    text = "본다. \u1100\u1161\u1102\u1161\u1107\u1165\u11b8 제\u200b９조 끝"
    (one,) = verify_citations(text, LAW)
    assert one.verdict == "absent"
    assert text[one.start : one.end] == one.text == text[4:-2]


def test_on_a_dated_corpus_the_day_decides():
    law = KnownLaw.of_articles(ARTICLES)
    texts = law.acts["가나법"].articles
    law.acts["가나법"].oldest = "2015-01-01"
    new = texts["제1조"][0]
    new.since = "2020-01-01"
    texts["제1조"].append(replace(new, heading="옛 제목", since="2015-01-01", until="2020-01-01"))
    texts["제2조"][0].since = "2022-01-01"

    def title(text, day=None):
        return verify_citations(text, law, as_of=day)[0].title

    assert title("가나법 제1조(옛 제목)", "2016-01-01") == "holds"
    assert title("가나법 제1조(옛 제목)", "2021-01-01") == DIFFERS
    assert title("2016. 1. 1. 당시 가나법 제2조") == "not in force on that day"
    assert title("가나법 제2조", "2010-01-01") == "cannot know"
    before = "구 가나법(2020. 1. 1. 법률 제1호로 개정되기 전의 것) 제1조(옛 제목)"
    assert title(before) == "holds"


PIECES = [
    "제", "第", "3", "조", "條", "항", "호", "가나법", "구 ", "(", ")", "“", "”", "같은 법 ", "부터 ", "까지", "는 ",
    "라고 정한다", "\u1112\u1161", "\u200b", "３", "\n", "관한 법률", "별표 1", "2010도11015", "제999999999999조",
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=20).map("".join))
def test_no_text_raises_and_every_offset_is_right(text):
    for one in verify_citations(text, LAW):
        assert one.text
        assert text[one.start : one.end] == one.text
