from pathlib import Path

import pytest

from kofinlaw.augment.generators.drafts import source_rng
from kofinlaw.augment.generators.registry import draft_questions
from kofinlaw.augment.hard.registry import HARD_GENERATORS
from kofinlaw.augment.raft import PassageIndex, holds_phrases
from kofinlaw.augment.reading.acts import read_laws
from kofinlaw.augment.reading.clauses import clean, simplify
from kofinlaw.augment.reading.names import normalize
from kofinlaw.records import Chunk

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "statutes" / "acts"
FIRST, SECOND = "감독위원회는 등록을 취소할 수 있다", "결제업자는 장부를 5년간 보존하여야 한다"


def words(text):
    return len(text.split())


def passages_of(articles, lines_each):
    """Return the articles as passages of at most `lines_each` lines below their header."""
    out = []
    for article in articles:
        rows = [line for line in article.text.split("\n") if line.strip()]
        for number, start in enumerate(range(0, len(rows), lines_each)):
            text = "\n".join([f"[{article.id}]", *rows[start : start + lines_each]])
            out.append(chunk(f"{article.id}/{number}", article.id, text))
    return out


def chunk(name, unit, text):
    title = unit.partition(" ")[0]
    return Chunk(name, title, title, "statute", "", unit, text, "2025-01-01", "t", "t", name)


def evidence(index, focus, budget=200, units=("법 제1조",)):
    return index.evidence(
        "등록 장부", units, focus, distractors=2, budget_tokens=budget, rng=source_rng(1, "raft")
    )


@pytest.fixture
def split():
    """An article in two passages, and another one."""
    return PassageIndex(
        [
            chunk("a", "법 제1조", f"제1조\n① {FIRST}."),
            chunk("b", "법 제1조", f"제1조\n② {SECOND}(부칙을 포함한다)."),
            chunk("c", "법 제2조", "제2조\n감독원장은 장부를 검사한다."),
        ],
        words,
    )


def test_all_passages_that_hold_a_deciding_phrase_are_gold(split):
    assert split.gold(["법 제1조"], [FIRST, SECOND]) == [0, 1]
    assert split.gold(["법 제1조"], [SECOND]) == [1]
    assert split.gold(["법 제1조"], []) == [0]
    found = evidence(split, [FIRST, SECOND])
    assert found.complete
    assert holds_phrases(found.texts, [FIRST, SECOND])


def test_a_phrase_that_no_passage_holds_makes_the_evidence_incomplete(split):
    assert not evidence(split, [FIRST, "결제업자는 장부를 버린다"]).complete


def test_two_passages_that_do_not_fit_the_budget_are_incomplete(split):
    assert not evidence(split, [FIRST, SECOND], budget=9).complete


def test_a_phrase_with_a_bracket_is_found(split):
    assert evidence(split, [f"{SECOND}(부칙을 포함한다)"]).complete


def shown(found, phrase):
    """Return whether a line of the texts holds the phrase: written apart from the code it tests."""
    lines = [normalize(simplify(clean(line))[0]) for text in found for line in text.split("\n")]
    phrases = {normalize(phrase), normalize(simplify(clean(phrase))[0])}
    return any(p in line for p in phrases if p for line in lines)


def check(laws, titles, lines_each):
    articles = [a for law in laws.acts if law.title in titles for a in law.articles]
    index = PassageIndex(passages_of(articles, lines_each), words)
    complete, split_ones = 0, 0
    for draft in draft_questions(laws, 5, titles=titles, extra=HARD_GENERATORS):
        query = " ".join([draft.stem, draft.answer, *draft.distractors[:3]])
        found = index.evidence(
            query,
            draft.units,
            draft.focus,
            distractors=3,
            budget_tokens=160,
            rng=source_rng(5, draft.stem),
        )
        if found.complete:
            complete += 1
            assert all(shown(found.texts, phrase) for phrase in draft.focus), draft
            split_ones += len(index.gold(draft.units, draft.focus)) > len(set(draft.units))
    return complete, split_ones


def test_complete_evidence_of_every_kind_shows_every_deciding_phrase(laws):
    complete, split_ones = check(laws, frozenset(laws.titles), 2)
    assert complete > 50
    assert split_ones > 0


@pytest.mark.shared
@pytest.mark.parametrize(
    "title", ["예금자보호법", "금융지주회사법", "신용협동조합법_시행령", "수표법"]
)
def test_complete_evidence_of_real_acts_shows_every_deciding_phrase(title, parse):
    path = SHARED / f"{title}.md"
    if not path.is_file():
        pytest.skip("the development data next to the repository is absent")
    laws = read_laws(parse(title, path.read_text(encoding="utf-8").split("---", 2)[-1]))
    complete, split_ones = check(laws, frozenset(laws.titles), 4)
    assert complete > 20
    assert split_ones > 0 or title == "수표법"
