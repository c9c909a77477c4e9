"""Two texts that mean the same, and changes in either direction that a rule finds."""

import pytest

from kofinlaw.augment.teacher.equivalence import equivalence
from kofinlaw.augment.teacher.filters import first_failure

LAW = "지급업자는 이용자의 요청을 받은 날부터 14일 이내에 감독위원회에 보고하여야 한다."


@pytest.mark.parametrize(
    "text",
    [
        LAW,
        "이용자의 요청을 받은 지급업자는 그날부터 2주 안에 감독위원회에 보고하여야 한다.",
        "감독위원회에 대한 지급업자의 보고는 이용자의 요청을 받은 날부터 14일 이내에 하여야 합니다.",
    ],
)
def test_a_sound_paraphrase_passes_in_both_directions(text):
    assert first_failure(equivalence(LAW, text)) is None
    assert first_failure(equivalence(text, LAW)) is None


@pytest.mark.parametrize(
    ("text", "check"),
    [
        (LAW.replace("14일", "15일"), "same_figures"),
        (LAW.replace("14일 이내에", "지체 없이"), "same_figures"),
        (LAW.replace("이내", "이후"), "same_figures"),
        (LAW.replace("지급업자", "협회장"), "same_parties"),
        (LAW.replace("감독위원회에 ", ""), "same_parties"),
        (LAW.replace("보고하여야 한다", "보고할 수 있다"), "same_polarity"),
        (LAW.replace("보고하여야 한다", "보고하지 아니한다"), "same_polarity"),
    ],
)
def test_a_change_is_found_in_both_directions(text, check):
    for first, second in ((LAW, text), (text, LAW)):
        assert check in {v.check for v in equivalence(first, second) if not v.ok}


@pytest.mark.parametrize(
    ("old", "new"),
    [("3분의 2 이상", "3분의 2 이하"), ("19세 이상", "19세 미만"), ("5건 초과", "5건 미만")],
)
def test_the_bound_of_any_unit_is_compared(old, new):
    first, second = (f"위원회는 {figure}인 경우 이를 의결한다." for figure in (old, new))
    assert [v.check for v in equivalence(first, second) if not v.ok] == ["same_figures"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("과태료 100만원을 부과한다.", "과태료 1,000,000원을 부과한다."),
        ("은행은 1개월 이내에 알려야 한다.", "은행은 한 달 안에 알려야 한다."),
        ("금융위원회에 보고하여야 한다.", "금융위에 보고하여야 한다."),
    ],
)
def test_the_same_quantity_or_party_in_another_spelling_passes(first, second):
    assert first_failure(equivalence(first, second)) is None


def test_a_citation_may_be_dropped_but_not_added():
    cited = f"「전자지급 안전법」 제4조제1항에 따르면 {LAW}"
    assert first_failure(equivalence(cited, LAW)) is None
    assert first_failure(equivalence(LAW, cited)).check == "same_articles"


def test_questions_are_compared_by_the_polarity_of_their_stems():
    first, second = "설명으로 옳지 않은 것은?", "다음 설명 가운데 틀린 것은?"
    assert first_failure(equivalence(first, second, question=True)) is None
    turned = equivalence(first, "다음 설명 가운데 맞는 것은?", question=True)
    assert first_failure(turned).check == "same_polarity"
