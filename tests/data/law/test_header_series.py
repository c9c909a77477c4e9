"""Headers of articles that only their series explains."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.data.law.headers import standard_lines, standard_provisions
from kofinlaw.data.law.statute import parse_statute

TITLES = ("목적", "정의", "적용범위")
BODY = "은행은 매년 보고한다."


def articles(text):
    return [(a.number, a.heading) for a in parse_statute(standard_provisions(text)).articles]


@pytest.mark.parametrize(
    "header",
    [
        "{n}조({t})", "{n}조 【{t}】", "- 제{n}조({t})", "* 제{n}조({t})", "> 제{n}조({t})", "■ 제{n}조 ({t})",
        "{n}. 제{n}조({t})", "제{n}조「{t}」", "제{n}조 \"{t}\"", "제{n}조 “{t}”", "제{n}조｢{t}｣", "제{n}조〘{t}〙",
        "<b>제{n}조({t})</b>", "`제{n}조({t})`", "제{n}조\\({t}\\)", "제{n}조 {t}", "제{n}조 - {t}", "제{n}조. {t}",
        "(제{n}조) {t}", "제{n}조\n({t})", "제{n}조\n\n【{t}】", "제{n}조\n{t}", "제0{n}조({t})", "제{n}조) {t}",
    ],
)  # fmt: skip
def test_a_series_of_one_dress_opens_its_articles(header):
    text = "".join(f"{header.format(n=n, t=t)}\n{BODY}\n" for n, t in enumerate(TITLES, 1))
    wanted = [(f"제{n}조", title) for n, title in enumerate(TITLES, 1)]
    assert articles(text) == wanted
    assert {a.text for a in parse_statute(standard_provisions(text)).articles} == {BODY}
    supplement = "부칙\n제1조(시행일) 이 규정은 공포한 날부터 시행한다.\n"
    assert articles(text + supplement) == wanted


@pytest.mark.parametrize(
    "digits", ["①②③", "ⅠⅡⅢ", "壹貳參", "𝟏𝟐𝟑", "１２３", "一二三", "٠١٢"[1:] + "٣"]
)
def test_numbers_of_articles_in_other_digits(digits):
    text = "".join(f"제{n}조({t}) {BODY}\n" for n, t in zip(digits, TITLES, strict=True))
    assert articles(text) == [(f"제{n}조", title) for n, title in enumerate(TITLES, 1)]


def test_a_branch_after_a_dash():
    text = f"제1조(목적) {BODY}\n제1조-2(정의) {BODY}\n제2조(벌칙) {BODY}\n"
    assert articles(text) == [("제1조", "목적"), ("제1조의2", "정의"), ("제2조", "벌칙")]


def test_a_header_without_its_first_letter_between_usual_ones():
    text = f"제1조(목적) {BODY}\n2조(정의) {BODY}\n제3조(벌칙) {BODY}\n"
    assert articles(text) == [("제1조", "목적"), ("제2조", "정의"), ("제3조", "벌칙")]


@pytest.mark.parametrize(
    "text",
    [
        "목차\n제1조 목적\n제2조 정의\n제3조 벌칙\n은행은 보고한다.\n",  # a table of contents
        "- 제1조(목적)\n- 제2조(정의)\n- 제3조(벌칙)\n",
        "1조(김철수, 이영희) 발표한다.\n2조(박민수) 질문한다.\n",  # teams
        "1조 원(2024년)\n은행\n2조 원(2025년)\n은행\n",  # money
        "제5조 위반\n신고한다.\n제3조 위반\n신고한다.\n",  # not in order
        "제1조 「은행법」에 따른 은행\n가\n제2조 「보험업법」에 따른 보험\n나\n",
        "제1조 관련\n가\n제2조 관련\n나\n",
        "제1조에 따라\n가\n제2조에 따라\n나\n",
        "제1조 은행은 보고한다.\n제2조 은행은 쓴다.\n",
        "1조\n발표\n2조\n질문\n",
    ],
)
def test_references_and_lists_stay(text):
    assert standard_provisions(text) == text


def test_a_plain_line_in_a_document_with_usual_headers_stays():
    text = f"제1조(목적) {BODY}\n제2조 위반자\n{BODY}\n제2조(정의) {BODY}\n제3조 위반자\n{BODY}\n"
    assert articles(text) == [("제1조", "목적"), ("제2조", "정의")]


@settings(max_examples=80)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "- ", "■ ", "(", "### "]),
            st.sampled_from(["제", ""]),
            st.integers(1, 4),
            st.sampled_from(
                ["(목적)", "【정의】", " 목적", "\n(목적)", "\n정의", ": 벌칙", "에 따라"]
            ),
            st.sampled_from(["", " 은행은 쓴다.", "\n은행은 쓴다."]),
        ),
        max_size=6,
    )
)
def test_a_second_reading_changes_nothing(rows):
    text = "\n".join(f"{a}{b}{n}조{t}{rest}" for a, b, n, t, rest in rows)
    once = standard_lines(text.split("\n"))
    assert len(once) == text.count("\n") + 1
    assert standard_lines(once) == once


@pytest.mark.parametrize("name", ["내규", "고시", "훈령", "예규", "령", "준칙", "절차", "편람"])
def test_the_name_of_the_rule_may_follow_a_title_directly(name):
    text = f"1조(목적)이 {name} 적용 범위를 정한다.\n2조(정의) {BODY}\n3조(벌칙) {BODY}\n"
    assert articles(text) == [("제1조", "목적"), ("제2조", "정의"), ("제3조", "벌칙")]
    assert articles(text.replace("3조(벌칙) ", "3조(벌칙)와 ")) == articles(text)[:2]
