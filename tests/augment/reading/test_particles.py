import pytest

from kofinlaw.augment.reading.particles import (
    follow,
    has_pair,
    has_topic,
    in_both_forms,
    replace_span,
    topic_as_subject,
)


@pytest.mark.parametrize(
    ("text", "old", "new", "expected"),
    [
        ("3분의 1 이상이 요구할 때", "이상", "이하", "3분의 1 이하가 요구할 때"),
        ("9명 이상은 참석한다", "이상", "이하", "9명 이하는 참석한다"),
        ("10억원 이하를 넘긴다", "이하", "이상", "10억원 이상을 넘긴다"),
        ("2주가 지난 때", "2주", "10일", "10일이 지난 때"),
        ("10일이 지난 날", "10일", "2주", "2주가 지난 날"),
        ("10일 이내에", "10일", "2주", "2주 이내에"),
        ("5명이상의 위원", "5명", "3인", "3인이상의 위원"),
        ("은행은 보고한다", "은행", "회사", "회사는 보고한다"),
        ("10일로 한다", "10일", "3개월", "3개월로 한다"),
        ("10억원 이상으로서 정한다", "이상", "이하", "10억원 이하로서 정한다"),
        ("10억원 이상인 자", "이상", "이하", "10억원 이하인 자"),
        ("50조원 이상이고", "이상", "이하", "50조원 이하이고"),
    ],
)
def test_a_swapped_word_takes_its_particle(text, old, new, expected):
    start = text.index(old)
    assert replace_span(text, start, start + len(old), new) == expected


def test_a_particle_is_written_in_both_forms_where_the_options_differ():
    assert has_pair(["10일", "20일"], "이 지난")
    assert not has_pair(["10일", "2주"], "이 지난")
    assert in_both_forms("이 지난") == "이(가) 지난"
    assert in_both_forms("으로 한다") == "(으)로 한다"
    assert in_both_forms(" 이내") == " 이내"
    assert follow("금고", "은 알린다") == "금고는 알린다"


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("금고는 회원의 이용에 지장이 없는 범위에서 대통령령으로 정하는 경우", True),
        ("허가에는 조건을 붙일 수 있으며 허가를 거부하는 경우", True),
        ("대통령령으로 정하는 경우", False),
        ("천재지변으로 알릴 수 없는 경우", False),
    ],
)
def test_a_topic_is_told_from_the_ending_of_a_verb(text, topic):
    assert has_topic(text) == topic


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("은행은", "은행이"),
        ("제출에 걸리는 기간은", "제출에 걸리는 기간이"),
        ("출자증권에는", "출자증권에"),
        ("은행에서는", "은행에서"),
        ("은행에게는", "은행에게"),
        ("서면으로는", "서면으로"),
        ("도로는", "도로가"),
        ("무게는", "무게가"),
    ],
)
def test_a_topic_becomes_a_subject_only_after_a_noun(words, expected):
    assert topic_as_subject(words) == expected
