import pytest

from kofinlaw.augment.reading.phrasing import (
    as_modifier,
    as_question,
    as_quotation,
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
