import random

from kofinlaw.augment.generators.false_conditions import other_cases
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.reading.conditions import condition_of

NEAR = ["속임수로 등록을 받은 경우", "이용자의 돈을 빼돌린 경우", "필요하다고 인정하는 경우"]


def cases(parse, second):
    text = (
        "##### 제1조 (취소)\n\n"
        "**①** 감독위원회는 장부를 숨긴 사실이 드러난 경우에는 등록을 취소하여야 한다.\n"
        f"**②** {second}\n"
    )
    law = read_laws(parse("결제업법", text)).acts[0]
    clause = law.clauses[0]
    return other_cases(law, clause, condition_of(clause.main), NEAR, random.Random(1))


def test_conditions_of_other_rules_and_their_opposites_are_no_condition_of_the_rule(parse):
    found = cases(parse, "감독원장은 속임수로 등록을 받은 경우에는 벌점을 매긴다.")
    assert set(found) == {
        "속임수로 등록을 받은 경우",
        "속임수로 등록을 받지 아니한 경우",
        "이용자의 돈을 빼돌린 경우",
    }


def test_a_condition_that_another_rule_of_the_same_effect_names_is_left_out(parse):
    found = cases(parse, "감독위원회는 속임수로 등록을 받은 경우에는 등록을 취소하여야 한다.")
    assert set(found) == {"이용자의 돈을 빼돌린 경우"}
