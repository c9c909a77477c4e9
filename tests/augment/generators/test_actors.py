"""Who must act, and towards whom: a party that the sentence may apply to is not a wrong option."""

from kofinlaw.augment.generators import actors
from kofinlaw.augment.reading.acts import read_laws


def test_the_one_who_must_act_is_blanked_with_both_particles(law):
    drafts = list(actors.generate(law, 0))
    asked = next(d for d in drafts if "검사를 마치면" in d.stem)
    assert asked.answer == "감독원장"
    assert "(   )은(는) 검사를 마치면" in asked.stem
    assert "감독위원회" in asked.distractors


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
