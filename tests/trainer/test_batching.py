"""Which examples a step holds and how it is split into micro-batches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.trainer.batching import (
    PASS_COST_TOKENS,
    pad_micro_batch,
    plan_steps,
    split_micro_batches,
    split_over_ranks,
)

LENGTHS = st.lists(st.integers(1, 300), min_size=1, max_size=24)


@given(LENGTHS, st.integers(1, 900))
@settings(max_examples=60, deadline=None)
def test_a_cut_holds_every_example_once_within_the_budget(lengths, budget):
    cuts = split_micro_batches(range(len(lengths)), lengths, budget)
    assert sorted(i for part in cuts for i in part) == list(range(len(lengths)))
    for part in cuts:
        assert len(part) == 1 or max(lengths[i] for i in part) * len(part) <= budget


@given(st.lists(st.integers(1, 60), min_size=1, max_size=7), st.integers(1, 200))
@settings(max_examples=40, deadline=None)
def test_no_cut_of_the_sorted_row_is_cheaper(lengths, budget):
    row = sorted(lengths)

    def cost(parts):
        return sum(max(p) * len(p) + PASS_COST_TOKENS for p in parts)

    def fits(parts):
        return all(len(p) == 1 or max(p) * len(p) <= budget for p in parts)

    every = []
    for mask in range(2 ** (len(row) - 1)):
        parts = [[row[0]]]
        for i, length in enumerate(row[1:]):
            if mask >> i & 1:
                parts.append([length])
            else:
                parts[-1].append(length)
        if fits(parts):
            every.append(cost(parts))
    ours = [
        [lengths[i] for i in part]
        for part in split_micro_batches(range(len(lengths)), lengths, budget)
    ]
    assert cost(ours) == min(every)


@given(LENGTHS, st.integers(1, 900), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_the_rows_of_an_example_stay_together_and_count_in_the_budget(lengths, budget, seed):
    rows = np.random.default_rng(seed).integers(1, 9, len(lengths)).tolist()
    cuts = split_micro_batches(range(len(lengths)), lengths, budget, rows)
    assert sorted(i for part in cuts for i in part) == list(range(len(lengths)))
    for part in cuts:
        padded = max(lengths[i] for i in part) * sum(rows[i] for i in part)
        assert len(part) == 1 or padded <= budget
    alone = [1] * len(lengths)
    assert split_micro_batches(range(len(lengths)), lengths, budget, alone) == (
        split_micro_batches(range(len(lengths)), lengths, budget)
    )


@given(LENGTHS, st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_processes_share_a_step_without_loss(lengths, ranks):
    parts = split_over_ranks(range(len(lengths)), lengths, ranks)
    assert len(parts) == ranks
    assert sorted(i for part in parts for i in part) == list(range(len(lengths)))


@given(st.integers(1, 50), st.integers(1, 9), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_an_epoch_shows_each_example_once(count, batch, seed):
    plan = plan_steps([1] * count, seed=seed, batch=batch, epochs=2)
    stream = [i for step in range(plan.steps) for i in plan.members(step)]
    assert sorted(stream[:count]) == sorted(stream[count:]) == list(range(count))


def test_a_step_is_decided_by_seed_and_number_alone():
    long = plan_steps([1] * 20, seed=7, batch=8, epochs=5)
    short = plan_steps([1] * 20, seed=7, batch=8, epochs=5, max_steps=4)
    assert short.steps == 4
    assert [short.members(s) for s in range(4)] == [long.members(s) for s in range(4)]
    assert plan_steps([1] * 20, seed=8, batch=8, epochs=5).members(0) != long.members(0)


def test_the_token_cap_stops_before_the_step_that_would_pass_it():
    assert plan_steps([10] * 20, seed=0, batch=4, epochs=1, max_tokens=119).steps == 2
    assert plan_steps([10] * 20, seed=0, batch=4, epochs=1, max_tokens=120).steps == 3
    assert plan_steps([10] * 20, seed=0, batch=4, epochs=1, max_tokens=5).steps == 1


@pytest.mark.parametrize("epochs, steps, last", [(1, 3, 2), (0.5, 2, 1), (2, 5, 4)])
def test_the_last_step_may_be_short(epochs, steps, last):
    plan = plan_steps([1] * 10, seed=0, batch=4, epochs=epochs)
    assert plan.steps == steps
    assert len(plan.members(steps - 1)) == last


def test_padding_stands_behind_and_positions_point_one_back():
    rows = [np.array([5, 6, 7]), np.array([8, 9])]
    masks = [np.array([False, False, True]), np.array([False, True])]
    ids, positions, targets = pad_micro_batch(rows, masks)
    assert ids.tolist() == [[5, 6, 7], [8, 9, 0]]
    assert positions.tolist() == [1, 3]
    assert targets.tolist() == [7, 9]
