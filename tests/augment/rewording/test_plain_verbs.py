import pytest

from kofinlaw.augment.rewording.plain_verbs import DUTIES, plain_verbs
from kofinlaw.augment.rewording.sentence_ends import ban, connected, duty, possibility


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("대표자를 선정하여야 한다", "대표자를 골라야 한다"),
        ("기간을 연장할 수 있다", "기간을 늘릴 수 있다"),
        ("기간이 경과한 때", "기간이 지난 때"),
        ("손해를 배상하고", "손해를 물어주고"),
        ("협회를 설립한다", "협회를 세운다"),
        ("위원회를 설치할 수 있다", "위원회를 둘 수 있다"),
        # The plain verb needs another object.
        ("전산설비를 설치할 수 있다", "전산설비를 설치할 수 있다"),
        ("계약을 이행하여야 한다", "계약을 이행하여야 한다"),
        ("주식을 취득한 자", "주식을 취득한 자"),
        ("취득한 주식", "취득한 주식"),
    ],
)
def test_a_plain_verb_has_the_same_ending_and_a_fitting_object(text, expected):
    assert plain_verbs(text) == expected


def test_every_plain_duty_can_be_written_with_의무():
    for old, (future, _) in DUTIES.items():
        if old != "해야 한다":
            assert duty(f"자료를 {old}") == f"자료를 {future} 의무가 있다"


def test_ends_are_written_in_another_way():
    assert ban("자료를 없애서는 아니 된다") == "자료를 없애는 것이 금지된다"
    assert ban("자료를 폐기하여서는 아니 된다") == "자료를 폐기하는 것이 금지된다"
    assert possibility("위원을 둘 수 있다") == "위원을 두는 것이 가능하다"


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("보고한다", "보고하지만"),
        ("할 수 있다", "할 수 있지만"),
        ("받는다", "받지만"),
        ("아니 된다", "아니 되지만"),
        ("사람", ""),
    ],
)
def test_a_sentence_is_connected_with_the_next(sentence, expected):
    assert connected(sentence, "지만") == expected
