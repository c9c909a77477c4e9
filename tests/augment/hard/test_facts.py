import pytest

from kofinlaw.augment.hard.facts import clause_facts, item_facts, list_facts, opening
from kofinlaw.augment.hard.member_sets import generate
from kofinlaw.augment.reading.acts import read_laws

ACT = """
##### 제1조 (대주주의 범위)

법 제2조에서 "대통령령으로 정하는 자"란 다음 각 호의 어느 하나에 해당하는 자를 말한다.
  1\\. 최근 3년간 10억원 이상의 거래를 한 자
  2\\. 의결권이 있는 주식을 보유하는 자

##### 제2조 (증권에 적을 사항)

출자증권에는 다음 각 호의 사항을 적고 이사가 이름을 적어야 한다.
  1\\. 회사의 이름과 설립한 날짜
  2\\. 증권의 종류와 번호에 관한 내역
  3\\. 출자한 금액과 납입한 날짜

##### 제3조 (임원 명부에 적을 사항)

임원 명부에는 다음 각 호의 사항을 적고 이사가 이름을 적어야 한다.
  1\\. 임원의 성명과 선임된 일자
  2\\. 임원이 다른 회사에서 가진 직위
  3\\. 임원에게 지급한 보수의 내역
"""


@pytest.fixture(scope="module")
def law(parse):
    return read_laws(parse("결제업법 시행령", ACT)).acts[0]


def test_one_item_of_a_definition_is_a_case_of_the_term_and_not_its_meaning(law):
    first = list_facts(law)[0]
    assert first.defines
    assert first.statement("주식을 보유하는 자") == (
        '법 제2조에서 "대통령령으로 정하는 자"에는 주식을 보유하는 자가 포함된다'
    )
    # That a narrower case is one of several is true, so no figure of it can be altered.
    assert item_facts(first) == []


def test_a_definition_with_more_after_its_list_gives_no_statement():
    assert opening('법 제2조에서 "자"란 다음 각 호의 자로서 감독원장이 정하는 자를 말한다') is None


def test_an_adverbial_of_place_gets_no_subject_particle(law):
    laws = read_laws(law.articles)
    stems = [d.stem for seed in range(12) for d in generate(law, laws, seed)]
    assert any("출자증권에 " in stem for stem in stems)
    assert not any("에가 " in stem for stem in stems)


def test_a_condition_that_a_pointer_explains_is_not_read_alone(parse):
    text = "금고는 제2항에 따라 그 인가가 취소된 때에는 3개월 이내에 업무를 정리하여야 한다."
    law = read_laws(parse("금고법", f"##### 제1조 (정리)\n\n**①** {text}\n")).acts[0]
    assert clause_facts(law, "금고법 제1조") == []


MEMBERS = """
##### 제1조 (위원의 자격)

**①** 심의위원회의 위원은 학식이 풍부한 사람으로서 다음 각 호의 어느 하나에 해당하는 사람으로 한다.
  1\\. 금융기관에서 3년 이상 근무한 경력이 있는 사람
  2\\. 변호사로 5년 이상 근무한 경력이 있는 사람
**②** 심의위원회의 업무와 관련하여 다음 각 호의 어느 하나에 해당하는 사람은 위원이 될 수 없다.
  1\\. 금고 이상의 형을 선고받고 3년이 지나지 않은 사람
  2\\. 해임된 뒤 5년이 지나지 않은 사람
"""


def test_one_quality_of_several_is_not_that_of_every_member(parse):
    law = read_laws(parse("결제업법", MEMBERS)).acts[0]
    members, barred = list_facts(law)
    assert not item_facts(members)
    assert len(item_facts(barred)) == 2


def test_an_item_that_repeats_the_subject_of_its_list_is_left_out(parse):
    text = """
##### 제1조 (반환)

감독원장은 보험계리업자가 다음 각 호의 어느 하나에 해당하는 경우에는 예탁금을 반환하여야 한다.
  1\\. 보험계리업자가 영업을 폐지한 경우
  2\\. 등록이 취소된 경우
  3\\. 해산이 공고된 경우
"""
    (found,) = list_facts(read_laws(parse("결제업법", text)).acts[0])
    assert found.items == ("등록이 취소된 경우", "해산이 공고된 경우")
