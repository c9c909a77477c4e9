import pytest

from kofinlaw.augment.reading.figures import (
    clearly_differ,
    find_figures,
    format_won,
    is_half,
    parse_won,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5천만원", 50_000_000),
        ("1억원", 100_000_000),
        ("1억5천만원", 150_000_000),
        ("300만원", 3_000_000),
        ("20억원", 2_000_000_000),
        ("10,000원", 10_000),
    ],
)
def test_amounts_are_read_as_statutes_write_them(text, value):
    assert parse_won(text) == value


@pytest.mark.parametrize("value", [50_000_000, 100_000_000, 3_000_000, 150_000_000_000, 20_000])
def test_an_amount_written_is_read_back(value):
    assert parse_won(format_won(value)) == value


def test_dates_and_article_numbers_are_no_figures():
    assert find_figures("2020년 1월 1일부터 제3조제2항에 따라") == []
    found = find_figures("그 사유를 안 날부터 14일 이내 또는 매출액의 100분의 3 이하")
    assert [q.text for q in found] == ["14일", "100분의 3"]


def test_twelve_months_and_a_year_do_not_differ():
    months, year = find_figures("12개월 또는 1년")
    assert not clearly_differ(months, year)


def test_a_fraction_is_no_number_of_minutes():
    assert find_figures("임원의 3분의 2 이상은 조합원이어야 한다.") == []
    assert [figure.text for figure in find_figures("30분 이내에 알려야 한다.")] == ["30분"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("발행일자 후 1개월 또는 수개월이 될 때", []),
        ("수인 또는 3인의 대리인", []),
        ("여러 명 또는 2명의 위원", []),
        ("수수료는 3개월마다 낸다", ["3개월"]),
        ("수시로 1개월 이내에 보고한다", ["1개월"]),
    ],
)
def test_a_figure_next_to_an_indefinite_one_is_left_out(text, found):
    assert [figure.text for figure in find_figures(text)] == found


@pytest.mark.parametrize(
    ("sentence", "half"),
    [
        ("계획의 이행 기간은 1년 6개월 이내로 한다.", True),
        ("계획의 이행 기간은 1년 이내로 한다.", False),
        ("3개월 전부터 5일 동안 공고한다.", False),
    ],
)
def test_a_part_of_a_longer_period_is_a_half(sentence, half):
    assert all(is_half(sentence, figure) == half for figure in find_figures(sentence))
