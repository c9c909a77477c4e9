from kofinlaw.augment.generators.registry import draft_questions
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.reading.names import normalize


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
