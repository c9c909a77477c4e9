"""Lists and exceptions: what stands in one, and what could be taken for it."""

from kofinlaw.augment.generators import enumerations, exceptions, quantities
from kofinlaw.augment.generators.acts import read_laws
from kofinlaw.data.korean.words import bigrams


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
    listed = enumerations.listings(law)
    assert not any("「전자정부법」" in item for here in listed for item in here.items)


def test_what_two_items_of_a_list_say_together_is_no_wrong_option_of_it():
    listed = [
        "정보통신망에 관련된 기술의 개발ㆍ보급",
        "정보통신망에서의 청소년 보호",
        "그 밖에 정보통신망 이용촉진을 위한 사항",
    ]
    inside = [set(bigrams(text)) for text in listed]
    odd = "청소년 보호를 위한 기술의 개발 및 보급"
    assert not any(enumerations.pieced_together(odd, [each]) for each in inside)
    assert enumerations.pieced_together(odd, inside)
    assert not enumerations.pieced_together("인터넷 이용의 활성화", inside)


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
    assert {here.clause.article.number for here in enumerations.listings(law)} == {"제1조", "제2조"}


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
        next(d.distractors for d in asked if d.kind == "enumeration" and place in d.stem)
        for place in ("제공할 수", "보존한다")
    )
    assert "교통의 흐름을 살피는 기관이 설치한 경우" in given
    assert "공공의 안녕을 위하여 긴급히 필요한 경우" not in given
    assert "법원이 명령서를 보낸 경우" not in kept


def test_a_proviso_that_opens_a_list_is_named_by_its_article(parse):
    law = read_laws(parse("촬영법", BY_LAW)).acts[0]
    drafts = [d for d in enumerations.generate(law, 0) if d.units == ("촬영법 제1조",)]
    assert drafts
    assert all("제1조(수집)의 각 호" in d.stem and "다만" not in d.stem for d in drafts)


def test_two_items_differ_in_what_they_say_themselves():
    listed = "하기에 충분한 인력과 전산설비 등 물적 시설을 갖출 것"
    odd = "대통령령으로 정하는 시설ㆍ설비 및 인력을 갖출 것"
    assert enumerations.resembles(odd, [enumerations.content(listed)])
    leak = "제공자가 처리 중 알게 된 중요 정보의 유출을 방지할 수 있는 조치"
    guard = "정보의 불법 유출ㆍ위조ㆍ변조ㆍ삭제 등을 방지하기 위한 기술적 보호조치"
    assert enumerations.resembles(leak, [enumerations.content(guard)])
    same = ["가입자의 권익 보호대책", "가입자의 권익 보호"]
    assert enumerations.apart([*same, "사업계획이 타당할 것"]) == [same[0], "사업계획이 타당할 것"]


def test_a_figure_of_a_list_is_asked_with_what_the_list_is_about(parse):
    text = """
##### 제17조 (자본금)

전자업자는 다음 각 호의 금액을 갖추어야 한다.

  1\\. 전자자금이체업무를 하는 자의 경우: 30억원
  2\\. 제1호 외의 업무를 하는 전자업자의 경우: 20억원
"""
    drafts = list(quantities.generate(read_laws(parse("금융법", text)).acts[0], 0))
    assert [draft.answer for draft in drafts] == ["30억원"]
    assert "「금융법」 제17조(자본금)의 다음 빈칸" in drafts[0].stem


def test_a_list_question_names_only_its_own_items_as_listed(law):
    lists = {x.clause.label: x.items for x in enumerations.listings(law)}
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


def test_an_exception_is_the_case_its_proviso_names(law):
    drafts = list(exceptions.generate(law, 0))
    assert all(d.answer == "접속수단을 갱신하기 위하여 이용자의 동의를 얻은 경우" for d in drafts)


PROVISOS = """
##### 제1조 (손실)

**①** 금융회사는 가맹점에 그 거래에 따른 손실을 떠넘길 수 없다. 다만, 가맹점의 과실을 증명하는 경우에는 그 손실의 전부 또는 일부를 가맹점의 부담으로 할 수 있다는 취지의 계약을 그 가맹점과 미리 체결한 경우에는 그러하지 아니하다.
**②** 금융회사는 거래의 내용을 미리 이용자에게 서면으로 알려야 한다. 다만, 천재지변으로 알릴 수 없는 경우에는 그러하지 아니하다.
**③** 이용자가 동의를 철회하는 경우에는 그러하지 아니하다.
**④** 지정권자는 지정을 취소한 경우에는 알려야 한다.
**⑤** 번호를 직접 수집하는 경우에는 동의를 받아야 한다.
**⑥** 번호를 직접 수집할 경우에는 동의를 받아야 한다.
**⑦** 건전한 거래질서를 유지하기 위하여 필요한 경우에는 명할 수 있다.
**⑧** 다른 법령에 특별한 규정이 있는 경우에는 그에 따른다.
**⑨** 이 법은 국외의 행위가 국내 시장에 영향을 미치는 경우에는 적용한다.
"""


def test_conditions_are_whole_say_who_they_are_about_and_differ(parse):
    drafts = list(exceptions.generate(read_laws(parse("손실법", PROVISOS)).acts[0], 0))
    assert [draft.answer for draft in drafts] == ["천재지변으로 알릴 수 없는 경우"]
    wrong = drafts[0].distractors
    assert not any(text.startswith(("지정권자는", "이 법은")) for text in wrong)
    assert sum("번호를 직접 수집" in text for text in wrong) == 1
