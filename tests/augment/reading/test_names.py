from kofinlaw.augment.reading.names import acting_subject, addressees, is_name, subject


def test_who_is_named_with_another_or_as_part_of_a_phrase_is_no_addressee():
    asked = (
        "정부는 유출을 막기 위하여 정보통신서비스 제공자 또는 이용자에게 조치를 하도록 할 수 있다."
    )
    assert addressees(asked) == []
    part = "집중기관은 제공받은 정보를 신용정보의 이용자에게 제공할 수 있다."
    assert addressees(part) == []
    assert addressees("집중기관은 정보를 이용자에게 제공할 수 있다.") == ["이용자"]


def test_a_clause_or_a_market_is_no_party():
    assert not is_name("매각대금이 지급되면 법원")
    assert not is_name("매각허가결정이 확정되면 법원")
    assert not is_name("해당 금융회사")
    assert not is_name("거래소시장")
    assert is_name("정보통신서비스 제공자")
    assert is_name("금융회사 및 전자금융업자")


def test_a_topic_that_does_nothing_is_no_acting_subject():
    assert acting_subject("금융위원회는 감독원장에게 보고하여야 한다.") == "금융위원회"
    for sentence in (
        "감사는 공사가 선임한다.",
        "감독위원회는 3명 이상의 위원으로 구성하되, 임기를 정하여야 한다.",
        "예금보험공사는 이 법과 정관으로 정하는 바에 따라 운영한다.",
        "금융위원회는 재적위원 과반수의 찬성으로 의결한다.",
    ):
        assert subject(sentence)
        assert acting_subject(sentence) == ""
