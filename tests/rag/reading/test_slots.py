"""Slots of a sentence, and which of them a line contradicts."""

from __future__ import annotations

import pytest

from kofinlaw.rag.reading.slots import SLOT_KINDS, contradictions, find_slots

LINE = "금융회사는 「가람법」에 따라 매년 7일 이내에 대통령령으로 정하는 바에 따라 신고하여야 한다."


def _kinds(statement: str, line: str = LINE) -> set[str]:
    return {kind for kind, number in contradictions(statement, line).items() if number}


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("7일", "10일", "figure"),
        ("이내", "초과", "bound"),
        ("대통령령", "총리령", "instrument"),
        ("「가람법」", "「나래법」", "act"),
        ("금융회사는", "금융위원회는", "actor"),
        ("매년", "매월", "frequency"),
        ("금융회사는", "모든 금융회사는", "universal"),
        ("신고하여야 한다", "신고하지 않는다", "negation"),
    ],
)
def test_one_changed_slot_is_the_only_contradiction(old: str, new: str, kind: str) -> None:
    assert old in LINE
    assert _kinds(LINE.replace(old, new)) == {kind}


def test_a_line_does_not_contradict_itself_or_a_part_of_itself() -> None:
    assert _kinds(LINE) == set()
    assert _kinds("금융회사는 7일 이내에 신고하여야 한다.") == set()


def test_a_slot_that_the_line_does_not_fill_is_no_contradiction() -> None:
    assert _kinds("금융위원회는 3개월마다 총리령으로 정한다.", "신고하여야 한다.") == set()


def test_dots_and_quotes_of_other_fonts_are_the_same() -> None:
    assert (
        _kinds("'가람법'에 따라 시⋅도지사는 신고한다.", "「가람법」에 따라 시ㆍ도지사는 신고한다.")
        == set()
    )


def test_amounts_keep_their_large_units() -> None:
    assert [one.value for one in find_slots("5천만원 이하의 과태료").quantities] == [50_000_000]
    assert _kinds("3천만원 이하의 벌금", "5천만원 이하의 벌금") == {"figure"}
    assert _kinds("1,000원", "1000원") == set()


def test_exchanged_actors_contradict_the_subject() -> None:
    line = "금융회사는 금융위원회에 신고하여야 한다."
    assert _kinds("금융위원회는 금융회사에 신고하여야 한다.", line) == {"subject"}
    assert _kinds("신고는 금융회사가 금융위원회에 하여야 한다.", line) == set()


def test_articles_are_not_figures() -> None:
    assert find_slots("제12조제1항에 따른 사항").quantities == ()


def test_every_kind_is_counted() -> None:
    assert tuple(contradictions("", "")) == SLOT_KINDS
