import re

from kofinlaw.augment.hard.sanctions import generate
from kofinlaw.augment.reading.acts import read_laws

ACT = """
##### 제9조 (과태료)

**①** 다음 각 호의 어느 하나에 해당하는 자에게는 5천만원 이하의 과태료를 부과한다.
  1\\. 제3조제1항을 위반하여 이용자의 거래기록을 정당한 이유 없이 함부로 없앤 자
**②** 다음 각 호의 어느 하나에 해당하는 자에게는 3천만원 이하의 과태료를 부과한다.
  1\\. 제4조제1항을 위반하여 약관을 바꾸고 그 내용을 이용자에게 알리지 아니한 자
**③** 다음 각 호의 어느 하나에 해당하는 자에게는 2천만원 이하의 과태료를 부과한다.
  1\\. 제5조제1항을 위반하여 감독원장이 하는 업무의 검사를 거부하거나 방해한 자
**④** 다음 각 호의 어느 하나에 해당하는 자에게는 1천만원 이하의 과태료를 부과한다.
  1\\. 제6조제1항을 위반하여 업무보고서를 정하여진 날보다 늦게 제출한 자
"""
FINES = {"없앤": "5,000만원", "알리지": "3,000만원", "방해": "2,000만원", "늦게": "1,000만원"}


def test_each_violation_carries_the_sanction_of_its_own_paragraph(parse):
    laws = read_laws(parse("결제업법", ACT))
    drafts = [d for seed in range(4) for d in generate(laws.acts[0], laws, seed)]
    assert drafts
    for draft in drafts:
        fine = next(fine for word, fine in FINES.items() if word in draft.answer)
        assert fine in draft.answer
        assert not any(fine in text for text in draft.distractors)
        assert all(any(f in text for f in FINES.values()) for text in draft.distractors)


def test_a_violation_keeps_the_provision_that_it_violates(parse):
    laws = read_laws(parse("결제업법", ACT))
    drafts = [d for seed in range(4) for d in generate(laws.acts[0], laws, seed)]
    assert drafts
    for draft in drafts:
        assert all(
            re.search(r"제\d조제1항을 (?:위반하여|위반해|어겨)", t)
            for t in (draft.answer, *draft.distractors)
        )
