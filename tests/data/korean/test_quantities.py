import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.data.korean.quantities import Quantity, read_number, read_quantities


def only(text: str) -> Quantity:
    (found,) = read_quantities(text)
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1억원", "100,000,000원"),
        ("1억원", "일억원"),
        ("1억원", "1억 원"),
        ("3억 5천만원", "350,000,000원"),
        ("5천만원", "오천만원"),
        ("100분의 5", "5퍼센트"),
        ("100분의 5", "5%"),
        ("2분의 1", "50%"),
        ("1천분의 3", "1,000분의 3"),
        ("1년 6개월", "18개월"),
        ("1년", "12개월"),
        ("2주", "14일"),
        ("일주일", "7일"),
        ("세 명", "3인"),
        ("30분", "0.5시간"),
        ("삼십일 이내", "30일까지"),
        ("100분의 5를 초과할 수 없다", "100분의 5 이하"),
        ("3일을 넘겨서는 아니 된다", "3일 이내에"),
    ],
)
def test_the_same_quantity_in_other_words(one, other):
    assert only(one).same_value(only(other))
    assert only(one).agrees(only(other))
    assert not only(one).conflicts(only(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3개월 이내", "6개월 이내"),
        ("3개월", "10일"),
        ("1억원 이하", "1억원 이상"),
        ("1억원 미만", "1억원 이하"),
        ("30일 전까지", "30일 후"),
        ("3일", "3영업일"),
        ("100분의 5", "100분의 50"),
        ("5명", "9명"),
        ("3월 31일", "4월 1일"),
    ],
)
def test_quantities_that_cannot_hold_of_the_same_thing(one, other):
    assert only(one).conflicts(only(other))
    assert only(other).conflicts(only(one))
    assert not only(one).agrees(only(other))


def test_nearly_equal_terms_and_other_dimensions_neither_agree_nor_conflict():
    for one, other in (("3개월", "90일"), ("1억원", "5명"), ("2배", "5%")):
        assert not only(one).agrees(only(other))
        assert not only(one).conflicts(only(other))


@pytest.mark.parametrize(
    "text",
    [
        "제3조제1항에 따라",
        "3회사와 5명령",
        "구분하여 사회 이익을",
        "제2장 제3절",
        "별표 2",
        "이상과 이내",
    ],
)
def test_what_is_not_a_quantity(text):
    assert read_quantities(text) == []


def test_positions_bounds_and_dates():
    text = "2024년 1월 1일부터 5명 이상 9명 이하로 한다"
    found = read_quantities(text)
    assert [text[q.start : q.end] for q in found] == ["2024년 1월 1일", "5명", "9명"]
    assert [q.bound for q in found] == ["", "least", "most"]
    assert found[0].dimension == "date"
    assert found[0].value == 20240101


def test_numbers():
    assert read_number("3억 5천만") == 350_000_000
    assert read_number("천이백삼십사") == 1234
    assert read_number("12.5") == 12.5
    assert read_number("가나") is None


@given(st.integers(1, 10**13))
def test_digits_with_commas_are_read_as_they_are(value):
    assert only(f"{value:,}원").value == value


@given(st.integers(1, 9999), st.integers(0, 9999))
def test_amounts_in_units_of_ten_thousand(high, low):
    assert only(f"{high}억{f'{low}만' if low else ''}원").value == high * 10**8 + low * 10**4


@given(st.text(alphabet="0123456789,.억만천백십원분의개월년일이삼 제조항%이내상하 ", max_size=40))
def test_any_text_is_read_without_error_and_in_order(text):
    found = read_quantities(text)
    assert [q.start for q in found] == sorted(q.start for q in found)
    assert all(0 <= q.start < q.end <= len(text) for q in found)
    assert all(q.agrees(q) and not q.conflicts(q) for q in found)
