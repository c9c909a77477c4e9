import random
from collections import Counter
from dataclasses import replace

from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.giveaways import describe, longest_credit, overlap_credit
from kofinlaw.augment.option_choice import build, problem, true_elsewhere
from kofinlaw.augment.selection import NEGATIVE, NUMERIC, select

DRAFT = Draft(
    "quantity", "며칠인가?", "10일", ("5일", "7일", "14일", "30일"), ("법 제1조",), ("10일",)
)


def test_an_item_has_the_answer_once_at_its_place():
    item = build(DRAFT, 5, random.Random(0))
    assert item is not None
    assert item.options[item.answer] == "10일"
    assert sorted(item.options) == sorted(["10일", *DRAFT.distractors])
    assert item.label == str(item.answer + 1)


def test_a_draft_with_two_distractors_gives_no_item():
    assert build(replace(DRAFT, distractors=("5일", "7일")), 4, random.Random(0)) is None


def test_the_longest_option_is_the_answer_about_as_often_as_chance():
    rng = random.Random(1)
    pool = ["가" * n for n in range(5, 45, 5)]
    rows = []
    for _ in range(2000):
        answer = rng.choice(pool)
        draft = replace(DRAFT, answer=answer, distractors=tuple(p for p in pool if p != answer))
        item = build(draft, 4, rng)
        rows.append((item.options, item.answer))
    assert abs(describe(rows)["longest_gain"]) < 4


def test_equal_options_and_an_answer_in_the_stem_are_refused():
    item = build(replace(DRAFT, distractors=("10 일", "7일", "14일")), 4, random.Random(0))
    assert problem(item)[0] == "duplicate_option"
    told = replace(DRAFT, stem="개인정보처리자는 누구인가?", answer="개인정보처리자")
    assert problem(build(told, 4, random.Random(0)))[0] == "answer_in_stem"


def test_a_false_statement_that_the_corpus_says_is_found():
    draft = replace(DRAFT, kind="statement_false", negative=True, answer="은행은 알려야 한다.")
    item = build(draft, 4, random.Random(0))
    assert true_elsewhere(item, frozenset(["은행은알려야한다"])) == "은행은 알려야 한다."
    assert true_elsewhere(item, frozenset()) == ""


def test_overlap_takes_the_least_for_a_negative_stem_and_shares_ties():
    options = [{"가", "나"}, {"가"}, {"다"}]
    assert overlap_credit(options, 0, [{"가", "나"}]) == 0.5
    assert overlap_credit(options, 2, [{"가", "나"}]) == 0
    assert overlap_credit(options, 2, [{"가", "나"}], negative=True) == 1


def test_the_longest_option_shares_ties():
    assert longest_credit(["가", "나나", "다다"], 1) == 0.5


def _drafts(kind: str, count: int) -> list[Draft]:
    return [
        replace(DRAFT, kind=kind, stem=f"{kind} {n}", units=(f"법 제{n}조",)) for n in range(count)
    ]


def _select(drafts, count, weights, **changes):
    wanted = {"most_by_article": 9, "negative_share": 0.0, "numeric_share": 0.0, **changes}
    return select(drafts, count, weights, rng=random.Random(0), **wanted)


def test_kinds_are_taken_by_weight_and_shortages_go_to_the_others():
    drafts = _drafts("quantity", 100) + _drafts("actor", 100) + _drafts("chain", 3)
    taken = _select(drafts, 100, {"quantity": 2, "actor": 1, "chain": 1})
    counts = Counter(d.kind for d in taken)
    assert counts["chain"] == 3
    assert abs(counts["quantity"] - 2 * counts["actor"]) <= 2
    assert sum(counts.values()) == 100


def test_no_article_is_asked_more_often_than_allowed():
    drafts = [replace(DRAFT, stem=str(n)) for n in range(30)]
    assert len(_select(drafts, 30, {"quantity": 1}, most_by_article=4)) == 4


def test_least_shares_are_kept_by_taking_fewer_of_the_others():
    drafts = _drafts("actor", 100) + _drafts("enumeration_not", 10) + _drafts("quantity", 10)
    weights = {"actor": 1, "enumeration_not": 1, "quantity": 1}
    taken = _select(drafts, 120, weights, negative_share=0.3, numeric_share=0.2)
    assert sum(d.kind in NEGATIVE for d in taken) >= 0.3 * len(taken)
    assert sum(d.kind in NUMERIC for d in taken) >= 0.2 * len(taken)
