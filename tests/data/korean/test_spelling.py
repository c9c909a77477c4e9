"""References to provisions in full-width digits and Chinese characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.data.korean.spelling import number_in_words, standard_references
from kofinlaw.data.korean.words import normalise


@pytest.mark.parametrize(
    "odd, usual",
    [
        ("第三條第２項에 따라", "제3조제2항에 따라"),
        ("제１조의２ 및 제1조之３", "제1조의2 및 제1조의3"),
        ("法 第十二條第一號", "法 제12조제1호"),
        ("第一編 總則 第二章", "제1편 總則 제2장"),
        ("제１－２조", "제1-2조"),
        ("第三者에게 １００원, 제이조", "第三者에게 １００원, 제이조"),
        ("제 1 조 제2항", "제 1 조 제2항"),
    ],
)
def test_a_reference_has_one_spelling(odd, usual):
    assert standard_references(odd) == usual
    assert normalise(odd) == usual


@given(st.integers(1, 999))
def test_numbers_in_chinese_characters_are_read_back(number):
    digits = "〇一二三四五六七八九"
    words = "".join(
        ("" if digit == "1" and power else digits[int(digit)]) + power
        for digit, power in zip(f"{number:03d}", "百十", strict=False)
        if digit != "0"
    )
    words += digits[number % 10] if number % 10 else ""
    assert number_in_words(words) == number
    assert standard_references(f"第{words}條") == f"제{number}조"


@given(st.text("제第0１二條조항 의之-a", max_size=30))
def test_spelling_a_second_time_changes_nothing(text):
    assert standard_references(standard_references(text)) == standard_references(text)
