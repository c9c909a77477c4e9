import pytest

from kofinlaw.augment.rewording.noun_phrases import (
    drop_genitive,
    join_nouns,
    reverse_lists,
    split_verbs,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("신청인은 성명 및 주소를 적는다", "신청인은 주소 및 성명을 적는다"),
        ("법인, 단체 또는 조합이 신청한다", "조합, 단체 또는 법인이 신청한다"),
        # A modifier may belong to the first item only; a figure, an adverb and a longer item stay.
        ("정관으로 정한 법인 또는 단체를 등록한다", None),
        ("그 자는 법인 또는 대통령령으로 정하는 단체에 한정한다", None),
        ("무기 또는 3년 이상의 징역에 처한다", None),
        ("경제적ㆍ기술적으로 가능한 범위", None),
        ("정보처리 시스템 및 자료를 보관한다", None),
        ("원장ㆍ부원장과 직원은 겸직하지 못한다", None),
    ],
)
def test_a_list_of_nouns_is_reversed(text, expected):
    assert reverse_lists(text) == (expected or text)


def test_two_verbs_of_a_duty_are_joined_and_those_of_a_ban_are_alternatives():
    assert split_verbs("자료를 조사ㆍ분석하여야 한다") == "자료를 조사하고 분석하여야 한다"
    assert split_verbs("자료를 위조ㆍ변조하여서는 아니 된다") == (
        "자료를 위조하거나 변조하여서는 아니 된다"
    )
    assert split_verbs("자료를 조사ㆍ분석하는 경우") == "자료를 조사ㆍ분석하는 경우"


def test_two_verbs_are_not_joined_as_nouns():
    assert join_nouns("제공 및 제출받은 자료") == "제공 및 제출받은 자료"


def test_no_third_particle_follows_a_joined_pair():
    assert join_nouns("장관과 위원회 및 원장은 협의한다") == "장관과 위원회 및 원장은 협의한다"


def test_the_genitive_stays_after_another_noun():
    assert drop_genitive("자료의 제출을 요구한다") == "자료 제출을 요구한다"
    assert drop_genitive("문서 또는 자료의 제출을 요구한다") == "문서 또는 자료의 제출을 요구한다"
