import pytest

from kofinlaw.augment.reading.kinds import noun_class, party_class


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("금융감독원장이 추천하는 사람 1명", "person"),
        ("등록을 신청한 자", "person"),
        ("「은행법」에 따른 은행", "body"),
        ("전자금융업자", "body"),
        ("거래기록에 관한 정보", "data"),
        ("등기사항증명서", "document"),
        ("조합의 사업에 대한 지원", "act"),
        ("출자 1좌의 금액", "amount"),
        ("자금의 조달방법이 적정할 것", "requirement"),
        ("신청인이 소재불명인 때", "case"),
        ("주된 영업소", "place"),
    ],
)
def test_the_last_noun_decides_the_class(text, kind):
    assert noun_class(text) == kind


def test_an_unknown_noun_is_of_the_class_of_itself_only():
    assert noun_class("물건의 숨은 하자") == "하자"
    assert noun_class("물건의 숨은 하자") != noun_class("운송물의 고유한 성격")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("금융위원회", "state"),
        ("감사위원회", "officer"),
        ("이사회", "officer"),
        ("보험회사", "body"),
        ("보험계약자", "private"),
        ("주주", "private"),
        ("바다", ""),
    ],
)
def test_parties_have_a_class(name, kind):
    assert party_class(name) == kind
