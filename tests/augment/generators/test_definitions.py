from kofinlaw.augment.generators import definitions
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.reading.terms import read_terms


def by_kind(drafts, kind):
    return [d for d in drafts if d.kind == kind]


def test_a_definition_asks_for_its_term_and_a_term_for_its_definition(law):
    drafts = list(definitions.generate(law, 0))
    asked = {d.answer: d for d in by_kind(drafts, "definition_term")}
    assert "재화의 구입에 따른 대가의 정산을 대행하거나 매개하는 것" in asked["결제대행"].stem
    meanings = [d.answer for d in by_kind(drafts, "term_definition") if "'침해행위'" in d.stem]
    assert meanings == ["해킹이나 컴퓨터 바이러스로 전산설비를 공격하는 행위"]


def test_a_concept_question_explains_one_term_rightly_and_others_with_foreign_meanings(law):
    real = {t.term: t.meaning for t in read_terms(law)}
    drafts = [d for d in definitions.generate(law, 0) if d.answer.endswith("말한다.")]
    assert any(d.kind == "term_definition" for d in drafts)
    for draft in drafts:
        true = draft.distractors if draft.negative else [draft.answer]
        false = [draft.answer] if draft.negative else draft.distractors
        for text in (*true, *false):
            term = next(t for t in real if text.startswith((f"{t}이란", f"{t}란")))
            assert (real[term] in text) == (text in true)


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
    assert "등록을 한 자(금융회사는 제외한다)" in asked.stem
    assert not any("'평가업'" in d.stem for d in by_kind(drafts, "term_definition"))
    pairs = [text for d in by_kind(drafts, "definition_mismatch") for text in d.distractors]
    assert pairs
    assert not any(text.startswith("평가업") for text in pairs)
    assert all(text.startswith(("전자업자", "거래지시", "오류", "접근매체")) for text in pairs)


def test_a_mismatched_pair_is_the_answer_of_a_negative_question(law):
    drafts = by_kind(definitions.generate(law, 0), "definition_mismatch")
    pairs = [d for d in drafts if " - " in d.answer]
    assert pairs
    for draft in pairs:
        term, _, meaning = draft.answer.partition(" - ")
        real = {t.term: t.meaning for t in read_terms(law)}
        assert draft.negative
        assert real[term] != meaning
        assert all(real[w.split(" - ")[0]] == w.split(" - ")[1] for w in draft.distractors)
