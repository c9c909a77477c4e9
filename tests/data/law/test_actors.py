import pytest

from kofinlaw.data.law.actors import read_actors


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "금융회사 또는 전자금융업자는 금융위원회에 보고하여야 한다",
            [("금융회사", "agent"), ("전자금융업자", "agent"), ("금융위원회", "addressee")],
        ),
        ("금융위에 보고", [("금융위원회", "addressee")]),
        ("금융위원회의 승인을 받아야 한다", [("금융위원회", "approver")]),
        ("금융위원회에 의하여 지정된", [("금융위원회", "agent")]),
        ("은행과 이용자가", [("은행", "agent"), ("이용자", "agent")]),
        (
            "금융회사ㆍ전자금융업자 및 전자금융보조업자는",
            [("금융회사", "agent"), ("전자금융업자", "agent"), ("전자금융보조업자", "agent")],
        ),
        ("이용자의 개인정보를", [("이용자", "other")]),
        ("기간은 3개월로 한다", []),
    ],
)
def test_particles_decide_the_role(text, expected):
    assert [(actor.name, actor.role) for actor in read_actors(text)] == expected


def test_each_name_and_role_is_given_once():
    found = read_actors("은행은 통지하고, 은행은 기록을 이용자에게 준다")
    assert [(a.name, a.role) for a in found] == [("은행", "agent"), ("이용자", "addressee")]
