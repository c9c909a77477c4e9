import random
import re

import pytest

from kofinlaw.augment import (
    actors,
    definitions,
    enumerations,
    exceptions,
    free,
    grounded,
    modality,
    names,
    penalties,
    quantities,
    references,
    statements,
)
from kofinlaw.augment.law import Laws, read_laws
from kofinlaw.augment.names import normal
from kofinlaw.data.korean import bigrams


@pytest.fixture(scope="module")
def laws(acts) -> Laws:
    return read_laws(acts)


@pytest.fixture(scope="module")
def law(laws):
    return laws.acts[0]


def by_kind(drafts, kind):
    return [d for d in drafts if d.kind == kind]


def test_a_definition_asks_for_its_term_and_a_term_for_its_definition(law):
    drafts = list(definitions.generate(law, 0))
    asked = {d.answer: d for d in by_kind(drafts, "definition_term")}
    assert (
        '"재화의 구입에 따른 대가의 정산을 대행하거나 매개하는 것"을 뜻하는'
        in asked["결제대행"].stem
    )
    meanings = {d.stem: d.answer for d in by_kind(drafts, "term_definition")}
    assert (
        meanings["「전자지급 안전법」에서 '침해행위'의 뜻으로 옳은 것은?"]
        == "해킹이나 컴퓨터 바이러스로 전산설비를 공격하는 행위"
    )


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


DEFINITIONS = """
##### 제2조 (정의)

이 법에서 사용하는 용어의 뜻은 다음과 같다.

  1\\. "전자업자"란 제28조에 따라 등록을 한 자(금융회사는 제외한다)를 말한다.
  2\\. "평가업"이란 신용을 평가하여 제공하는 것을 말한다. 다만, 다른 법에 따른 것은 제외한다.
  3\\. "거래지시"란 이용자가 거래의 처리를 지시하는 것을 말한다.
  4\\. "오류"란 거래가 지시에 따라 이행되지 아니한 경우를 말한다.
  5\\. "접근매체"란 지시를 하기 위하여 쓰는 수단을 말한다.
"""


def test_a_definition_is_given_with_what_it_takes_out(parse):
    drafts = list(definitions.generate(read_laws(parse("정의법", DEFINITIONS)).acts[0], 0))
    asked = next(d for d in by_kind(drafts, "definition_term") if d.answer == "전자업자")
    assert '등록을 한 자(금융회사는 제외한다)"를 뜻하는' in asked.stem
    assert not any("'평가업'" in d.stem for d in by_kind(drafts, "term_definition"))
    pairs = [text for d in by_kind(drafts, "definition_mismatch") for text in d.distractors]
    assert pairs
    assert not any(text.startswith("평가업") for text in pairs)


def test_a_mismatched_pair_is_the_answer_of_a_negative_question(law):
    for draft in by_kind(definitions.generate(law, 0), "definition_mismatch"):
        term, _, meaning = draft.answer.partition(" - ")
        real = {t.term: t.meaning for t in definitions.terms(law)}
        assert draft.negative
        assert real[term] != meaning
        assert all(real[w.split(" - ")[0]] == w.split(" - ")[1] for w in draft.distractors)


def test_a_deadline_is_asked_with_near_figures_of_the_same_dimension(law):
    answers = {d.answer for d in quantities.generate(law, 0)}
    assert {"2주", "5년", "10일", "30일", "10억원"} <= answers
    for draft in quantities.generate(law, 0):
        true = quantities.quantities(draft.answer)[0]
        for wrong in draft.distractors:
            other = quantities.quantities(wrong)[0]
            assert other.dimension == true.dimension
            assert quantities.differ(true, other)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5천만원", 50_000_000),
        ("1억원", 100_000_000),
        ("1억5천만원", 150_000_000),
        ("300만원", 3_000_000),
        ("20억원", 2_000_000_000),
        ("10,000원", 10_000),
    ],
)
def test_amounts_are_read_as_statutes_write_them(text, value):
    assert quantities.won(text) == value


@pytest.mark.parametrize("value", [50_000_000, 100_000_000, 3_000_000, 150_000_000_000, 20_000])
def test_an_amount_written_is_read_back(value):
    assert quantities.won(quantities.won_text(value)) == value


