from kofinlaw.augment.generators import statements
from kofinlaw.augment.reading.names import normalize


def by_kind(drafts, kind):
    return [d for d in drafts if d.kind == kind]


def test_a_false_statement_differs_from_its_sentence_and_is_nowhere_in_the_corpus(laws):
    drafts = [d for law in laws.acts for d in statements.generate(law, laws, 0)]
    assert by_kind(drafts, "statement_false")
    assert by_kind(drafts, "statement_true")
    for draft in drafts:
        false = [draft.answer] if draft.negative else draft.distractors
        true = draft.distractors if draft.negative else [draft.answer]
        assert not any(normalize(text) in laws.sentences for text in false)
        assert all(normalize(text) in laws.sentences for text in true)


def test_a_sentence_of_another_article_is_what_an_article_does_not_say(laws):
    for law in laws.acts:
        for draft in statements.not_of_article(law, 0):
            here = normalize(law.by_number[draft.units[0].split()[-1]].text)
            assert normalize(draft.answer) not in here
            assert all(normalize(text) in here for text in draft.distractors)
