from kofinlaw.augment.hard.requirement_sets import generate
from kofinlaw.augment.reading.acts import read_laws

ACT = """
##### 제1조 (취소)

**①** 감독위원회는 다음 각 호의 어느 하나에 해당하는 경우에는 등록을 취소할 수 있다.
  1\\. 결제업자가 이용자의 예치금을 빼돌린 경우
  2\\. 임원의 자격이 정지된 경우

##### 제2조 (요건)

**①** 등록을 하려는 자는 다음 각 호의 요건을 모두 갖추어야 한다.
  1\\. 출자자의 신용이 충분할 것
  2\\. 전산설비를 서울에 둘 것

##### 제3조 (지정)

**①** 대행기관은 다음 각 호의 요건을 모두 갖추어야 한다.
  1\\. 회계법인의 감사를 받을 것
  2\\. 창고의 면적이 넉넉할 것
"""


def test_one_case_suffices_and_every_requirement_is_needed(parse):
    laws = read_laws(parse("결제업법", ACT))
    found = [d for seed in range(6) for d in generate(laws.acts[0], laws, seed)]
    assert {d.units[0] for d in found} == {f"결제업법 제{n}조" for n in (1, 2, 3)}
    for draft in found:
        cases = draft.units[0].endswith("제1조")
        own = ("예치금", "자격이 정지된") if cases else ("신용이", "전산설비")
        if draft.units[0].endswith("제3조"):
            own = ("감사를", "면적이")
        right = "하나에만" if cases else "모두 갖"
        assert right in draft.answer
        assert all(word in draft.answer for word in own)
        for option in draft.distractors:
            # The wrong need, or an item that the list does not have.
            assert right not in option or not all(word in option for word in own), option
