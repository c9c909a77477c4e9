from kofinlaw.augment.reading.acts import read_laws

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
    assert act.parties.overlap("신용정보회사등", "신용정보회사")
    assert act.parties.overlap("개인신용평가회사", "신용정보회사등")
    assert not act.parties.overlap("금융위원회", "신용정보회사등")
    assert decree.parties.overlap("신용정보회사등", "신용정보제공자")
    assert not decree.parties.overlap("신용정보회사등", "이용자")


def test_a_kind_of_a_party_and_an_equated_party_overlap_with_it(parse):
    act, decree = read_laws([*parse("신용법", ACT), *parse("신용법 시행령", DECREE)]).acts
    for law in (act, decree):
        assert law.parties.overlap("신용정보회사등", "종합신용정보집중기관")
        assert law.parties.overlap("통신과금서비스제공자", "정보통신서비스 제공자")
        assert law.parties.overlap("수탁자", "신용정보회사등")
    assert not act.parties.overlap("수탁자", "금융위원회")
    assert not act.parties.overlap("통신과금서비스이용자", "정보통신서비스 제공자")


def parties(parse, *paragraphs):
    marked = zip("①②③④⑤⑥", paragraphs, strict=False)
    body = "\n".join(f"**{mark}** {text}" for mark, text in marked)
    return read_laws(parse("법", f"##### 제1조 (당사자)\n\n{body}\n")).acts[0].parties


def test_a_body_that_is_appointed_another_is_that_one_and_who_appoints_is_not(parse):
    found = parties(
        parse,
        '장관은 진흥원법에 따른 한국인터넷진흥원(이하 "한국인터넷진흥원"이라 한다)을 인정하는 '
        '기관(이하 "인정기관"이라 한다)으로 지정할 수 있다.',
    )
    assert found.overlap("인정기관", "한국인터넷진흥원")
    assert not found.overlap("인정기관", "장관")


def test_who_is_only_mentioned_in_a_definition_is_no_case_of_it(parse):
    found = parties(
        parse,
        '금융위원회가 정하는 바에 따라 금융회사 또는 전자금융업자와 계약한 자(이하 "이용자"라 한다)'
        "는 이를 알려야 한다.",
        '금융회사 및 전자금융업자(이하 "금융회사등"이라 한다)는 이를 알려야 한다.',
    )
    for name in ("금융위원회", "금융회사", "전자금융업자", "금융회사등"):
        assert not found.overlap("이용자", name)
    assert found.overlap("금융회사등", "금융회사")


def test_two_names_that_stand_for_the_same_party_in_part_are_alike(parse):
    found = parties(
        parse,
        '"전자금융업자"란 허가를 받은 자를 말한다.',
        '금융회사 및 전자금융업자(이하 "금융회사등"이라 한다)는 이를 알려야 한다.',
        '금융위원회에 등록한 전자금융업자(이하 "선불업자"라 한다)는 이를 알려야 한다.',
        "금융위원회(여신에 관하여는 금융감독원장을 말한다)는 이를 알려야 한다.",
        "관리 전문기관은 다음 각 호와 같이 구분한다.\n  1\\. 중계전문기관: 중계하는 자",
        "소위원회가 의결한 것은 보호위원회가 의결한 것으로 본다.",
    )
    assert found.overlap("금융회사등", "선불업자")
    assert found.overlap("금융회사 및 채권자", "금융회사등")
    assert found.overlap("금융위원회", "금융감독원장")
    assert found.overlap("관리 전문기관", "중계전문기관")
    assert found.overlap("소위원회", "보호위원회")
    assert not found.overlap("금융위원회", "선불업자")


def test_the_state_and_its_organs_and_roles_of_one_person_are_alike(parse):
    found = parties(parse, "정부는 노력하여야 한다.")
    assert found.overlap("국가", "과학기술정보통신부장관")
    assert found.overlap("정부", "국가와 지방자치단체")
    assert found.overlap("정부", "제공중지요청기관")
    assert not found.overlap("명예훼손분쟁조정부", "과학기술정보통신부장관")
    assert found.overlap("지급인", "이용자")
    assert not found.overlap("신용정보제공ㆍ이용자", "신용정보주체")


