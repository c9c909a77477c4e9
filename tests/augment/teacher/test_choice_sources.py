"""What a teacher is shown for multiple-choice examples."""

from collections import Counter

import pytest

from kofinlaw.augment.generators.registry import draft_questions
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.teacher.choice_sources import (
    LONGEST_CHOICE_PASSAGE,
    PARAPHRASED,
    STAGED,
    choice_sources,
    pair_sources,
)


@pytest.fixture(scope="module")
def drafts(laws):
    return list(draft_questions(laws, 1))


def test_a_question_comes_with_the_provision_that_decides_it(laws, drafts):
    found = choice_sources(drafts, laws.acts, 1, PARAPHRASED)
    assert len(found) > 30
    by_key = {(d.stem, d.answer): d for d in drafts}
    for source in found:
        draft = by_key[source.question, source.answer]
        assert draft.kind in PARAPHRASED
        assert source.options[source.right] == draft.answer
        assert source.negative == draft.negative
        assert len(source.passage) <= LONGEST_CHOICE_PASSAGE
        assert all(normalize(phrase) in normalize(source.passage) for phrase in draft.focus)
    assert found == choice_sources(drafts, laws.acts, 1, PARAPHRASED)
    assert len({source.right for source in found}) >= 4


def test_a_case_asks_only_who_towards_whom_and_how_much(laws, drafts):
    staged = choice_sources(drafts, laws.acts, 1, STAGED)
    kinds = {(d.stem, d.answer): d.kind for d in drafts}
    assert {kinds[s.question, s.answer] for s in staged} <= STAGED
    assert 0 < len(staged) < len(choice_sources(drafts, laws.acts, 1, PARAPHRASED))


def test_questions_of_other_acts_are_left_out(laws, drafts):
    one = choice_sources(drafts, laws.acts[:1], 1, PARAPHRASED)
    assert {source.title for source in one} == {laws.acts[0].title}


def test_a_pair_has_two_values_each_as_often_and_one_right_option(laws):
    pairs = pair_sources(laws.acts, 1)
    assert pairs
    for pair in pairs:
        assert pair.second is not None
        right = f"(가) {pair.answer}, (나) {pair.second.answer}"
        assert pair.options[pair.right] == right
        assert len(set(pair.options)) == 4
        values = Counter(part for option in pair.options for part in option.split(", (나) "))
        assert set(values.values()) == {2}
        assert pair.answer in pair.passage
        assert pair.second.answer in pair.second.passage
        assert pair.passage != pair.second.passage


def test_the_values_of_a_pair_are_equal_as_often_as_not(laws):
    pairs = pair_sources(laws.acts, 1)
    assert sum(p.answer == p.second.answer for p in pairs) * 2 == len(pairs)