def test_dates_and_article_numbers_are_no_figures():
    assert quantities.quantities("2020년 1월 1일부터 제3조제2항에 따라") == []
    found = quantities.quantities("그 사유를 안 날부터 14일 이내 또는 매출액의 100분의 3 이하")
    assert [q.text for q in found] == ["14일", "100분의 3"]


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


def test_twelve_months_and_a_year_do_not_differ():
    months, year = quantities.quantities("12개월 또는 1년")
    assert not quantities.differ(months, year)


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


def test_modality_options_are_the_same_verb_with_other_endings(law):
    draft = next(d for d in modality.generate(law, 0) if d.answer == "정정을" or "요구" in d.answer)
    assert draft.answer == "요구할 수 있다"
    assert "요구하여야 한다" in draft.distractors
    assert "요구하지 아니할 수 있다" not in draft.distractors


def test_a_permission_is_never_beside_the_freedom_to_leave_it(law):
    for draft in modality.generate(law, 0):
        if draft.answer.endswith("할 수 있다"):
            assert not any("아니할 수 있다" in d for d in draft.distractors)


def test_who_alone_may_and_who_alone_must_are_not_told_apart(parse):
    text = """
##### 제1조 (심사)

**①** 제2항에 따른 정보보호 관리체계의 심사는 자격을 갖춘 인증심사원만 수행할 수 있다.
**②** 심사기관은 제공받은 정보를 심사에 필요한 범위에서만 정당하게 사용하여야 한다.
"""
    law = read_laws(parse("심사법", text)).acts[0]
    assert not list(modality.generate(law, 0))
    assert not any(modality.flip(clause.main) for clause in law.clauses)
    assert modality.flip("위원은 한 번 연임할 수 있다.") == "위원은 한 번 연임하여야 한다."


def test_the_one_who_must_act_is_blanked_with_both_particles(law):
    drafts = list(actors.generate(law, 0))
    asked = next(d for d in drafts if "검사를 마치면" in d.stem)
    assert asked.answer == "감독원장"
    assert "(   )은(는) 검사를 마치면" in asked.stem
    assert "감독위원회" in asked.distractors


def test_a_party_that_a_definition_makes_the_other_is_no_rival(parse):
    text = """
##### 제1조 (의무)

**①** 전자화폐를 발행하는 전자금융업자(이하 "전자화폐발행자"라 한다)는 기록을 보존하여야 한다.
**②** 전자화폐발행자는 이용자의 요청에 따라 전자화폐를 현금으로 교환하여야 한다.
**③** 전자금융업자는 이용자에게 그 결과를 알려야 한다.
"""
    law = read_laws(parse("법", text)).acts[0]
    assert law.parties.one_is_the_other("전자화폐발행자", "전자금융업자")
    assert not law.parties.one_is_the_other("전자화폐발행자", "이용자")


HANDED_ON = """
##### 제1조 (인증)

**①** 과학기술정보통신부장관은 신청을 받으면 심사하여 인증할 수 있다고 정하여야 한다.
**②** 과학기술정보통신부장관은 제1항의 업무를 인터넷진흥원에 위탁할 수 있다.

##### 제2조 (신고)

**①** 인터넷진흥원은 매년 결과를 이용자에게 알려야 한다.
**②** 감독위원회는 매년 결과를 이용자에게 알려야 한다.
**③** 조정위원회는 매년 결과를 채무자에게 알려야 한다.
"""


def test_who_is_handed_the_work_is_no_wrong_option_for_who_hands_it_on(parse):
    law = read_laws(parse("인증법", HANDED_ON)).acts[0]
    asked = next(d for d in actors.generate(law, 0) if d.answer == "과학기술정보통신부장관")
    assert {"감독위원회", "조정위원회"} < set(asked.distractors)
    assert "인터넷진흥원" not in asked.distractors


def test_who_the_sentence_names_is_no_other_to_whom_it_is_done(law):
    sent = [d for d in actors.generate(law, 0) if d.kind == "addressee"]
    assert sent
    for draft in sent:
        quote = draft.stem.split('"')[1]
        assert not any(name in quote for name in draft.distractors)


