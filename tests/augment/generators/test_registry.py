from kofinlaw.augment.generators.registry import GROUNDED_GENERATORS, draft_questions
from kofinlaw.augment.hard.registry import HARD_GENERATORS
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.settings import WEIGHTS


def test_every_kind_has_one_generator_and_a_weight():
    kinds = [kind for generator in GROUNDED_GENERATORS for kind in generator.kinds]
    assert len(set(kinds)) == len(kinds)
    assert {k for g in HARD_GENERATORS for k in g.kinds}.isdisjoint(kinds)
    assert set(kinds) | {k for g in HARD_GENERATORS for k in g.kinds} == set(WEIGHTS)


def test_a_generator_yields_only_its_kinds(laws):
    for generator in GROUNDED_GENERATORS:
        found = {d.kind for law in laws.acts for d in generator.generate(law, laws, 0)}
        assert found <= set(generator.kinds)


def test_drafts_do_not_depend_on_the_other_acts(acts, laws):
    alone = read_laws([a for a in acts if a.title == "금융분쟁 조정법"])
    titles = frozenset(["금융분쟁 조정법"])
    with_others = [d for d in draft_questions(laws, 3, titles=titles) if d.kind != "which_act"]
    by_itself = [d for d in draft_questions(alone, 3) if d.kind != "which_act"]
    assert with_others == by_itself


def test_every_answer_differs_from_its_distractors(laws):
    for draft in draft_questions(laws, 1):
        keys = [normalize(text) for text in (draft.answer, *draft.distractors)]
        assert len(set(keys)) == len(keys), draft
