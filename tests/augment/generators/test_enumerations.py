"""Lists: which items a question may offer as foreign to a list."""

from kofinlaw.augment.generators import enumerations
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.reading.listings import read_listings


def by_kind(drafts, kind):
    return [d for d in drafts if d.kind == kind]


LISTS = """
##### 제30조 (안전조치)

개인정보처리자는 다음 각 호의 조치를 하여야 한다.

  1\\. 접근 권한을 제한하는 조치
  2\\. 접속기록을 보관하는 조치
  3\\. 보관시설에 잠금장치를 두는 조치
  4\\. 「전자정부법」 제72조

##### 제31조 (국외 이전)

개인정보처리자는 국외로 이전하려면 다음 각 호의 조치를 하여야 한다.

  1\\. 제30조에 따른 안전성 확보 조치
  2\\. 침해에 대한 고충을 처리하는 조치
  3\\. 이전받는 자와 계약을 맺는 조치

##### 제32조 (안내)

개인정보처리자는 안내를 위하여 다음 각 호의 조치를 하여야 한다.

  1\\. 통지문을 사무소에 게시하는 조치
  2\\. 상담창구를 상시 여는 조치
  3\\. 안내서를 무료로 나누어 주는 조치
  4\\. 피해가 번지는 것을 막기 위하여 필요한 조치
"""


def test_a_list_takes_no_wrong_options_from_the_article_it_cites(parse):
    law = read_laws(parse("이전법", LISTS)).acts[0]
    drafts = [d for d in enumerations.generate(law, 0) if d.units == ("이전법 제31조",)]
    asked = by_kind(drafts, "enumeration")
    assert asked
    for draft in asked:
        assert {"상담창구를 상시 여는 조치"} < set(draft.distractors)
        assert not any("잠금장치" in text or "접속기록" in text for text in draft.distractors)
        assert not any("필요한 조치" in text for text in draft.distractors)
    listed = read_listings(law)
    assert not any("「전자정부법」" in item for here in listed for item in here.items)


KINDS = """
##### 제1조 (방침)

관리자는 다음 각 호의 사항이 포함된 방침을 마련해야 한다.

  1\\. 영상의 촬영시간, 보관기간 및 보관장소
  2\\. 영상을 살필 수 있는 사람의 연락처
  3\\. 요구에 대한 조치의 내용

##### 제2조 (통지)

관리자는 다음 각 호의 사항을 알려야 한다.

  1\\. 개인정보의 보유기간
  2\\. 담당하는 부서의 이름
  3\\. 거부할 수 있다는 사실
  4\\. 법 제17조 및 제18조
  5\\. 이용을 그만두는 절차
  6\\. 불만을 받는 창구의 전화번호

##### 제3조 (점검)

관리자는 다음 각 호의 사항을 점검해야 한다.

  1\\. 제5조제1항제1호 각 목의 사항에 관한 조치
  2\\. 시설에 대한 보안과 통제
  3\\. 기록의 위조를 막는 대책

##### 제4조 (사무)

위원회는 다음 각 호의 사무를 수행한다.

  1\\. 분쟁을 조정하는 일과 상담
  2\\. 다른 법령에 따라 위원회의 사무로 규정된 일
  3\\. 국제기구와의 교류와 협력

##### 제5조 (겸영)

회사는 다음 각 호의 업무를 겸영할 수 있다.

  1\\. 신용을 평가하는 업무
  2\\. 거래법률 외의 법률에서 금지하지 않는 업무
  3\\. 채권을 추심하는 업무

##### 제6조 (부수업무)

회사는 다음 각 호의 업무를 할 수 있다.

  1\\. 「여신법」 제46조제1항 각 호에 따른 업무
  2\\. 서류를 대신 받는 업무
  3\\. 고객을 관리하는 업무
"""


def test_a_list_takes_nothing_of_a_kind_it_names_and_is_closed(parse):
    law = read_laws(parse("방침법", KINDS)).acts[0]
    first = [d for d in enumerations.generate(law, 0) if d.units == ("방침법 제1조",)]
    offered = {text for d in first for text in (d.answer, *d.distractors)}
    assert "담당하는 부서의 이름" in offered
    assert "개인정보의 보유기간" not in offered
    assert "법 제17조 및 제18조" not in offered
    assert {here.clause.article.number for here in read_listings(law)} == {"제1조", "제2조"}


