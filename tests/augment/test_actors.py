"""Who must act, and towards whom: nobody for whom the sentence may hold is a wrong option."""

import random

from kofinlaw.augment.generators import actors, modality, names, statements
from kofinlaw.augment.generators.acts import read_laws


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


def test_who_is_named_with_another_or_as_part_of_a_phrase_is_no_addressee():
    asked = (
        "정부는 유출을 막기 위하여 정보통신서비스 제공자 또는 이용자에게 조치를 하도록 할 수 있다."
    )
    assert names.addressees(asked) == []
    part = "집중기관은 제공받은 정보를 신용정보의 이용자에게 제공할 수 있다."
    assert names.addressees(part) == []
    assert names.addressees("집중기관은 정보를 이용자에게 제공할 수 있다.") == ["이용자"]
