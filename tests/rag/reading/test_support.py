"""Support of options by the lines of the evidence."""

from __future__ import annotations

import random

import pytest

from kofinlaw.rag.reading.support import option_support, read_options

PASSAGES = [
    """가람법 제3조(신고)
① 금융회사는 사고가 발생한 날부터 7일 이내에 금융위원회에 신고하여야 한다.
② 금융회사는 신고한 내용을 5년간 보존하여야 한다.""",
    """가람법 제4조(공시)
① 금융위원회는 신고받은 내용을 매년 공시하여야 한다.""",
]
STEM = "「가람법」 제3조의 신고에 관한 설명으로 옳은 것은?"
RIGHT = "금융회사는 사고가 발생한 날부터 7일 이내에 신고하여야 한다."
WRONG = [
    "금융회사는 사고가 발생한 날부터 10일 이내에 신고하여야 한다.",
    "금융위원회는 사고가 발생한 날부터 7일 이내에 신고하여야 한다.",
    "금융회사는 사고가 발생한 날부터 7일 이내에 신고하지 않아도 된다.",
]


def test_options_that_change_one_slot_have_less_support() -> None:
    values = read_options(STEM, [RIGHT, *WRONG], PASSAGES)
    assert values.index(max(values)) == 0
    found = option_support(STEM, [RIGHT, *WRONG], PASSAGES)
    assert [one.contradicted for one in found] == [(), ("figure",), ("subject",), ("negation",)]
    assert found[0].line is not None
    assert found[0].line.article == "제3조"


def test_values_follow_their_options_and_passages_may_come_in_any_order() -> None:
    options = [RIGHT, *WRONG]
    values = dict(zip(options, read_options(STEM, options, PASSAGES), strict=True))
    for seed in range(5):
        shuffled = random.Random(seed).sample(options, len(options))
        again = read_options(STEM, shuffled, PASSAGES[::-1])
        assert again == pytest.approx([values[option] for option in shuffled])


def test_the_cited_article_decides_between_equal_lines() -> None:
    passages = ["가람법 제1조(가)\n① 보존한다.", "가람법 제2조(나)\n① 보존한다."]
    first = option_support("제1조에 관하여", ["보존한다."], passages)[0]
    second = option_support("제2조에 관하여", ["보존한다."], passages)[0]
    assert first.line is not None
    assert second.line is not None
    assert (first.line.article, second.line.article) == ("제1조", "제2조")


def test_without_passages_every_option_has_no_support() -> None:
    assert read_options(STEM, [RIGHT, *WRONG], []) == [0.0] * 4
    assert read_options(STEM, ["", "가"], PASSAGES)[0] <= 1.0


def test_combinations_are_read_by_their_statements() -> None:
    stem = f"옳은 것을 모두 고르면?\nㄱ. {RIGHT}\nㄴ. {WRONG[0]}\nㄷ. 금융위원회는 매년 공시하여야 한다."
    values = read_options(stem, ["ㄱ, ㄴ", "ㄱ, ㄷ", "ㄴ, ㄷ"], PASSAGES)
    assert values.index(max(values)) == 1
