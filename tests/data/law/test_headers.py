"""Headers of articles and marks of 항 in other dress."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.law.headers import standard_lines, standard_provisions
from kofinlaw.data.law.statute import parse_statute
from kofinlaw.data.readers.documents import make_document
from kofinlaw.data.settings import SourceSettings


def articles(text):
    return [(a.number, a.heading) for a in parse_statute(standard_provisions(text)).articles]


@pytest.mark.parametrize(
    "header",
    [
        "제1조【목적】", "제1조 〔목적〕", "제1조[목적]", "제1조 〈목적〉", "제1조《목적》", "제1조（목적）",
        "제1조（목적)", "제1조﹙목적﹚", "第1條(목적)", "第一條 (목적)", "제１조(목적)", "제 1 조 (목적)",
        "제1조\u3000(목적)", "제1조\xa0(목적)", "제일조(목적)", "제1조. (목적)", "제1조: (목적)",
        "제1조(목적):", "**제1조(목적)**", "**제1조【목적】**", "**제1조** (목적)", "__제1조(목적)__",
        "*제1조【목적】*", "【제1조】 (목적)", "【제1조】【목적】", "[제1조] (목적)", "[제1조(목적)]",
        "### 제1조 (목적)", "### 제1조【목적】", "### 第一條 (목적)", "### 제1조 목적",
    ],
)  # fmt: skip
def test_a_header_in_other_dress_opens_the_article(header):
    other = header.translate(str.maketrans({"1": "2", "１": "２", "一": "二", "일": "이"}))
    text = f"{header} 이 규정은 은행을 정한다.\n{other.replace('목적', '정의')} 용어를 정한다.\n"
    if header.startswith("### "):
        text = (
            f"{header}\n이 규정은 은행을 정한다.\n{other.replace('목적', '정의')}\n용어를 정한다.\n"
        )
    assert articles(text) == [("제1조", "목적"), ("제2조", "정의")]
    body = parse_statute(standard_provisions(text)).articles[0].text
    assert body == "이 규정은 은행을 정한다."


def test_a_header_with_a_short_title_after_a_point_opens_an_article():
    text = "제1조: 목적\n이 규정은 은행을 정한다.\n제2조의2 - 정의\n용어를 정한다.\n【제3조】 벌칙\n벌한다.\n"
    assert articles(text) == [("제1조", "목적"), ("제2조의2", "정의"), ("제3조", "벌칙")]


def test_a_header_directly_before_its_text_opens_an_article():
    text = (
        "제1조(목적)이 법은 은행을 정한다.\n제2조【정의】①이 법에서 쓴다.\n제3조 ① 은행은 쓴다.\n"
    )
    assert articles(text) == [("제1조", "목적"), ("제2조", "정의"), ("제3조", "")]


@pytest.mark.parametrize(
    "line",
    [
        "제1조에 따라 신고한다.", "제1조 및 제2조에 따라 신고한다.", "제5조 <개정 2020.1.1>",
        "제5조(제2항을 제외한다)는 준용한다.", "제3조의 규정에 의하여", "제1조 「은행법」에 따른 은행",
        "(제3조 관련)", "(제3조 신청서)", "제1조<br>", "제2조 제3항: 은행", "제이조에 따라 신고한다.",
        "제3조: 이 조는 은행을 정한다.", "第三者(은행)는", "제1조 각 호: 은행", "제1조 관련 서식",
        "제1조[전문개정 2020. 1. 1.]",
    ],
)  # fmt: skip
def test_a_line_that_refers_to_an_article_stays(line):
    assert standard_lines([line]) == [line]


@pytest.mark.parametrize("heading", ["## 제1조에 따른 신고", "## 제1조의 신고"])
def test_a_heading_that_refers_to_an_article_is_no_article(heading):
    assert parse_statute(f"{heading}\n가\n").articles == ()


@pytest.mark.parametrize(
    "marks",
    ["①②③", "➀➁➂", "❶❷❸", "➊➋➌", "⓵⓶⓷", "⑴⑵⑶", "㊀㊁㊂", "㈠㈡㈢",
     ("1항 ", "2항 ", "3항 "), ("제1항: ", "제2항: ", "제3항: "), ("1항. ", "2항. ", "3항. ")],
)  # fmt: skip
def test_marks_of_paragraphs_in_other_dress_are_read(marks):
    text = (
        f"제1조(목적) {marks[0]}가나\n{marks[1]} 제1항에 따라 한다\n1. 은행\n{marks[2]}다\n"
        "제2조(정의) 용어\n제1항에 따른 용어\n"
    )
    first, second = parse_statute(standard_provisions(text)).articles
    assert [p.label for p in first.provisions] == ["제1항", "제2항", "제3항"]
    assert first.provisions[1].text == "제1항에 따라 한다"
    assert [p.label for p in first.provisions[1].children] == ["제2항제1호"]
    assert second.text == "용어\n제1항에 따른 용어"


def test_numbers_in_brackets_below_circles_stay():
    text = "제1조(목적) ① 가\n⑴ 나\n제2조(정의) 다\n"
    assert "⑴ 나" in standard_provisions(text)
    assert "❶ 가" in standard_provisions("❶ 가\n❷ 나\n")  # no articles: a list of a guideline


TITLES = st.text(st.sampled_from("목적정의벌칙신고은행"), min_size=1, max_size=6)
BRACKETS = st.sampled_from(["()", "[]", "（）", "【】", "〔〕", "［］", "｛｝", "〖〗"])
DIGITS = str.maketrans("0123456789", "０１２３４５６７８９")


@settings(max_examples=60)
@given(st.lists(st.tuples(TITLES, BRACKETS), min_size=2, max_size=5), st.data())
def test_the_same_articles_are_found_in_any_dress(rows, data):
    lines, wanted = [], []
    for number, (title, (left, right)) in enumerate(rows, 1):
        odd = str(number)
        if data.draw(st.booleans()):
            odd = odd.translate(DIGITS)
        blank = data.draw(st.sampled_from(["", " ", "\u3000", "\u200b"]))
        unit = data.draw(st.sampled_from(["제{}조", "第{}條", "제{} 조", "제\u200b{}조\u2060"]))
        bold = data.draw(st.sampled_from(["", "**"]))
        lines.append(f"{bold}{unit.format(odd)}{blank}{left}{title}{right}{bold} 은행은 쓴다.")
        wanted.append((f"제{number}조", title))
    text = unicodedata.normalize(data.draw(st.sampled_from(["NFC", "NFD"])), "\n".join(lines))
    document = make_document(text, SourceSettings(path="a"), "a.txt", "text", {})
    found = parse_statute(document.text).articles
    assert [(a.number, a.heading) for a in found] == wanted
    assert {a.text for a in found} == {"은행은 쓴다."}
    assert document.kind == "rule"


@settings(max_examples=60)
@given(st.lists(st.text("제第1一조條(【목적】)[]*_#:. 항①⑴❶의", max_size=20), max_size=5))
def test_lines_keep_their_number_and_are_changed_once(lines):
    once = standard_lines(lines)
    assert len(once) == len(lines)
    assert standard_lines(once) == once