def test_a_kind_of_who_the_sentence_names_is_no_other_to_whom_it_is_done(parse):
    text = """
##### 제1조 (통지)

**①** 전자화폐를 발행하는 전자금융업자(이하 "전자화폐발행자"라 한다)는 기록을 보존하여야 한다.
**②** 이용자는 전자금융업자로부터 받은 거래의 내용을 감독위원회에게 제출할 것을 요구할 수 있다.
**③** 전자금융업자는 매년 결과를 조정위원회에게 알려야 한다.
**④** 심의위원회는 매년 결과를 전자화폐발행자에게 알려야 한다.
**⑤** 사무국장은 매년 결과를 심의위원회에게 알려야 한다.
"""
    law = read_laws(parse("통지법", text)).acts[0]
    asked = next(d for d in actors.generate(law, 0) if d.answer == "감독위원회")
    assert "조정위원회" in asked.distractors
    assert "전자화폐발행자" not in asked.distractors


def test_a_ban_is_not_moved_to_another_and_a_leave_not_narrowed(parse):
    text = """
##### 제1조 (조정)

**①** 감독위원회는 영리를 목적으로 이용자의 정보를 넘겨서는 안 된다고 공고하여야 한다.
**②** 감독위원회는 20일 이내의 기간을 정하여 자료의 제출을 요청할 수 있다.
**③** 감독위원회는 부정한 목적으로 이용자의 정보를 처리하여서는 아니 된다.
**④** 조정위원회는 30일 이내에 그 결과를 당사자에게 알려야 한다.
**⑤** 협회장은 매년 자료를 모아 이용자에게 알려야 한다.
**⑥** 사무국장은 매년 자료를 모아 이용자에게 알려야 한다.
**⑦** 조정위원회는 분야별로 5명 이내의 위원으로 구성되는 조정부를 둘 수 있다.
"""
    law = read_laws(parse("조정법", text)).acts[0]
    hows = {
        clause.label: {how for how, _ in statements.alterations(law, clause, random.Random(0))}
        for clause in law.clauses
    }
    assert "actor" in hows["제1항"]
    assert hows["제2항"] == {"modality", "actor"}
    assert hows["제3항"] == {"modality"}
    assert {"number", "bound"} <= hows["제4항"]
    assert not {"number", "bound"} & hows["제7항"]
    assert not any("처리하여서는" in draft.stem for draft in actors.generate(law, 0))
    assert modality.forbids("누구든지 이용자의 정보를 넘겨서는 안 된다.")


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


def test_an_exception_is_the_case_its_proviso_names(law):
    drafts = list(exceptions.generate(law, 0))
    assert all(d.answer == "접속수단을 갱신하기 위하여 이용자의 동의를 얻은 경우" for d in drafts)


def test_the_article_that_holds_a_sentence_is_asked_beside_its_likes(law):
    for draft in references.governing(law, 0):
        quote = re.search(r'"(.+)"$', draft.stem).group(1)
        assert normal(quote) in normal(law.by_number[draft.answer].text)
        for wrong in draft.distractors:
            assert normal(quote) not in normal(law.by_number[wrong].text)


def test_a_chain_rests_on_both_articles(law):
    drafts = list(references.chains(law, 0))
    draft = next(d for d in drafts if "제6조제1항" in d.stem)
    assert draft.answer == "결제대행업의 요건"
    assert draft.units == ("전자지급 안전법 제6조", "전자지급 안전법 제5조")
    assert "제5조" not in draft.stem


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("개인정보처리자는 법 제15조제3항 또는 제17조제4항에 따라 이용하려는 경우", []),
        ("법 제35조의2에 따른 사무를 위하여 제19조에 따른 번호를", ["제19조"]),
        ("「민법」 제3조부터 제5조까지 및 제7조를 준용한다.", []),
        ("제28조의2에도 불구하고", ["제28조의2"]),
    ],
)
def test_an_article_named_after_one_of_another_act_is_that_acts(text, own):
    assert references.own_articles(text) == own


