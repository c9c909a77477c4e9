import itertools
import re
from pathlib import Path

import pytest

from kofinlaw.augment.hard.registry import HARD_GENERATORS
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.rewording.runs import LONGEST_RUN, Source, longest_run, shares_run
from kofinlaw.augment.settings import WEIGHTS
from kofinlaw.data.prompting.stems import is_negative

# Two particles in a row, a doubled denial, and a condition that lost its noun.
BROKEN = re.compile(
    r"[가-힣](?:을를|를을|은는|는은|을을|를를)(?= |$)|아니하지 않|아니하지 아니|(?:하|되|으)면 (?:가운데|두 가지)"
)
SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "statutes" / "acts"


@pytest.fixture(scope="module")
def drafts(hard_laws):
    law = hard_laws.acts[0]
    return [
        draft
        for seed in range(6)
        for generator in HARD_GENERATORS
        for draft in generator.generate(law, hard_laws, seed)
    ]


def test_every_kind_has_a_weight_and_the_act_gives_several_kinds(drafts):
    for generator in HARD_GENERATORS:
        assert set(generator.kinds) <= set(WEIGHTS)
    assert {d.kind for d in drafts} >= {
        "slot_member",
        "double_set",
        "topic_set",
        "slot_requirement",
    }


def test_drafts_are_complete_hard_and_of_the_polarity_that_their_stem_has(drafts, hard_law):
    ids = {article.id for article in hard_law.articles}
    for draft in drafts:
        assert draft.hard
        assert draft.document == hard_law.title
        assert set(draft.units) <= ids
        assert draft.focus
        assert len(draft.distractors) >= 3
        texts = [draft.answer, *draft.distractors]
        keys = [normalize(text) or text for text in texts]
        assert draft.kind == "combination" or len(set(keys)) == len(keys)
        if draft.kind != "combination":
            assert is_negative(draft.stem) == draft.negative, draft.stem


def test_no_stem_shares_a_long_run_with_its_articles(drafts, hard_law):
    by_id = {article.id: article for article in hard_law.articles}
    for draft in drafts:
        source = Source(line for u in draft.units for line in by_id[u].text.split("\n"))
        assert not shares_run(draft.stem, source), draft.stem


def test_a_long_run_of_the_key_is_in_other_options_too(drafts, hard_law):
    by_id = {article.id: article for article in hard_law.articles}
    for draft in drafts:
        if draft.negative or draft.kind in ("combination", "topic_set"):
            continue
        source = Source(line for u in draft.units for line in by_id[u].text.split("\n"))
        run = longest_run(draft.answer, source)
        ties = sum(longest_run(text, source) >= run for text in draft.distractors)
        assert run <= LONGEST_RUN or ties >= 1, draft


def test_the_same_seed_gives_the_same_drafts(hard_laws):
    law = hard_laws.acts[0]
    for generator in HARD_GENERATORS:
        one, two = (list(generator.generate(law, hard_laws, 3)) for _ in range(2))
        assert one == two


def test_list_items_of_another_list_are_wrong(drafts):
    lists = (
        ["속임수로 등록을", "한 해 넘게 영업을", "이용자의 돈을"],
        ["공시를 게을리", "표준약관과 다른", "민원을 제때"],
    )
    found = [d for d in drafts if d.kind == "slot_member"]
    assert found

    def home(text: str) -> int:
        return next(n for n, items in enumerate(lists) if any(i[:6] in text for i in items))

    for draft in found:
        assert {home(text) for text in draft.distractors} == {1 - home(draft.answer)}


def test_double_sets_hold_each_pair_of_versions(drafts):
    for draft in (d for d in drafts if d.kind == "double_set"):
        halves = [text.split("고, ", 1) for text in (draft.answer, *draft.distractors[:3])]
        ones, others = ({h[i] for h in halves} for i in (0, 1))
        assert len(ones) == len(others) == 2
        assert {tuple(h) for h in halves} == set(itertools.product(ones, others))


@pytest.mark.shared
@pytest.mark.parametrize("title", ["신탁법", "예금자보호법", "신용협동조합법"])
def test_acts_give_sound_hard_questions(title, parse):
    path = SHARED / f"{title}.md"
    if not path.is_file():
        pytest.skip("the development data next to the repository is absent")
    laws = read_laws(parse(title, path.read_text(encoding="utf-8").split("---", 2)[-1]))
    law = laws.acts[0]
    by_id = {article.id: article for article in law.articles}
    drafts = [d for g in HARD_GENERATORS for d in g.generate(law, laws, 1)]
    assert len({d.kind for d in drafts}) >= 5
    for draft in drafts:
        source = Source(line for u in draft.units for line in by_id[u].text.split("\n"))
        assert draft.kind in ("deadline", "share") or not shares_run(draft.stem, source)
        false = [draft.answer] if draft.negative else list(draft.distractors)
        assert not {normalize(text) for text in false} & laws.sentences, draft
        for text in (draft.answer, *draft.distractors):
            assert not BROKEN.search(text), text