def test_any_body_may_be_what_a_definition_opens_to_all_bodies(parse):
    found = parties(
        parse,
        '"개인정보처리자"란 개인정보를 처리하는 공공기관, 법인, 단체 및 개인 등을 말한다.',
        "보호위원회는 「정부조직법」 제2조에 따른 중앙행정기관으로 본다.",
    )
    assert found.may_hold_for("인증기관", "개인정보처리자")
    assert found.may_hold_for("보호위원회", "개인정보처리자")
    assert found.may_hold_for("법원", "개인정보처리자")
    assert found.may_hold_for("정부", "개인정보처리자")
    assert not found.may_hold_for("개인정보처리자", "인증기관")
    assert not found.may_hold_for("정보주체", "개인정보처리자")
    assert found.may_hold_for("수탁자", "정보주체")
    assert found.may_hold_for("인증기관", "대리인")


def test_a_party_and_its_short_name_overlap(parse):
    text = """
##### 제1조 (의무)

**①** 전자화폐를 발행하는 전자금융업자(이하 "전자화폐발행자"라 한다)는 기록을 보존하여야 한다.
**②** 전자화폐발행자는 이용자의 요청에 따라 전자화폐를 현금으로 교환하여야 한다.
**③** 전자금융업자는 이용자에게 그 결과를 알려야 한다.
"""
    law = read_laws(parse("법", text)).acts[0]
    assert law.parties.overlap("전자화폐발행자", "전자금융업자")
    assert not law.parties.overlap("전자화폐발행자", "이용자")


def test_a_body_overlaps_with_its_head_its_organs_and_general_names(parse):
    found = parties(
        parse,
        '"여신전문금융업"이란 신용카드업, 할부금융업 또는 시설대여업을 말한다.',
        '공사는 자금을 신청한 은행(이하 이 조 및 제7조에서 "신청기관"이라 한다)을 심사한다.',
    )
    assert found.overlap("금융위원회", "금융위원장")
    assert found.overlap("금고", "이사장")
    assert found.overlap("법원", "재판장")
    assert found.overlap("한국은행", "총재")
    assert found.overlap("임명직 위원", "금융위원회 위원장")
    assert found.overlap("여신전문금융회사", "할부금융업자")
    assert found.overlap("금융기관", "신탁업자")
    assert found.overlap("주권상장법인", "보험회사")
    assert not found.overlap("금융감독원장", "예금보험공사")
    assert not found.overlap("금융위원회", "감독위원장")
    assert not found.overlap("신용카드업자", "할부금융업자")
    assert found.local_names == {"신청기관"}


def test_a_company_for_a_business_and_a_body_of_the_state_overlap(parse):
    found = parties(
        parse,
        '"상호회사"란 보험업을 경영할 목적으로 설립된 회사로서 보험계약자를 사원으로 하는 회사를 말한다.',
    )
    assert found.overlap("보험회사", "상호회사")
    assert found.overlap("국가기관", "과학기술정보통신부장관")
    assert found.overlap("금융기관", "인사위원회")
    assert not found.overlap("보험회사", "보험협회")
    assert not found.overlap("전기통신사업자", "과학기술정보통신부장관")


def test_a_class_of_authorities_overlaps_with_its_members(parse):
    found = parties(parse, "수사기관은 결과를 경찰청장에게 알려야 한다.")
    assert found.overlap("수사기관", "경찰청장")
    assert found.overlap("감독기관", "금융감독원장")
    assert found.overlap("각급 선거관리위원회", "중앙선거관리위원회")
    assert not found.overlap("수사기관", "이용자")
    assert not found.overlap("각급 선거관리위원회", "금융위원회")


def test_a_short_name_for_anyone_who_did_something_is_an_open_role(parse):
    found = parties(
        parse,
        '이용자는 정지를 요청한 기관(이하 이 조에서 "요청기관"이라 한다)에 이의를 신청한다.',
        '감독원장은 재산을 관리하는 위원회(이하 이 조에서 "재산위원회"라 한다)를 둔다.',
    )
    assert found.open_roles == {"요청기관"}
