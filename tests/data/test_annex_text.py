"""Lines of an annex that repeat its name, and annexes that were deleted."""

from __future__ import annotations

import pytest

from kofinlaw.data.annex_text import deletion, lines_of_name
from kofinlaw.data.law.annexes import Annex

ANNEX = Annex("별표 3", "자산건전성 분류기준(제7조 관련)", "가람업감독규정")


def test_lines_with_only_name_or_title_are_found():
    lines = [
        "# [별표 3] 자산건전성 분류기준",
        "■ 가람업감독규정 [별표 3]",
        "자산건전성 분류기준",
        "(제7조 관련)",
        "자산",
        "1. 자산건전성 분류단계별 정의",
    ]
    assert lines_of_name(lines, ANNEX) == {0, 1, 2, 3}


def test_a_later_line_is_text():
    lines = [*(f"{n}. 정의" for n in range(1, 7)), "자산건전성 분류기준"]
    assert lines_of_name(lines, ANNEX) == frozenset()


@pytest.mark.parametrize(
    "lines, raw, wanted",
    [
        (["삭제"], "<별표 8> <삭제 2021.3.25.>", "삭제 <2021-03-25>"),
        (["<별표 10> 삭제 < 2011.3.22 >"], "<별표 10> 삭제 < 2011.3.22 >", "삭제 <2011-03-22>"),
        (["[별표 16]", "삭제"], "[별표 16]\n<삭제>", "삭제"),
        (
            ["<별표 5> 삭제", "변경승인요건"],
            "<별표 5> <삭제 2016.7.28.>\n변경승인요건",
            "삭제 <2016-07-28>",
        ),
        (["1. 삭제", "2. 은행은 보고한다."], "1. 삭제\n2. 은행은 보고한다.", None),
        (["삭제", *(f"{n}. 항목" for n in range(9))], "", None),
    ],
)
def test_a_deleted_annex_says_since_when(lines, raw, wanted):
    assert deletion(lines, raw) == wanted


def test_a_deleted_part_does_not_delete_a_long_text_above_it():
    lines = [
        "[별표 1] 과태료",
        "과태료는 위반행위의 횟수에 따라 부과한다. " * 20,
        "삭제 <2016.7.28.>",
    ]
    assert deletion(lines, "\n".join(lines)) is None
