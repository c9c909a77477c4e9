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
**⑤** 이용자 번호를 직접 수집하는 경우에는 동의를 받아야 한다.
**⑥** 이용자 번호를 직접 수집할 경우에는 동의를 받아야 한다.
**⑦** 건전한 거래질서를 유지하기 위하여 필요한 경우에는 명할 수 있다.
**⑧** 다른 법령에 특별한 규정이 있는 경우에는 그에 따른다.
**⑨** 거래의 상대방이 외국에 주소를 둔 경우에는 예외로 한다.
**⑩** 전산설비를 새로 바꾸는 작업을 하는 경우에는 미리 알려야 한다.
**⑪** 이 법은 국외의 행위가 국내 시장에 영향을 미치는 경우에는 적용한다.
"""


def test_conditions_are_whole_say_who_they_are_about_and_differ(parse):
    drafts = list(exceptions.generate(read_laws(parse("손실법", PROVISOS)).acts[0], 0))
    assert [draft.answer for draft in drafts] == ["천재지변으로 알릴 수 없는 경우"]
    wrong = drafts[0].distractors
    assert not any(text.startswith(("지정권자는", "이 법은")) for text in wrong)
    assert sum("번호를 직접 수집" in text for text in wrong) == 1
    assert not any("필요한 경우" in text or "특별한 규정" in text for text in wrong)


TOPICS = """
##### 제1조 (열람)

**①** 금고는 회원의 신청이 있으면 장부를 열람하게 하여야 한다. 다만, 금고는 회원의 이용에 지장이 없는 범위에서 정관으로 정하는 경우에는 그러하지 아니하다.
**②** 은행은 고객의 요구가 있으면 거래내역을 서면으로 알려야 한다. 다만, 고객의 주소를 알 수 없어 보낼 수 없는 경우에는 전화로 알릴 수 있다.
**③** 허가등에는 조건을 붙일 수 있으며 허가를 거부하는 경우에는 그 사유를 알려야 한다.
**④** 조합원의 사생활이 드러나는 경우에는 회의록을 보이지 아니한다.
**⑤** 통계를 아직 모두 집계하지 못한 경우에는 보이지 아니한다.
**⑥** 영업비밀이 새어 나갈 우려가 큰 경우에는 보이지 아니한다.
"""


def test_no_condition_keeps_a_topic_and_only_an_exception_is_called_one(parse):
    law = read_laws(parse("열람법", TOPICS)).acts[0]
    for seed in range(20):
        drafts = list(exceptions.generate(law, seed))
        assert [d.answer for d in drafts] == ["고객의 주소를 알 수 없어 보낼 수 없는 경우"]
        assert not any("조건을 붙일" in text for text in drafts[0].distractors)
        assert "단서" in drafts[0].stem
        assert "예외" not in drafts[0].stem
