"""References in Chinese characters, checked against a small corpus."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.law import KnownLaw, verify_citations
from kofinlaw.data.law.provisions import provision_tree, read_lines
from kofinlaw.data.law.verifying.hanja_names import HanjaNames
from kofinlaw.records import Article

SECRET = "금융실명거래 및 비밀보장에 관한 법률"


def article(title, number, heading, text):
    lead, tree = provision_tree(read_lines(text, 0, len(text))[0])
    name = title.replace(" ", "_")
    return Article(
        f"{title} {number}", name, title, "statute", number, heading, "", lead, text, tree,
        False, "2024-01-01", "a.md", "", (),
    )  # fmt: skip


LAW = KnownLaw.of_articles(
    [
        article("은행법", "제1조", "목적", "이 법은 은행의 건전한 운영을 위한 것이다."),
        article(
            "은행법", "제2조", "정의", "① 은행업이란 다음 각 호의 업무를 말한다.\n1. 예금\n2. 대출"
        ),
        article("은행법 시행령", "제1조", "목적", "이 영은 은행법을 시행한다."),
        article(
            SECRET,
            "제4조",
            "비밀의 보장",
            "① 비밀을 지켜야 한다.\n② 명의인이 요구하면 알려야 한다.",
        ),
        article("근로기준법", "제1조", "목적", "근로자의 생활을 보장한다."),
    ]
)


def verdicts(text):
    return [(o.target, o.provision, o.verdict, o.basis) for o in verify_citations(text, LAW)]


@pytest.mark.parametrize(
    ("text", "target", "provision", "verdict", "basis"),
    [
        ("銀行法 제1조", "은행법 제1조", "", "holds", "existence"),
        ("은행法 第一條", "은행법 제1조", "", "holds", "existence"),
        ("「銀行法」 第2條第1項第2號", "은행법 제2조", "제1항제2호", "holds", "existence"),
        ("銀行法 2條 1項", "은행법 제2조", "제1항", "holds", "existence"),
        ("銀行法 第2條 第1項 第9號", "은행법 제2조", "제1항제9호", "absent", ""),
        ("銀行法 第九十九條", "은행법 제99조", "", "absent", ""),
        ("銀行法施行令 第1條", "은행법 시행령 제1조", "", "holds", "existence"),
        ("銀行法 施行令 第1條", "은행법 시행령 제1조", "", "holds", "existence"),
        ("金融實名去來 및 秘密保障에 관한 法律 第4條 第2項", f"{SECRET} 제4조", "제2항", "holds", "existence"),
        ("金融實名去來및秘密保障에關한法律 第4條", f"{SECRET} 제4조", "", "holds", "existence"),
        ("금융實名去來 및 비밀保障에 관한 法律 제4조", f"{SECRET} 제4조", "", "holds", "existence"),
        ("金融實名法 第9條", f"{SECRET} 제9조", "", "absent", ""),
        ("\uf90a融實名法 제4조", f"{SECRET} 제4조", "", "holds", "existence"),
        ("勤勞基準法 제1조", "근로기준법 제1조", "", "holds", "existence"),
        ("銀行法 第1條(目的)", "은행법 제1조", "", "holds", "words"),
        ("銀行法 第2條(目的)", "은행법 제2조", "", "differs", ""),
        ("銀行法 第2條(某種事由)", "은행법 제2조", "", "holds", "existence"),
        ("舊 銀行法 第99條", "은행법 제99조", "", "unknown", ""),
        ("現行 銀行法 第99條", "은행법 제99조", "", "absent", ""),
        ("勞動組合法 第99條", "노동조합법 제99조", "", "unknown", ""),
        ("銀行法學 第3章", "", "", "", ""),
        ("甲이변호사법 第98條", "이변호사법 제98조", "", "unknown", ""),
    ],
)  # fmt: skip
def test_a_reference_in_chinese_characters_gets_its_verdict(
    text, target, provision, verdict, basis
):
    found = [one for one in verdicts(text) if one[0] != "은행법"]
    assert found == ([(target, provision, verdict, basis)] if target else [])


def test_the_act_of_another_name_is_not_the_one_named_before_it() -> None:
    found = verdicts("銀行法 제1조와 民事執行法 第300條")
    assert [(one[0], one[2]) for one in found] == [
        ("은행법 제1조", "holds"), ("민사집행법 제300조", "unknown"),
    ]  # fmt: skip


def test_words_that_refer_back_are_read() -> None:
    found = verdicts("銀行法 第2條 第1項 但書, 同條 第2項, 同法 第1條 乃至 第2條")
    assert [one[:2] for one in found] == [
        ("은행법 제2조", "제1항"), ("은행법 제2조", "제2항"), ("은행법 제1조", ""), ("은행법 제2조", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("quoted", "verdict"),
    [
        ("이 법은 銀行의 健全한 운영을 위한 것이다", "holds"),
        ("이 법은 銀行의 不健全한 운영을 위한 것이다", "differs"),
    ],
)
def test_a_quotation_is_compared_by_the_readings_of_its_characters(quoted, verdict) -> None:
    assert [one[2] for one in verdicts(f"銀行法 第1條는 “{quoted}”라고 정한다")] == [verdict]


def test_offsets_are_those_of_the_text_as_it_was_written() -> None:
    text = "그러므로 金融實名去來 및 秘密保障에 관한 法律 第4條 第2項에 따른다."
    (found,) = verify_citations(text, LAW)
    assert found.text == "金融實名去來 및 秘密保障에 관한 法律 第4條 第2項"
    assert text[found.start : found.end] == found.text


def test_the_longest_name_wins() -> None:
    names = HanjaNames(["은행법", "은행법 시행령"])
    assert names.spans("銀行法施行令") == [(0, 6, "은행법 시행령")]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["銀行法", "은행", "法", "金融實名法", "第", "제", "2", "二", "條", "조", "項", "號", "가目", "(", ")",
             "目的", " ", "同", "舊", "現行", "및", "施行令", "\n", "關한 法律", "樂", "\uf900", "但書", "前項"]
        ),
        max_size=14,
    ).map("".join)
)  # fmt: skip
def test_any_mixture_keeps_its_offsets(text):
    for one in verify_citations(text, LAW):
        assert one.text
        assert text[one.start : one.end] == one.text
