"""Numbers of articles without 제, and numbers that a line end breaks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.data.law.verifying.bare_articles import bare_article_spans, broken_number_spans


def written(text):
    for start, end, words in reversed(list(bare_article_spans(text))):
        text = text[:start] + words + text[end:]
    return text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("은행법은 6조3항부터 본다", "은행법은 제6조3항부터 본다"),
        ("제28조의2, 28조의3", "제28조의2, 제28조의3"),
        ("제9조 및 99조", "제9조 및 제99조"),
        ("제9조(책임) 및 99조", "제9조(책임) 및 제99조"),
        ("제9조①, 10조", "제9조①, 10조"),  # no unit behind the circle: see `written_text`
        ("6조①부터. 그다음 8조, 17조 벌칙", "제6조①부터. 그다음 제8조, 제17조 벌칙"),
        ("대출이 5조 늘고 3조를 넘었다", "대출이 5조 늘고 3조를 넘었다"),
        ("제9조 및 5조 원", "제9조 및 5조 원"),
        ("제9조와 매출 5조", "제9조와 매출 5조"),
        ("5조의 2배", "5조의 2배"),
        ("1조 2항목, 3조 1호선", "1조 2항목, 3조 1호선"),
        ("협정 제13.2조", "협정 제13.2조"),
    ],
)
def test_an_amount_of_money_is_no_article(text, expected):
    assert written(text) == expected


@given(st.text(alphabet="제조의항호0123456789, ①및원.\n", max_size=30))
def test_only_whole_numbers_before_조_get_제(text):
    for start, end, words in bare_article_spans(text):
        assert words == f"제{text[start:end]}"
        assert text[start:end].isdigit()
        assert not text[end].isdigit()
        assert start == 0 or not (text[start - 1].isdigit() or text[start - 1] == "제")


def test_a_number_that_a_line_end_breaks_is_one_number():
    assert list(broken_number_spans("법 제17\n8조 제1\n항")) == [(2, 7, "제178")]
