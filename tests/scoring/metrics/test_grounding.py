"""Claims of free-text answers, and whether the passages support them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.scoring.metrics.grounding import amount, claims_of, grounding_figures, ungrounded

ACT = "전자금융거래법"
ARTICLE = (
    "전자금융거래법 제21조의5(침해사고의 통지 등)\n"
    "금융회사는 침해사고를 안 날부터 10일 이내에 통지하고 3억 5천만원 이하의 과태료를 낸다. "
    "2025년 7월 31일부터 시행한다."
)


def values(text, titles=()):
    return [claim.value for claim in claims_of(text, titles)]


@pytest.mark.parametrize(
    ("text", "number"),
    [("3억 5천만", 350_000_000), ("5천만", 50_000_000), ("50,000,000", 50_000_000), ("1만2천", 12_000),
     ("12.5", 12.5), ("2백", 200), ("1억", 10**8)],
)  # fmt: skip
def test_korean_amounts_are_numbers(text, number):
    assert amount(text) == number


@given(st.integers(1, 10**9))
def test_an_amount_is_the_same_however_it_is_written(number):
    high, low = divmod(number, 10**4)
    mixed = (f"{high}만" if high < 10**4 else f"{high // 10**4}억 {high % 10**4}만") if high else ""
    mixed = mixed.replace(" 0만", "") + (f" {low}" if low else "")
    assert amount(mixed.strip()) == amount(f"{number:,}") == number


def test_numbers_keep_their_units_and_article_numbers_are_no_amounts():
    assert values("제9조제1항제2호에 따라 10일 이내, 50퍼센트") == ["제9조", "10 일", "50 %"]
    assert values("3억 5천만 원과 350,000,000원") == ["3.5e+08 원"]


@pytest.mark.parametrize("amount", ["5시간", "1,000만원", "100분의 5", "30일"])
def test_an_amount_after_an_article_is_not_a_branch_of_it(amount):
    (number,) = values(amount)[:1]
    assert values(f"제12조의 {amount} 이내이다.")[:2] == ["제12조", number]
    named = values(f"{ACT} 제12조의 {amount} 이내이다.", [ACT])
    assert named[:2] == [f"{ACT} 제12조", number]


@pytest.mark.parametrize(
    "text", ["제12조의5", "제12조의 5", "제12조의 5 일부", "제12조의 5회사", "제12조의5 시간"]
)
def test_a_branch_of_an_article_is_read_with_its_blank(text):
    assert values(text) == ["제12조의5"]
    assert values(f"{ACT} {text}", [ACT]) == [f"{ACT} 제12조의5"]


def test_dates_are_read_in_either_form():
    assert values("2025년 7월 31일과 2025. 7. 31.과 7월 31일") == ["2025-07-31", "--07-31"]


def test_decimals_and_ranges_are_amounts_with_their_units():
    assert values("3.5퍼센트, 1.5배, 3-5일") == ["3.5 %", "1.5 배", "3", "5 일"]
    assert [c.text for c in ungrounded("3.5%이다.", ["계약 기간은 3.5년으로 한다."])[1]] == ["3.5%"]


def test_an_article_of_a_named_act_is_its_unit():
    named = "전자금융거래법 제9조", "제12조의2"
    assert values("전자금융거래법 제9조에 따른다. 제12조의2도 같다.", [ACT])[:1] == [named[0]]
    assert values("제12조의2", [ACT]) == [named[1]]


@pytest.mark.parametrize(
    ("answer", "loose"),
    [
        ("안 날부터 10일 이내에 통지한다.", []),
        ("안 날부터 7일 이내에 통지한다.", ["7일"]),
        ("과태료는 350,000,000원 이하이다.", []),
        ("과태료는 5천만원 이하이다.", ["5천만원"]),
        ("제21조의5에 따른다.", []),
        ("전자금융거래법 제21조의5에 따른다.", []),
        ("전자금융거래법 제9조에 따른다.", ["전자금융거래법 제9조"]),
        ("7월 31일부터이다.", []),
        ("2024년 7월 31일부터이다.", ["2024년 7월 31일"]),
        ("지체 없이 통지한다.", []),
        ("10개월 이내이다.", ["10개월"]),
    ],
)
def test_a_claim_is_grounded_if_the_passage_contains_it(answer, loose):
    _, missing = ungrounded(answer, [ARTICLE], ["전자금융거래법 제21조의5"], [ACT])
    assert [claim.text for claim in missing] == loose


def test_what_the_question_says_is_ground_too():
    assert ungrounded("5명입니다.", ["이용자 5명이 있다면?"])[1] == []


def test_figures_count_claims_and_answers():
    found = {
        "Q1": ungrounded("10일 이내, 7일 이내", [ARTICLE]),
        "Q2": ungrounded("지체 없이", [ARTICLE]),
    }
    figures = grounding_figures(found)
    assert (figures["claims"], figures["grounded"], figures["with_claims"]) == (2, 1, 1)
    assert figures["kinds"] == {"number": {"n": 2, "grounded": 1}}
    assert grounding_figures({"Q2": found["Q2"]}) is None
