from kofinlaw.augment.reading.names import addressees


def test_who_is_named_with_another_or_as_part_of_a_phrase_is_no_addressee():
    asked = (
        "정부는 유출을 막기 위하여 정보통신서비스 제공자 또는 이용자에게 조치를 하도록 할 수 있다."
    )
    assert addressees(asked) == []
    part = "집중기관은 제공받은 정보를 신용정보의 이용자에게 제공할 수 있다."
    assert addressees(part) == []
    assert addressees("집중기관은 정보를 이용자에게 제공할 수 있다.") == ["이용자"]
