import random

import pytest
from hypothesis import given, seed
from hypothesis import strategies as st

from kofinlaw.augment.tables.values import (
    column_name,
    near_values,
    number_within,
    read_value,
    spaced_letters,
    unit_of,
    with_particle,
)


@pytest.mark.parametrize(
    ("cell", "unit", "text", "key"),
    [
        ("85", "%", "85%", ("", "%", 85.0, 85.0, ())),
        ("60% 이내", "", "60% 이내", ("", "%", 60.0, 60.0, ("이내",))),
        ("1.6이상 2.3미만", "점", "1.6점 이상 2.3점 미만", ("", "점", 1.6, 2.3, ("이상", "미만"))),
        ("30%∼50%", "", "30%∼50%", ("", "%", 30.0, 50.0, ("", ""))),
        ("공시지가의 100%", "", "공시지가의 100%", ("공시지가의", "%", 100.0, 100.0, ())),
        ("100분의 8 이상", "", "100분의 8 이상", ("", "100분의", 8.0, 8.0, ("이상",))),
        ("5천만원 이하", "", "5천만원 이하", ("", "원", 5e7, 5e7, ("이하",))),
        ("2,000명 초과", "", "2,000명 초과", ("", "명", 2000.0, 2000.0, ("초과",))),
        ("10년", "", "10년", ("", "년", 10.0, 10.0, ())),
    ],
)
def test_reads_a_value_with_its_unit(cell, unit, text, key):
    value = read_value(cell, unit)
    assert value is not None
    assert (value.text, value.key) == (text, key)


@pytest.mark.parametrize(
    "cell",
    ["85", "", "-", "없음", "5.125 + K/4", "20% (0%)", "209)%", "10년 또는 5년", "50%~30%",
     "공모의 경우 100%, 사모의 경우 95%", "100% 90%"],
)  # fmt: skip
def test_a_cell_that_is_not_one_value_or_has_no_unit_is_none(cell):
    assert read_value(cell) is None


def test_the_unit_is_in_the_column_or_in_the_caption_alone():
    assert unit_of("가 중 치(%)", ()) == "%"
    assert unit_of("1회 한도", ("(단위 : 만원)",)) == "만원"
    assert unit_of("금액", ("(단위 : 백만원, %)",)) == ""
    assert unit_of("산정점수", ()) == "점"
    assert unit_of("가중치", ()) == ""


def test_names_of_columns_are_without_spaced_letters_and_units():
    assert column_name("가 중 치(%)") == "가중치"
    assert column_name("배 점") == "배점"
    assert spaced_letters("생 명 보 험 중 개 사") == "생명보험중개사"
    assert spaced_letters("제 3 보 험 중 개 사") == "제3보험중개사"
    assert spaced_letters("주 식 (수익증권 포함)") == "주식 (수익증권 포함)"
    assert spaced_letters("재무제표 및 그 부속명세서") == "재무제표 및 그 부속명세서"
    assert spaced_letters("은행간 대여금") == "은행간 대여금"
    assert with_particle("추가자본 (비율)", "은/는") == "추가자본 (비율)은"


@seed(1)
@given(st.integers(1, 300), st.sampled_from(["%", "년", "명"]), st.integers(0, 99))
def test_near_values_are_other_values_of_the_same_unit(number, unit, seed_):
    value = read_value(f"{number}{unit}")
    for text in near_values(value, random.Random(seed_)):
        near = read_value(text)
        assert near is not None
        assert near.unit == unit
        assert near.low != number
        assert unit != "%" or number > 100 or near.low <= 100


@seed(2)
@given(st.integers(1, 500), st.integers(1, 500), st.integers(0, 99))
def test_a_number_within_a_range_lies_in_it(low, width, seed_):
    high = low + width
    shown = number_within(f"{low} 이상 {high} 미만", random.Random(seed_))
    if shown:
        assert low <= float(shown.replace(",", "")) < high
    over = number_within(f"{low}% 초과", random.Random(seed_))
    assert not over or float(over.rstrip("%")) > low
    assert number_within("우수", random.Random(seed_)) == ""
