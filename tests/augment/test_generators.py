"""Definitions, figures, penalties, statements, references: what each kind of question asks."""

import re

import pytest

from kofinlaw.augment.generators import (
    definitions,
    grounded,
    modality,
    penalties,
    quantities,
    references,
    statements,
)
from kofinlaw.augment.generators import free_text as free
from kofinlaw.augment.generators.acts import read_laws
from kofinlaw.augment.generators.names import normal


def by_kind(drafts, kind):
    return [d for d in drafts if d.kind == kind]


def test_a_definition_asks_for_its_term_and_a_term_for_its_definition(law):
    drafts = list(definitions.generate(law, 0))
    asked = {d.answer: d for d in by_kind(drafts, "definition_term")}
    assert (
        '"재화의 구입에 따른 대가의 정산을 대행하거나 매개하는 것"을 뜻하는'
        in asked["결제대행"].stem
    )
    meanings = {d.stem: d.answer for d in by_kind(drafts, "term_definition")}
    assert (
        meanings["「전자지급 안전법」에서 '침해행위'의 뜻으로 옳은 것은?"]
        == "해킹이나 컴퓨터 바이러스로 전산설비를 공격하는 행위"
    )


DEFINITIONS = """
##### 제2조 (정의)

이 법에서 사용하는 용어의 뜻은 다음과 같다.

  1\\. "전자업자"란 제28조에 따라 등록을 한 자(금융회사는 제외한다)를 말한다.
  2\\. "평가업"이란 신용을 평가하여 제공하는 것을 말한다. 다만, 다른 법에 따른 것은 제외한다.
  3\\. "거래지시"란 이용자가 거래의 처리를 지시하는 것을 말한다.
  4\\. "오류"란 거래가 지시에 따라 이행되지 아니한 경우를 말한다.
  5\\. "접근매체"란 지시를 하기 위하여 쓰는 수단을 말한다.
"""


def test_a_definition_is_given_with_what_it_takes_out(parse):
    drafts = list(definitions.generate(read_laws(parse("정의법", DEFINITIONS)).acts[0], 0))
    asked = next(d for d in by_kind(drafts, "definition_term") if d.answer == "전자업자")
    assert '등록을 한 자(금융회사는 제외한다)"를 뜻하는' in asked.stem
    assert not any("'평가업'" in d.stem for d in by_kind(drafts, "term_definition"))
    pairs = [text for d in by_kind(drafts, "definition_mismatch") for text in d.distractors]
    assert pairs
    assert not any(text.startswith("평가업") for text in pairs)


def test_a_mismatched_pair_is_the_answer_of_a_negative_question(law):
    for draft in by_kind(definitions.generate(law, 0), "definition_mismatch"):
        term, _, meaning = draft.answer.partition(" - ")
        real = {t.term: t.meaning for t in definitions.terms(law)}
        assert draft.negative
        assert real[term] != meaning
        assert all(real[w.split(" - ")[0]] == w.split(" - ")[1] for w in draft.distractors)


def test_a_deadline_is_asked_with_near_figures_of_the_same_dimension(law):
    answers = {d.answer for d in quantities.generate(law, 0)}
    assert {"2주", "5년", "10일", "30일", "10억원"} <= answers
    for draft in quantities.generate(law, 0):
        true = quantities.quantities(draft.answer)[0]
        for wrong in draft.distractors:
            other = quantities.quantities(wrong)[0]
            assert other.dimension == true.dimension
            assert quantities.differ(true, other)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5천만원", 50_000_000),
        ("1억원", 100_000_000),
        ("1억5천만원", 150_000_000),
        ("300만원", 3_000_000),
        ("20억원", 2_000_000_000),
        ("10,000원", 10_000),
    ],
)
def test_amounts_are_read_as_statutes_write_them(text, value):
    assert quantities.won(text) == value


@pytest.mark.parametrize("value", [50_000_000, 100_000_000, 3_000_000, 150_000_000_000, 20_000])
def test_an_amount_written_is_read_back(value):
    assert quantities.won(quantities.won_text(value)) == value


def test_dates_and_article_numbers_are_no_figures():
    assert quantities.quantities("2020년 1월 1일부터 제3조제2항에 따라") == []
    found = quantities.quantities("그 사유를 안 날부터 14일 이내 또는 매출액의 100분의 3 이하")
    assert [q.text for q in found] == ["14일", "100분의 3"]


def test_twelve_months_and_a_year_do_not_differ():
    months, year = quantities.quantities("12개월 또는 1년")
    assert not quantities.differ(months, year)


def test_modality_options_are_the_same_verb_with_other_endings(law):
    draft = next(d for d in modality.generate(law, 0) if d.answer == "정정을" or "요구" in d.answer)
    assert draft.answer == "요구할 수 있다"
    assert "요구하여야 한다" in draft.distractors
    assert "요구하지 아니할 수 있다" not in draft.distractors


def test_a_permission_is_never_beside_the_freedom_to_leave_it(law):
    for draft in modality.generate(law, 0):
        if draft.answer.endswith("할 수 있다"):
            assert not any("아니할 수 있다" in d for d in draft.distractors)


def test_the_article_that_holds_a_sentence_is_asked_beside_its_likes(law):
    for draft in references.governing(law, 0):
        quote = re.search(r'"(.+)"$', draft.stem).group(1)
        assert normal(quote) in normal(law.by_number[draft.answer].text)
        for wrong in draft.distractors:
            assert normal(quote) not in normal(law.by_number[wrong].text)


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


def test_an_article_violated_by_much_the_same_deed_is_no_wrong_option(parse):
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
    asked = {d.answer: d.distractors for d in penalties.generate(law, 0) if "어느 규정" in d.stem}
    assert set(asked["제1조제1항"]) == {"제3조", "제4조", "제5조"}
    assert set(asked["제3조"]) >= {"제1조제1항", "제2조제5항"}


def test_a_false_statement_differs_from_its_sentence_and_is_nowhere_in_the_corpus(laws):
    drafts = [d for law in laws.acts for d in statements.generate(law, laws, 0)]
    assert by_kind(drafts, "statement_false")
    assert by_kind(drafts, "statement_true")
    for draft in drafts:
        false = [draft.answer] if draft.negative else draft.distractors
        true = draft.distractors if draft.negative else [draft.answer]
        assert not any(normal(text) in laws.sentences for text in false)
        assert all(normal(text) in laws.sentences for text in true)


def test_a_sentence_of_another_article_is_what_an_article_does_not_say(laws):
    for law in laws.acts:
        for draft in statements.not_of_article(law, 0):
            here = normal(law.by_number[draft.units[0].split()[-1]].text)
            assert normal(draft.answer) not in here
            assert all(normal(text) in here for text in draft.distractors)


def test_free_text_references_have_forty_to_ninety_characters(law):
    items = list(free.generate(law))
    assert items
    for item in items:
        assert free.SHORTEST <= len(item.reference) <= free.LONGEST
        assert item.keywords


def test_drafts_do_not_depend_on_the_other_acts(acts, laws):
    alone = read_laws([a for a in acts if a.title == "금융분쟁 조정법"])
    titles = frozenset(["금융분쟁 조정법"])
    with_others = [d for d in grounded.drafts(laws, 3, titles=titles) if d.kind != "which_act"]
    by_itself = [d for d in grounded.drafts(alone, 3) if d.kind != "which_act"]
    assert with_others == by_itself


def test_every_answer_differs_from_its_distractors(laws):
    for draft in grounded.drafts(laws, 1):
        keys = [normal(text) for text in (draft.answer, *draft.distractors)]
        assert len(set(keys)) == len(keys), draft
