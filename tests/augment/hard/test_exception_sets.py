import pytest

from kofinlaw.augment.hard.exception_sets import generate
from kofinlaw.augment.reading.acts import read_laws

RULE = "결제업자는 이용자의 거래기록을 감독원장에게 매달 보고하여야 한다."
ACT = f"""
##### 제1조 (보고)

**①** {RULE} 다만, 전산설비의 고장이 신고된 경우에는 그러하지 아니하다.
**②** 감독원장은 결제업자가 장부를 새로 만드는 경우에는 표지에 날짜를 적게 할 수 있다.
"""
LISTED = f"""
##### 제1조 (보고)

**①** {RULE} 다만, 다음 각 호의 어느 하나에 해당하는 경우에는 그러하지 아니하다.
  1\\. 전산설비의 고장이 신고된 경우
  2\\. 결제업자의 폐업이 공고된 경우
"""


def drafts(parse, text, kind="slot_exception"):
    laws = read_laws(parse("결제업법", text))
    found = [d for seed in range(8) for d in generate(laws.acts[0], laws, seed)]
    return [d for d in found if d.kind == kind]


@pytest.mark.parametrize("text", [ACT, LISTED])
def test_the_rule_holds_except_in_its_case(parse, text):
    found = drafts(parse, text)
    assert found
    forms = set()
    for draft in found:
        key = draft.answer
        denied = "되지 않" in key or "되지 아니" in key
        excepted = "예외" in key
        # Either the case is excepted, or the rule holds in the opposite case.
        assert denied != excepted, key
        forms.add(excepted)
        for option in draft.distractors:
            assert option != key
            assert "장부" in option or ("되지 않" in option or "되지 아니" in option) == (
                "예외" in option
            ), option
    assert forms == {True, False}


def test_a_rule_with_a_limiting_bracket_or_a_vague_case_gives_no_question(parse):
    assert not drafts(parse, ACT.replace("감독원장에게 매달", "감독원장(부원장은 제외한다)에게"))
    assert not drafts(parse, ACT.replace("전산설비의 고장이 신고된", "해당 고장이 신고된"))


def test_a_rule_holds_in_its_case_and_not_in_the_opposite_one(parse):
    text = (
        "##### 제1조 (반납)\n\n**①** 결제업자는 결제업의 등록이 취소된 경우에는 등록증을 "
        "감독위원회에 지체 없이 반납하여야 한다.\n"
    )
    found = drafts(parse, text, "slot_condition")
    assert len({"예외" in d.answer for d in found}) == 2
    for draft in found:
        # A rule of the opposite case, or an exception of the rule's own case, is false.
        for option in (draft.answer, *draft.distractors):
            denied = "취소되지" in option
            assert (option == draft.answer) == (denied == ("예외" in option)), option
