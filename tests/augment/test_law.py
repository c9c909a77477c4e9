from kofinlaw.augment.law import read_laws

ACT = """
##### 제2조 (정의)

이 법에서 사용하는 용어의 뜻은 다음과 같다.

  5\\. "신용정보회사"란 허가를 받은 자로서 다음 각 목의 자를 말한다.
    가\\. 개인신용평가회사: 개인신용평가업 허가를 받은 자
    나\\. 신용조사회사: 신용조사업 허가를 받은 자
  6\\. "신용정보집중기관"이란 신용정보를 집중하여 관리하는 자로서 허가받은 자를 말한다.
  7\\. "통신과금서비스"란 정보통신서비스로서 대가를 청구하는 업무를 말한다.

##### 제15조 (수집의 원칙)

**①** 신용정보회사, 채권추심회사, 신용정보집중기관 및 신용정보제공자(이하 "신용정보회사등"이라 한다)는 신용정보를 정확하게 처리하여야 한다.
**②** 금융위원회는 신용정보회사등에게 자료의 제출을 요구할 수 있다.
**③** 수탁자에 관하여는 제1항을 준용한다. 이 경우 "신용정보회사등"은 "수탁자"로 본다.
"""
DECREE = """
##### 제3조 (삭제)

**①** 신용정보제공자는 신용정보를 삭제하여야 한다.
"""


def test_who_is_within_whom_follows_definitions_through_their_items(parse):
    act, decree = read_laws([*parse("신용법", ACT), *parse("신용법 시행령", DECREE)]).acts
    assert act.one_is_the_other("신용정보회사등", "신용정보회사")
    assert act.one_is_the_other("개인신용평가회사", "신용정보회사등")
    assert not act.one_is_the_other("금융위원회", "신용정보회사등")
    assert decree.one_is_the_other("신용정보회사등", "신용정보제공자")
    assert not decree.one_is_the_other("신용정보회사등", "이용자")


def test_a_kind_of_a_party_and_a_party_read_for_another_are_no_rivals_of_it(parse):
    act, decree = read_laws([*parse("신용법", ACT), *parse("신용법 시행령", DECREE)]).acts
    for law in (act, decree):
        assert law.one_is_the_other("신용정보회사등", "종합신용정보집중기관")
        assert law.one_is_the_other("통신과금서비스제공자", "정보통신서비스 제공자")
        assert law.one_is_the_other("수탁자", "신용정보회사등")
    assert not act.one_is_the_other("수탁자", "금융위원회")
    assert not act.one_is_the_other("통신과금서비스이용자", "정보통신서비스 제공자")
