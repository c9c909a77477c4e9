"""Who must act, and towards whom: a party that the sentence may apply to is not a wrong option."""

from kofinlaw.augment.generators import actors
from kofinlaw.augment.reading.acts import read_laws


def test_the_one_who_must_act_is_asked_for_in_several_forms(law):
    stems = set()
    for seed in range(30):
        drafts = actors.generate(law, seed)
        asked = next(d for d in drafts if "검사를 마치면" in d.stem)
        assert asked.answer == "감독원장"
        assert "감독위원회" in asked.distractors
        assert "감독원장" not in asked.stem
        stems.add(asked.stem)
    assert any("(   )은(는) 검사를 마치면" in stem for stem in stems)
    assert any("누가 검사를 마치면" in stem for stem in stems)
    assert any("보고하여야 하는 자" in stem for stem in stems)
    assert len(stems) > 20


HANDED_ON = """
##### 제1조 (인증)

**①** 과학기술정보통신부장관은 신청을 받으면 심사하여 그 결과를 공표하여야 한다.
**②** 과학기술정보통신부장관은 제1항의 업무를 인터넷진흥원에 위탁할 수 있다.

##### 제2조 (신고)

**①** 인터넷진흥원은 매년 결과를 이용자에게 알려야 한다.
**②** 감독위원회는 매년 결과를 이용자에게 알려야 한다.
**③** 조정위원회는 매년 결과를 채무자에게 알려야 한다.
**④** 심의위원회는 매년 결과를 채무자에게 알려야 한다.
"""


def test_who_is_handed_the_work_is_no_wrong_option_for_who_hands_it_on(parse):
    law = read_laws(parse("인증법", HANDED_ON)).acts[0]
    asked = next(d for d in actors.generate(law, 0) if d.answer == "과학기술정보통신부장관")
    assert {"감독위원회", "조정위원회"} < set(asked.distractors)
    assert "인터넷진흥원" not in asked.distractors


REPORTS = """
##### 제1조 (보고)

**①** 지급업자는 매년 거래의 결과를 모아 감독위원회에게 보고하여야 한다.
**②** 협회장은 감독원장에게 검사에 필요한 자료를 제출하여야 한다.
**③** 감독원장은 검사를 마치면 그 결과를 조정위원회에게 알려야 한다.
**④** 심의위원회는 매년 협회장에게 심의의 결과를 알려야 한다.
**⑤** 진흥원장은 매년 교육의 계획을 세워 심의위원회에게 알려야 한다.
"""


def test_who_the_sentence_names_is_no_other_to_whom_it_is_done(parse):
    law = read_laws(parse("보고법", REPORTS)).acts[0]
    sent = [d for d in actors.generate(law, 0) if d.kind == "addressee"]
    assert len(sent) > 1
    for draft in sent:
        assert not any(name in draft.stem for name in draft.distractors)


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


def test_a_clause_is_not_a_party_and_a_right_has_no_single_holder(parse):
    text = """
##### 제1조 (매각)

**①** 매각대금이 지급되면 법원은 배당기일을 정하여 채권자에게 통지하여야 한다.
**②** 감독위원회는 재적위원 과반수의 찬성으로 회의를 공개하지 아니하기로 의결한다.
**③** 감독위원회는 위원장 1명을 포함한 9명 이내의 위원으로 구성하되 임기를 정하여야 한다.
**④** 심의위원회는 결정에 잘못이 있으면 법원에 소를 제기하여 다툴 것을 청구할 수 있다.
**⑤** 조정위원회는 조정을 마친 날부터 7일 이내에 그 결과를 감독위원회에 보고하여야 한다.
**⑥** 분쟁위원회는 매년 업무의 계획을 세워 감독위원회에 보고하여야 한다.
"""
    drafts = list(actors.generate(read_laws(parse("매각법", text)).acts[0], 0))
    assert {d.answer for d in drafts if d.kind == "actor"} == {"조정위원회", "분쟁위원회"}
    assert not any("지급되면" in text for d in drafts for text in (d.answer, *d.distractors))


def test_a_party_to_which_the_article_is_applied_is_no_wrong_option(parse):
    text = """
##### 제1조 (관리인)

**①** 관리인은 취임하면 바로 재산의 목록을 작성하여 법원에 제출하여야 한다.

##### 제2조 (조사위원)

**①** 제1조의 규정은 조사위원에 관하여 준용한다.
**②** 조사위원은 매년 조사의 결과를 적은 서면을 법원에 제출하여야 한다.
**③** 회생위원은 매년 변제의 결과를 적은 서면을 법원에 제출하여야 한다.
**④** 감사위원은 매년 감사의 결과를 적은 서면을 법원에 제출하여야 한다.
**⑤** 대리위원은 매년 위임의 결과를 적은 서면을 법원에 제출하여야 한다.
"""
    drafts = actors.generate(read_laws(parse("관리법", text)).acts[0], 0)
    asked = next(d for d in drafts if d.answer == "관리인")
    assert set(asked.distractors) == {"회생위원", "감사위원", "대리위원"}
