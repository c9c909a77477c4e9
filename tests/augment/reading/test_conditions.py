import pytest

from kofinlaw.augment.reading.conditions import condition_of, opposite


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("승인을 받은 경우", "승인을 받지 아니한 경우"),
        ("검사를 한 때", "검사를 하지 아니한 때"),
        ("요건에 해당하는 경우", "요건에 해당하지 아니하는 경우"),
        ("부칠 필요가 있는 경우", "부칠 필요가 없는 경우"),
        ("이의가 없을 때", "이의가 있을 때"),
        ("상호가 변경된 경우", "상호가 변경되지 아니한 경우"),
        # Already a denial, several verbs, or no opposite that says anything.
        ("부본을 송달하지 아니한 경우", ""),
        ("정당한 사유 없이 거부한 경우", ""),
        ("위조하거나 변조한 경우", ""),
        ("심사에 필요한 경우", ""),
        ("등록을 하려는 경우", ""),
        ("사용자인 경우", ""),
    ],
)
def test_the_opposite_denies_one_verb(case, expected):
    assert opposite(case) == expected


@pytest.mark.parametrize(
    ("sentence", "case", "rest"),
    [
        (
            "감독원은 검사를 마친 경우에는 보고서를 위원회에 내야 한다.",
            "검사를 마친 경우",
            "보고서를 위원회에 내야 한다",
        ),
        (
            "이용자가 요청한 때에는 업자는 서면을 교부하여야 한다.",
            "이용자가 요청한 때",
            "업자는 서면을 교부하여야 한다",
        ),
    ],
)
def test_the_only_condition_of_a_rule_is_found(sentence, case, rest):
    found = condition_of(sentence)
    assert (found.case, found.rest) == (case, rest)
    assert sentence[found.start : found.end] == case


@pytest.mark.parametrize(
    "sentence",
    [
        "감독원은 보고서를 위원회에 내야 한다.",
        "감독원은 이 경우에는 보고서를 위원회에 내야 한다.",
        "감독원은 필요하다고 인정하는 경우에는 보고서를 위원회에 내야 한다.",
        "감독원은 검사를 마친 경우에는 사고가 난 때에는 보고서를 내야 한다.",
        "감독원은 금고는 검사를 받은 경우에는 보고서를 위원회에 내야 한다.",
    ],
)
def test_no_condition_and_several_give_none(sentence):
    assert condition_of(sentence) is None
