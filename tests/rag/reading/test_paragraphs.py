"""The paragraph that decides, and the words that it shares with the question."""

from __future__ import annotations

import pytest

from kofinlaw.rag.reading.paragraphs import MOST_ITEMS, deciding_paragraph, matching_words

RULE = """사고 대응 규정 제7조(보고)
① 담당자는 사고가 생기면 다음 각 호의 시간 안에 보고하여야 한다.
1. 1급 사고: 1시간 안에 은행장
2. 2급 사고: 3시간 안에 본부장
가. 야간에는 당직 책임자
② 은행장은 지체 없이 조치한다."""
OPENING, FIRST, SECOND, NIGHT, LAST = RULE.split("\n")[1:]


@pytest.mark.parametrize(
    ("question", "lines"),
    [
        ("1급 사고는 누구에게 알리는가?", [OPENING, FIRST]),
        ("2급 사고는 누구에게 알리는가?", [OPENING, SECOND, NIGHT]),
        ("사고가 생기면 담당자는 무엇을 하여야 하는가?", [OPENING, FIRST, SECOND, NIGHT]),
        ("2급 등 사고의 종류는?", [OPENING, FIRST, SECOND, NIGHT]),
        ("은행장은 지체 없이 무엇을 하는가?", [LAST]),
        ("xyz", [OPENING, FIRST, SECOND, NIGHT]),
    ],
)
def test_a_paragraph_is_whole_and_an_item_has_its_opening_sentence(
    question: str, lines: list[str]
) -> None:
    found = deciding_paragraph(question, RULE)
    assert (found.header, list(found.lines)) == ("사고 대응 규정 제7조(보고)", lines)


def test_the_answer_and_what_was_read_decide_between_lines() -> None:
    assert deciding_paragraph("누구에게?", RULE, "본부장").lines == (OPENING, SECOND, NIGHT)
    read = f"사고 대응 규정 제7조(보고)\n{LAST}"
    assert deciding_paragraph("1급 사고는?", RULE, read=read).lines == (LAST,)


def test_a_row_of_a_table_has_the_head_of_its_table() -> None:
    table = (
        "수수료표\n설명\n| 구분 | 수수료 |\n| --- | --- |\n| 창구 송금 | 1,000원 |\n| 이체 | 면제 |"
    )
    found = deciding_paragraph("창구 송금 수수료는?", table)
    assert found.lines == ("| 구분 | 수수료 |", "| 창구 송금 | 1,000원 |")


def test_a_long_list_says_how_many_items_are_left_out() -> None:
    items = "\n".join(f"{n}. 서류 {n}" for n in range(1, MOST_ITEMS + 4))
    found = deciding_paragraph("무엇을 보관하는가?", f"규정\n다음 각 호를 보관한다.\n{items}")
    assert (len(found.lines), found.left_out) == (MOST_ITEMS + 1, 3)
    assert deciding_paragraph("무엇?", "한 줄").lines == ("한 줄",)
    assert deciding_paragraph("무엇?", "").lines == ()


@pytest.mark.parametrize(
    ("text", "asked", "words"),
    [
        ("서류를 5년 동안 보관하여야 한다.", "서류의 보관 기간은?", ["서류", "보관"]),
        ("3시간 안에 보고하고 30분 안에 막는다.", "3시간 안에 보고하는가?", ["3시간", "보고"]),
        ("1,000원과 1000명", "1000원인가?", ["1,000원과"]),
        ("IPSec과 VPN", "ipsec 설정은?", ["IPSec"]),
        ("다음 각 호의 경우", "다음 중 어느 경우인가?", []),
        ("금융위원회와 금융회사", "금융회사는?", ["금융회사"]),
    ],
)
def test_words_are_compared_without_particles_and_endings(
    text: str, asked: str, words: list[str]
) -> None:
    assert [text[start:stop] for start, stop in matching_words(text, asked)] == words
