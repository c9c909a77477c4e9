from kofinlaw.augment.generators import penalties
from kofinlaw.augment.reading.acts import read_laws


def by_kind(drafts, kind):
    return [d for d in drafts if d.kind == kind]


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


def test_an_article_of_a_similar_violation_is_no_wrong_option(parse):
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
    asked = {
        d.answer: d.distractors for d in penalties.generate(law, 0) if d.kind == "violated_article"
    }
    assert set(asked["제1조제1항"]) == {"제3조", "제4조", "제5조"}
    assert set(asked["제3조"]) >= {"제1조제1항", "제2조제5항"}
