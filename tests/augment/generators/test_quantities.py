from kofinlaw.augment.generators import quantities
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.reading.figures import clearly_differ, find_figures


def test_a_deadline_is_asked_with_near_figures_of_the_same_dimension(law):
    answers = {d.answer for d in quantities.generate(law, 0)}
    assert {"2주", "5년", "10일", "30일", "10억원"} <= answers
    for draft in quantities.generate(law, 0):
        true = find_figures(draft.answer)[0]
        for wrong in draft.distractors:
            other = find_figures(wrong)[0]
            assert other.dimension == true.dimension
            assert clearly_differ(true, other)


def test_a_figure_of_a_list_is_asked_with_what_the_list_is_about(parse):
    text = """
##### 제17조 (자본금)

전자업자는 다음 각 호의 금액을 갖추어야 한다.

  1\\. 전자자금이체업무를 하는 자의 경우: 30억원
  2\\. 제1호 외의 업무를 하는 전자업자의 경우: 20억원
"""
    drafts = list(quantities.generate(read_laws(parse("금융법", text)).acts[0], 0))
    assert [draft.answer for draft in drafts] == ["30억원"]
    assert "「금융법」 제17조" in drafts[0].stem
    assert "전자업자는 다음 각 호의 금액을 갖추어야 한다." in drafts[0].stem
    assert "전자자금이체업무를 하는 자의 경우: (   )" in drafts[0].stem


def test_the_unit_of_a_price_is_not_asked_and_joined_clauses_get_a_blank(parse):
    text = """
##### 제1조 (의결권)

**①** 주주는 총회에서 주식 1주마다 1개의 의결권을 행사할 권리가 있는 것으로 본다.
**②** 운송업자는 승객 1명에 대하여 배상하며 그 기간을 30일 이내로 정하여야 한다.
**③** 정기총회는 회장이 매년 2회 이상 소집하고, 회장은 총회의 의장이 되는 것으로 정한다.
"""
    drafts = list(quantities.generate(read_laws(parse("총회법", text)).acts[0], 0))
    answers = {draft.answer for draft in drafts}
    assert {"30일", "2회"} <= answers
    assert not {"1주", "1명"} & answers
    joined = next(draft for draft in drafts if draft.answer == "2회")
    assert "(   )" in joined.stem
