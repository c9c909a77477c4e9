import pytest

from kofinlaw.augment.reading.phrasing import (
    as_modifier,
    as_question,
    as_quotation,
    joins_another_subject,
    leaves_only_list,
    list_noun,
    subordinate,
)


@pytest.mark.parametrize(
    ("sentence", "question", "modifier"),
    [
        ("은행은 알려야 한다.", "은행은 알려야 하는가?", "은행은 알려야 하는"),
        ("금액은 5억원이다.", "금액은 5억원인가?", "금액은 5억원인"),
        ("책임을 진다.", "책임을 지는가?", "책임을 지는"),
        ("승인을 받는다.", "승인을 받는가?", "승인을 받는"),
        ("거부할 수 없다.", "거부할 수 없는가?", "거부할 수 없는"),
        ("그러하지 아니하다.", "", ""),
        ("다음 각 호와 같음", "", ""),
    ],
)
def test_a_sentence_becomes_a_question_or_a_modifier(sentence, question, modifier):
    assert as_question(sentence) == question
    assert as_modifier(sentence) == modifier


def test_a_sentence_is_quoted_by_its_ending():
    assert as_quotation("은행은 알려야 한다.") == "은행은 알려야 한다고"
    assert as_quotation("금액은 5억원이다.") == "금액은 5억원이라고"
    assert as_quotation("다음과 같음") == ""


def test_a_subject_takes_the_particle_of_a_clause():
    assert subordinate("금융위원회는 취소할 수 있다.") == "금융위원회가 취소할 수 있다."
    assert subordinate("신청서에는 도면을 붙인다.") == "신청서에 도면을 붙인다."
    assert subordinate("매년 한 번 알린다.") == "매년 한 번 알린다."


@pytest.mark.parametrize(
    ("lead", "found"),
    [
        (
            "금융위원회는 다음 각 호의 어느 하나에 해당하는 경우에는 조정을 거부할 수 있다.",
            ("금융위원회가 조정을 거부할 수 있는", "경우"),
        ),
        (
            "다음 각 호의 어느 하나에 해당하는 사람은 임원이 될 수 없다.",
            ("임원이 될 수 없는", "사람"),
        ),
        ("법원은 다음 각 호의 사항을 기재한 서면을 작성하여야 한다.", None),
        ("채권자집회는 다음 각 호의 사항에 관하여 결의를 할 수 있다.", None),
        ("다음 각 호의 구분에 따른다.", None),
    ],
)
def test_a_list_is_named_by_its_noun_where_the_sentence_allows(lead, found):
    assert list_noun(lead) == found


@pytest.mark.parametrize(
    ("sentence", "joins"),
    [
        ("자료를 요청할 수 있으며, 제출에 걸리는 기간은 심의 기간에 넣지 아니한다.", True),
        ("위원으로 구성하고, 감독위원회가 이를 소집한다.", True),
        ("보고서를 작성하고 제2항의 경우에는 이를 통지하여야 한다.", False),
        ("장부를 적고 보존하여야 한다.", False),
        ("금융업을 하고자 하는 자에게 알려야 한다.", False),
    ],
)
def test_a_second_half_with_its_own_subject_gives_no_phrase_before_a_noun(sentence, joins):
    assert joins_another_subject(sentence) == joins
    assert bool(as_modifier(sentence)) != joins


def test_a_list_that_defines_a_term_asks_for_the_term():
    lead = '법 제2조에서 "대통령령으로 정하는 자"란 다음 각 호의 어느 하나에 해당하는 자를 말한다.'
    assert list_noun(lead) == ("법 제2조의", '"대통령령으로 정하는 자"')
    assert list_noun("이 영에서 정하는 것은 다음 각 호의 사항을 말한다.") is None


def test_a_topic_after_another_particle_is_no_subject():
    assert subordinate("은행에서는 장부를 보존한다.") == "은행에서 장부를 보존한다."


def test_a_sentence_that_only_opens_a_list_says_nothing():
    assert leaves_only_list("다음 각 호의 사항을 협의ㆍ조정한다.")
    assert leaves_only_list("다음 각 호의 어느 하나에 해당하는 자는 10년 이하의 징역에 처한다.")
    assert not leaves_only_list(
        "자산건전성 분류업무와 관련하여 다음 각 호의 사항을 보고하여야 한다."
    )
    assert not leaves_only_list("매년 결과를 보고하여야 한다.")
