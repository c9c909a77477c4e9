import random

import pytest

from kofinlaw.augment.hard.condition_slots import false_cases
from kofinlaw.augment.hard.facts import clause_facts
from kofinlaw.augment.reading.acts import read_laws


def slot(parse, sentence):
    laws = read_laws(parse("결제업법", f"##### 제1조 (등록)\n\n**①** {sentence}\n"))
    law = laws.acts[0]
    (fact,) = clause_facts(law, "결제업법 제1조")
    return false_cases(law, fact.clause, fact.text, random.Random(1))


def test_a_duty_has_its_case_and_the_opposite_one(parse):
    here, wrong = slot(
        parse, "결제업자는 등록이 취소된 경우에는 등록증을 감독위원회에 반납하여야 한다."
    )
    assert here.case == "등록이 취소된 경우"
    assert wrong == ("등록이 취소되지 아니한 경우",)


@pytest.mark.parametrize(
    "sentence",
    [
        # Anybody may do what no law forbids.
        "이용자는 등록이 취소된 경우에는 손해의 배상을 업자에게 청구할 수 있다.",
        # What is forbidden in one case may be forbidden in others.
        "결제업자는 등록이 취소된 경우에는 새 계약을 체결하여서는 아니 된다.",
        # The condition said what is done in writing.
        "협회는 이용자에게 심사의 결과를 통보하는 경우에는 문서로 하여야 한다.",
        # The condition is that of the insurance.
        "퇴직보험은 이용자가 퇴직하는 경우 돈을 받을 수 있도록 하는 보험으로 요건을 갖추어야 한다.",
        # The rule needs its case: there is no 그 신고.
        "감독위원회는 등록의 신고를 받은 경우에는 그 신고를 수리하여야 한다.",
    ],
)
def test_a_rule_that_may_hold_in_another_case_has_no_slot(parse, sentence):
    assert slot(parse, sentence) is None
