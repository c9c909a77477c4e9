"""The order of reading: the same for all readers, and a sample without gaps."""

from dataclasses import replace

from review_examples import choice_example, free_example, verdict

from kofinlaw.augment.review.outcomes import current_verdicts
from kofinlaw.augment.review.sample import first_outcomes, reading_order

MANY = [choice_example(f"quantity-{number}") for number in range(40)]


def names(examples):
    return [example.id for example in examples]


def test_the_order_is_random_and_the_same_for_any_order_of_the_file():
    found = names(reading_order(MANY, 7).kinds["choice_quantity"])
    assert found == names(reading_order(MANY[::-1], 7).kinds["choice_quantity"])
    assert found != names(MANY)
    assert found != names(reading_order(MANY, 8).kinds["choice_quantity"])
    assert sorted(found) == sorted(names(MANY))


def test_examples_that_go_leave_the_order_of_the_others():
    found = names(reading_order(MANY, 7).kinds["choice_quantity"])
    fewer = [example for example in MANY if example.id != found[3]]
    assert names(reading_order(fewer, 7).kinds["choice_quantity"]) == [*found[:3], *found[4:]]


def test_each_kind_has_its_own_order():
    sample = reading_order(
        [free_example(), *MANY, replace(MANY[0], id="x", task="verification")], 7
    )
    assert {kind: len(found) for kind, found in sample.kinds.items()} == {
        "choice_quantity": 40, "free": 1, "verification": 1,
    }  # fmt: skip


def test_only_examples_before_the_first_gap_count():
    sample = reading_order(MANY, 7)
    order = sample.kinds["choice_quantity"]

    def first(verdicts):
        return first_outcomes(sample, "choice_quantity", current_verdicts(verdicts))

    verdicts = [verdict(order[0]), verdict(order[1], "wrong"), verdict(order[3], "wrong")]
    assert first(verdicts) == ["right", "wrong"]
    verdicts.append(verdict(order[2], "unclear"))
    assert first(verdicts) == ["right", "wrong", "unclear", "wrong"]
    other_text = [verdict(order[0], sha256="0" * 64)]
    assert first(other_text) == []
