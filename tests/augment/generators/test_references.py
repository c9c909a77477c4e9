import pytest

from kofinlaw.augment.generators import references
from kofinlaw.augment.reading.names import normalize


def test_the_article_that_holds_a_sentence_is_asked_beside_its_likes(law):
    for draft in references.governing(law, 0):
        held = [c.main for c in law.by_article[draft.units[0]] if draft.focus[0] in c.main]
        assert draft.units == (law.by_number[draft.answer].id,)
        assert normalize(held[0])[:-1] in normalize(draft.stem)
        for wrong in draft.distractors:
            assert normalize(held[0]) not in normalize(law.by_number[wrong].text)


def test_a_chain_rests_on_both_articles(law):
    drafts = list(references.chains(law, 0))
    draft = next(d for d in drafts if "제6조제1항" in d.stem)
    assert draft.answer == "결제대행업의 요건"
    assert draft.units == ("전자지급 안전법 제6조", "전자지급 안전법 제5조")
    assert "제5조" not in draft.stem


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("개인정보처리자는 법 제15조제3항 또는 제17조제4항에 따라 이용하려는 경우", []),
        ("법 제35조의2에 따른 사무를 위하여 제19조에 따른 번호를", ["제19조"]),
        ("「민법」 제3조부터 제5조까지 및 제7조를 준용한다.", []),
        ("제28조의2에도 불구하고", ["제28조의2"]),
    ],
)
def test_an_article_named_after_one_of_another_act_is_that_acts(text, own):
    assert references.own_articles(text) == own