BY_LAW = """
##### 제1조 (수집)

관리자는 정보를 수집하여서는 아니 된다. 다만, 다음 각 호의 경우에는 그러하지 아니하다.

  1\\. 다른 법률에 특별한 규정이 있는 경우
  2\\. 당사자가 글로 동의한 경우
  3\\. 급박한 위해를 막으려는 경우

##### 제2조 (촬영)

누구든지 다음 각 호의 경우를 제외하고는 촬영하여서는 아니 된다.

  1\\. 법령에서 구체적으로 허용하고 있는 경우
  2\\. 범죄를 수사하는 데 필요한 경우
  3\\. 교통의 흐름을 살피는 기관이 설치한 경우
  4\\. 화재가 나지 않게 지키려고 하는 경우
"""


def test_what_laws_allow_is_not_foreign_to_a_list_of_what_laws_provide(parse):
    law = read_laws(parse("촬영법", BY_LAW)).acts[0]
    drafts = [d for d in enumerations.generate(law, 0) if d.units == ("촬영법 제1조",)]
    assert {d.kind for d in drafts} == {"enumeration", "enumeration_not"}
    assert not any("허용하고" in text for d in drafts for text in (d.answer, *d.distractors))


THROUGH = """
##### 제1조 (수집)

**①** 관리자는 다음 각 호의 경우에 정보를 수집할 수 있다.
  1\\. 당사자가 글로 동의한 경우
  2\\. 공공의 안녕을 위하여 긴급히 필요한 경우
  3\\. 범죄를 수사하는 데 쓰는 경우

##### 제2조 (제공)

**①** 관리자는 다음 각 호의 경우에 정보를 제공할 수 있다.
  1\\. 법원이 명령서를 보낸 경우
  2\\. 제1조제1항제2호에 따라 수집한 목적으로 제공하는 경우
**②** 관리자는 다음 각 호의 경우에 정보를 보존한다.
  1\\. 제1항제1호에 따라 제공한 경우
  2\\. 거래가 아직 끝나지 아니한 경우

##### 제3조 (공개)

관리자는 다음 각 호의 경우에 정보를 공개한다.

  1\\. 공공의 안녕을 위하여 긴급히 필요한 경우
  2\\. 교통의 흐름을 살피는 기관이 설치한 경우
  3\\. 화재가 나지 않게 지키려고 하는 경우
  4\\. 시설을 새로 짓거나 고치는 경우
"""


def test_what_a_list_holds_through_another_is_not_foreign_to_it(parse):
    asked = enumerations.generate(read_laws(parse("제공법", THROUGH)).acts[0], 0)
    given, kept = (
        next(d.distractors for d in asked if d.kind == "enumeration" and words in d.stem)
        for words in ("제공할 수", "보존하")
    )
    assert "교통의 흐름을 살피는 기관이 설치한 경우" in given
    assert "공공의 안녕을 위하여 긴급히 필요한 경우" not in given
    assert "법원이 명령서를 보낸 경우" not in kept


def test_a_proviso_that_opens_a_list_is_named_by_its_article(parse):
    law = read_laws(parse("촬영법", BY_LAW)).acts[0]
    drafts = [d for d in enumerations.generate(law, 0) if d.units == ("촬영법 제1조",)]
    assert drafts
    assert all("제1조(수집)의 각 호" in d.stem and "다만" not in d.stem for d in drafts)


def test_a_list_question_names_only_its_own_items_as_listed(law):
    lists = {x.clause.label: x.items for x in read_listings(law)}
    drafts = list(enumerations.generate(law, 0))
    negative = by_kind(drafts, "enumeration_not")
    assert negative
    for draft in negative:
        label = "제2항" if "제2항" in draft.stem or "아니 된다" in draft.stem else "제3항"
        assert set(draft.distractors) <= set(lists[label])
        assert draft.answer not in lists[label]
    for draft in by_kind(drafts, "enumeration"):
        assert any(
            draft.answer in items and not set(draft.distractors) & set(items)
            for items in lists.values()
        )
