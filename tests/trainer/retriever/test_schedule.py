"""Which pairs each step sees."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.trainer.retriever.schedule import OWN, TrainingPair, hold_out, schedule


def made(count: int, kind: str, first: int = 0) -> list[TrainingPair]:
    numbers = range(first, first + count)
    return [TrainingPair(f"{kind} {n}", f"passage {n}", "", kind, f"unit {n}") for n in numbers]


@given(
    counts=st.dictionaries(
        st.sampled_from(["heading", "citing", OWN]), st.integers(8, 30), min_size=1
    ),
    seed=st.integers(0, 99),
)
@settings(max_examples=30, deadline=None)
def test_no_unit_is_twice_in_a_batch(counts: dict[str, int], seed: int) -> None:
    pairs = [pair for kind, count in counts.items() for pair in made(count, kind)]
    batches = schedule(pairs, steps=5, batch=6, own_share=0.4, seed=seed)
    assert batches == schedule(pairs, steps=5, batch=6, own_share=0.4, seed=seed)
    assert [len(batch) for batch in batches] == [6] * 5
    for batch in batches:
        assert len({pair.unit for pair in batch}) == 6


def test_own_pairs_get_their_share_and_rare_kinds_more_than_theirs() -> None:
    pairs = [*made(1600, "citing"), *made(100, "definition", 2000), *made(50, OWN, 3000)]
    seen = Counter(
        pair.kind
        for batch in schedule(pairs, steps=200, batch=20, own_share=0.4, seed=0)
        for pair in batch
    )
    assert seen[OWN] / 4000 == pytest.approx(0.4, abs=0.05)
    assert seen["definition"] / 4000 == pytest.approx(0.6 * 10 / 50, abs=0.03)


def test_court_issues_share_the_part_of_own_pairs() -> None:
    pairs = [*made(900, "citing"), *made(400, "decision", 2000), *made(100, OWN, 3000)]
    seen = Counter(
        pair.kind
        for batch in schedule(pairs, steps=200, batch=20, own_share=0.6, seed=0)
        for pair in batch
    )
    assert seen["decision"] / 4000 == pytest.approx(0.4, abs=0.05)
    assert seen[OWN] / 4000 == pytest.approx(0.2, abs=0.04)


def test_every_pair_is_seen_before_one_is_repeated() -> None:
    pairs = made(40, "citing")
    seen = [p for batch in schedule(pairs, steps=4, batch=10, own_share=0.4, seed=3) for p in batch]
    assert len(set(seen)) >= 36  # a batch skips a pair whose unit it has


def test_a_batch_larger_than_the_units_is_named() -> None:
    with pytest.raises(UserError, match="needs as many units") as caught:
        schedule(made(5, "citing"), steps=1, batch=8, own_share=0.4, seed=0)
    assert "at most 5" in (caught.value.remedy or "")


def test_all_pairs_of_a_unit_are_on_one_side() -> None:
    pairs = [*made(100, "citing"), *made(100, "heading")]
    train, held = hold_out(pairs, 0.2, seed=1)
    assert len(train) + len(held) == 200
    assert len({pair.unit for pair in held}) == 20
    assert not {pair.unit for pair in train} & {pair.unit for pair in held}
    assert hold_out(pairs, 0.0, seed=1) == (pairs, [])


def test_a_held_out_question_is_not_trained_on_with_its_other_articles() -> None:
    pairs = [
        TrainingPair(f"issue {n // 3}", f"passage {n}", "", "decision", f"unit {n}")
        for n in range(90)
    ]
    train, held = hold_out(pairs, 0.2, seed=0)
    assert train
    assert not {pair.anchor for pair in train} & {pair.anchor for pair in held}


def test_a_batch_larger_than_the_queries_is_named() -> None:
    pairs = [TrainingPair("one query", f"passage {n}", "", OWN, f"unit {n}") for n in range(9)]
    with pytest.raises(UserError, match="different queries, and there are 1") as caught:
        schedule(pairs, steps=1, batch=4, own_share=0.4, seed=0)
    assert caught.value.where == "retriever.batch"


def test_a_batch_ends_where_no_pair_with_another_unit_and_query_is_left() -> None:
    issue = [TrainingPair("issue", f"passage {n}", "", "decision", f"unit {n}") for n in range(9)]
    others = [TrainingPair(f"query {n}", "passage 0", "", "heading", "unit 0") for n in range(9)]
    batches = schedule([*issue, *others], steps=20, batch=4, own_share=0.4, seed=0)
    assert {len(batch) for batch in batches} <= {1, 2}
    for batch in batches:
        assert len({pair.unit for pair in batch}) == len({pair.anchor for pair in batch})