def test_who_is_named_with_another_or_as_part_of_a_phrase_is_no_addressee():
    asked = (
        "정부는 유출을 막기 위하여 정보통신서비스 제공자 또는 이용자에게 조치를 하도록 할 수 있다."
    )
    assert names.addressees(asked) == []
    part = "집중기관은 제공받은 정보를 신용정보의 이용자에게 제공할 수 있다."
    assert names.addressees(part) == []
    assert names.addressees("집중기관은 정보를 이용자에게 제공할 수 있다.") == ["이용자"]


def test_penalties_are_asked_both_ways(law):
    drafts = list(penalties.generate(law, 0))
    sanction = next(d for d in by_kind(drafts, "penalty") if "대여한 자" in d.stem)
    assert sanction.answer == "5년 이하의 징역 또는 5천만원 이하의 벌금"
    assert "1년 이하의 징역 또는 1천만원 이하의 벌금" in sanction.distractors
    violated = next(d for d in by_kind(drafts, "violated_article") if "등록하지 아니하고" in d.stem)
    assert violated.answer == "제5조제1항"
    odd = by_kind(drafts, "penalty_not")
    assert {d.answer for d in odd} <= {
        "제5조제1항을 위반하여 등록하지 아니하고 결제대행 업무를 한 자",
        "제4조제3항을 위반하여 거래기록을 정해진 기간 동안 보존하지 아니한 자",
    }
    assert odd


def test_an_article_violated_by_much_the_same_deed_is_no_wrong_option(parse):
    text = """
##### 제9조 (과태료)

다음 각 호의 어느 하나에 해당하는 자에게는 1천만원 이하의 과태료를 부과한다.

  1\\. 제1조제1항을 위반하여 관리적 조치 또는 기술적 조치를 하지 아니한 자
  2\\. 제2조제5항을 위반하여 기술적ㆍ관리적 조치를 하지 아니한 자
  3\\. 제3조를 위반하여 거래의 기록을 정해진 동안 보존하지 아니한 자
  4\\. 제4조를 위반하여 이용자에게 손해의 배상을 설명하지 아니한 자
  5\\. 제5조를 위반하여 위원회에 해마다 자료를 보내지 아니한 자
"""
    law = read_laws(parse("조치법", text)).acts[0]
    asked = {d.answer: d.distractors for d in penalties.generate(law, 0) if "어느 규정" in d.stem}
    assert set(asked["제1조제1항"]) == {"제3조", "제4조", "제5조"}
    assert set(asked["제3조"]) >= {"제1조제1항", "제2조제5항"}


def test_a_false_statement_differs_from_its_sentence_and_is_nowhere_in_the_corpus(laws):
    drafts = [d for law in laws.acts for d in statements.generate(law, laws, 0)]
    assert by_kind(drafts, "statement_false")
    assert by_kind(drafts, "statement_true")
    for draft in drafts:
        false = [draft.answer] if draft.negative else draft.distractors
        true = draft.distractors if draft.negative else [draft.answer]
        assert not any(normal(text) in laws.sentences for text in false)
        assert all(normal(text) in laws.sentences for text in true)


def test_a_sentence_of_another_article_is_what_an_article_does_not_say(laws):
    for law in laws.acts:
        for draft in statements.not_of_article(law, 0):
            here = normal(law.by_number[draft.units[0].split()[-1]].text)
            assert normal(draft.answer) not in here
            assert all(normal(text) in here for text in draft.distractors)


def test_free_text_references_have_forty_to_ninety_characters(law):
    items = list(free.generate(law))
    assert items
    for item in items:
        assert free.SHORTEST <= len(item.reference) <= free.LONGEST
        assert item.keywords


def test_drafts_do_not_depend_on_the_other_acts(acts, laws):
    alone = read_laws([a for a in acts if a.title == "금융분쟁 조정법"])
    titles = frozenset(["금융분쟁 조정법"])
    with_others = [d for d in grounded.drafts(laws, 3, titles=titles) if d.kind != "which_act"]
    by_itself = [d for d in grounded.drafts(alone, 3) if d.kind != "which_act"]
    assert with_others == by_itself


def test_every_answer_differs_from_its_distractors(laws):
    for draft in grounded.drafts(laws, 1):
        keys = [normal(text) for text in (draft.answer, *draft.distractors)]
        assert len(set(keys)) == len(keys), draft
