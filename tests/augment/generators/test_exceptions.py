from kofinlaw.augment.generators import exceptions
from kofinlaw.augment.reading.acts import read_laws


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
