import pytest

from kofinlaw.augment.rewording.clause_order import front_adverbial, object_as_topic


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "감독원장은 결과를 신청인에게 통보하여야 한다",
            "결과는 감독원장이 신청인에게 통보하여야 한다",
        ),
        (
            "유동화회사는 자산유동화계획에 따라 사채를 발행할 수 있다",
            "사채는 유동화회사가 자산유동화계획에 따라 발행할 수 있다",
        ),
        # The object has a clause before it, or the verb between is not the main one.
        ("감독원장은 정한 기준을 공고하여야 한다", None),
        ("감독원장은 자료의 제출을 기간을 정하여 요구할 수 있다", None),
        ("감독원장은 사고가 발생한 때에는 결과를 공고하여야 한다", None),
        ("감독원장은 그 결과를 공고하여야 한다", None),
    ],
)
def test_a_plain_object_becomes_the_topic(text, expected):
    assert object_as_topic(text) == (expected or text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "감독위원회는 대통령령으로 정하는 바에 따라 조사를 한다",
            "대통령령으로 정하는 바에 따라 감독위원회는 조사를 한다",
        ),
        (
            "감독위원회는 신청을 받은 날부터 30일 이내에 결과를 알려야 한다",
            "신청을 받은 날부터 30일 이내에 감독위원회는 결과를 알려야 한다",
        ),
        # 설립한 has the purpose, not the main verb.
        ("감독위원회는 이용자의 이익을 위하여 설립한 법인을 감독한다", None),
    ],
)
def test_a_purpose_or_a_period_moves_before_the_subject(text, expected):
    assert front_adverbial(text) == (expected or text)
