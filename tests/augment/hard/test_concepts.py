from kofinlaw.augment.hard.concepts import generate
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.rewording.runs import Source, shares_run

TERMS = {
    "송금인": "자금을 보내려고 결제업자에게 지급을 지시하는 자",
    "수취인": "송금에 따라 결제업자로부터 자금을 받는 자",
    "중개인": "계약의 체결을 이용자에게 권유하는 자",
    "보증인": "이용자의 채무를 결제업자에게 대신 갚기로 약속한 자",
    "결제망": "결제업자 사이에 자금을 옮기는 전산시설",
}


def drafts(parse, terms):
    items = "\n".join(
        f'  {n}\\. "{term}"이란 {meaning}를 말한다.'
        for n, (term, meaning) in enumerate(terms.items(), 1)
    )
    text = f"##### 제2조 (정의)\n\n이 법에서 사용하는 용어의 뜻은 다음과 같다.\n\n{items}\n"
    laws = read_laws(parse("결제업법", text))
    return laws, [d for seed in range(6) for d in generate(laws.acts[0], laws, seed)]


def words(text):
    return {w[:2] for w in text.rstrip(".").split()}


def test_a_term_gets_its_own_definition_and_a_definition_its_term(parse):
    laws, found = drafts(parse, TERMS)
    assert found
    source = Source(laws.acts[0].articles[0].text.split("\n"))
    asked = set()
    for draft in found:
        assert not shares_run(draft.stem, source)
        if draft.answer in TERMS:
            meaning = draft.stem[draft.stem.index("(") + 1 : -1]
            term = draft.answer
        else:
            meaning, term = draft.answer, draft.stem.split("'")[1]
        asked.add(draft.answer in TERMS)
        best = max(TERMS, key=lambda t: len(words(TERMS[t]) & words(meaning)))
        assert best == term
        assert len(set(draft.distractors)) == len(draft.distractors) >= 3
    assert asked == {True, False}


def test_a_term_that_another_definition_names_is_no_wrong_answer(parse):
    terms = {**TERMS, "송금대리인": "송금인을 위하여 결제업자에게 지급을 부탁하는 자"}
    _, found = drafts(parse, terms)
    for draft in found:
        if draft.answer == "송금인":
            assert "송금대리인" not in draft.distractors
