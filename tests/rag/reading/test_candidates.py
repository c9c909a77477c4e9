"""Sentences of the evidence: whole, without marks, a 호 in its opening sentence."""

from __future__ import annotations

import pytest

from kofinlaw.rag.reading.candidates import asks_for_list, evidence_sentences, fitted

PASSAGE = """가람법 제9조(신고)
① 금융회사는 다음 각 호의 사항을 7일 안에 신고하여야 한다.
1. 명칭
2. 대표자의 성명
② 신고는 서면(전자문서를 포함한다. 이하 같다)으로 한다. 다만, 급한 때에는 말로 할 수 있다."""


def any_length(text: str) -> bool:
    return True


def texts(question: str, passage: str) -> list[str]:
    return [one.text for one in evidence_sentences(question, [passage], any_length)]


def test_marks_and_headings_are_gone_and_an_exception_stays_with_its_sentence() -> None:
    found = evidence_sentences("신고 방법은?", [PASSAGE], any_length)
    assert [one.text for one in found] == [
        "금융회사는 명칭을 7일 안에 신고하여야 한다.",
        "금융회사는 대표자의 성명을 7일 안에 신고하여야 한다.",
        "신고는 서면(전자문서를 포함한다. 이하 같다)으로 한다. 다만, 급한 때에는 말로 할 수 있다.",
    ]
    assert {one.header for one in found} == {"가람법 제9조(신고)"}
    assert {one.passage for one in found} == {0}


def test_a_question_for_a_list_gets_it_in_one_sentence() -> None:
    question = "금융회사가 신고하여야 하는 사항은 무엇인가?"
    assert asks_for_list(question)
    assert texts(question, PASSAGE)[0] == (
        "금융회사는 명칭, 대표자의 성명을 7일 안에 신고하여야 한다."
    )


def test_a_list_has_as_many_items_as_fit() -> None:
    found = evidence_sentences("사항은?", [PASSAGE], lambda text: len(text) <= 30)
    assert found[0].text == "금융회사는 명칭 등을 7일 안에 신고하여야 한다."


@pytest.mark.parametrize(
    ("opening", "item", "sentence"),
    [
        (
            "은행은 다음 각 호의 어느 하나에 해당하는 경우에는 거절할 수 있다.",
            "1. 정보가 새어 나간 경우",
            "은행은 정보가 새어 나간 경우에는 거절할 수 있다.",
        ),
        (
            "은행은 다음 각 호의 어느 하나에 해당하면 해지할 수 있다.",
            "1. 수탁자가 파산을 신청한 경우",
            "은행은 수탁자가 파산을 신청한 경우에 해당하면 해지할 수 있다.",
        ),
        (
            "고객은 다음 각 호의 기간 안에 철회할 수 있다.",
            "1. 보장성 상품: 15일",
            "고객은 보장성 상품의 경우 15일 안에 철회할 수 있다.",
        ),
        ("급수는 다음 각 호와 같다.", "1. 상급", "급수는 상급이다."),
        (
            "은행은 다음 각 호의 구분에 따라 보고한다.",
            "1. 1급 사고: 1시간",
            "은행은 다음 각 호의 구분에 따라 보고한다: 1급 사고: 1시간",
        ),
        (
            "이 법에서 쓰는 말의 뜻은 다음과 같다.",
            '1. "수탁자"란 업무를 맡은 자를 말한다.',
            '"수탁자"란 업무를 맡은 자를 말한다.',
        ),
        (
            "다음 각 호의 서류를 붙인다.",
            "가. 신청서",
            "신청서를 붙인다.",
        ),
        ("은행은 다음 각 호의 증권을 취급한다.", "1. 어음", "은행은 어음을 취급한다."),
    ],
)
def test_an_item_takes_its_place_in_the_opening_sentence(
    opening: str, item: str, sentence: str
) -> None:
    assert texts("무엇?", f"가람법 제1조\n{opening}\n{item}") == [sentence]


def test_cells_of_a_table_are_joined_without_separators() -> None:
    table = "별표 1\n구분 | 한도\n--- | ---\n| 개인 | 1억원 |\n| 법인 | 5억원 | 10억원 |"
    assert texts("한도는?", table) == ["구분: 한도", "개인: 1억원", "법인: 5억원, 10억원"]


def test_deleted_lines_are_no_sentences_and_the_same_sentence_comes_once() -> None:
    passage = "가람법 제2조\n1. 삭제\n② 신고는 서면으로 한다."
    found = evidence_sentences("?", [passage, passage], any_length)
    assert [(one.text, one.passage) for one in found] == [("신고는 서면으로 한다.", 0)]


def test_what_is_too_long_ends_with_a_sentence_then_without_brackets_then_with_a_word() -> None:
    def short(limit: int, text: str) -> str:
        return fitted(text, lambda some: len(some) <= limit)

    assert short(12, "첫 문장이다. 둘째 문장이다.") == "첫 문장이다."
    assert short(14, "신고(서면을 말한다)를 하여야 한다.") == "신고를 하여야 한다."
    assert short(8, "금융회사는 신고를 하여야 한다.") == "금융회사는"
    assert short(99, "그대로 둔다.") == "그대로 둔다."


FEES = """출장 여비 기준
| 직급 | 숙박비 한도(1박) | 일비 |
| 부서장 | 120,000원 | 30,000원 |
| 직원 | 90,000원 | |"""


@pytest.mark.parametrize("table", [FEES, FEES.replace("| 부서장", "| --- | --- | --- |\n| 부서장")])
def test_a_row_names_its_columns_and_the_head_is_no_answer(table: str) -> None:
    assert texts("직원의 숙박비 한도는?", table) == [
        "부서장: 숙박비 한도(1박) 120,000원, 일비 30,000원",
        "직원: 숙박비 한도(1박) 90,000원",
    ]


@pytest.mark.parametrize(
    "rows",
    [
        ["| 부서장 | 120,000원 |", "| 직원 | 90,000원 |"],  # the head was left out
        ["| 구분 | 담당 |", "| 신고 | 준법감시인 |"],  # no figures: any row may be the head
        ["| 직급 | 숙박비 |", "| 직원 | 90,000원 | 1박 |"],  # rows of another width
        ["| 직급 | 숙박비 |"],
    ],
)
def test_rows_without_a_certain_head_are_all_candidates(rows: list[str]) -> None:
    assert len(texts("직원의 숙박비는?", "\n".join(["여비", *rows]))) == len(rows)


def test_a_line_between_two_tables_ends_the_first_one() -> None:
    rows = ["여비", "| 직급 | 숙박비 |", "| 직원 | 90,000원 |", "---", "| 부서장 | 5급 | 1박 |"]
    assert texts("숙박비는?", "\n".join(rows)) == ["직원: 숙박비 90,000원", "부서장: 5급, 1박"]
