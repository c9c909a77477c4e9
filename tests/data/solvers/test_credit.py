"""Credit for the best option, shared by ties."""

from hypothesis import given
from hypothesis import strategies as st

from kofinlaw.data.solvers.credit import chosen_option, credit_of, shared_credit

SCORES = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=6)


@given(SCORES)
def test_credit_adds_up_to_one_and_only_the_best_have_it(scores):
    credit = shared_credit(scores)
    assert abs(sum(credit) - 1) < 1e-12
    assert {score for score, share in zip(scores, credit, strict=True) if share} == {max(scores)}
    assert len({share for share in credit if share}) == 1


@given(SCORES, st.randoms(use_true_random=False))
def test_the_order_of_options_does_not_change_their_credit(scores, rng):
    order = list(range(len(scores)))
    rng.shuffle(order)
    turned = [scores[index] for index in order]
    for place, index in enumerate(order):
        assert credit_of(turned, place) == credit_of(scores, index)


@given(SCORES)
def test_the_opposite_sign_gives_the_credit_to_the_least(scores):
    credit = shared_credit([-score for score in scores])
    assert {score for score, share in zip(scores, credit, strict=True) if share} == {min(scores)}


def test_equal_scores_share_the_credit_equally():
    assert shared_credit([0.0, 0.0, 0.0, 0.0]) == [0.25] * 4
    assert shared_credit([]) == []


def test_the_chosen_option_is_one_of_the_best_and_the_same_in_every_order():
    options = ["가", "나", "다"]
    chosen = options[chosen_option([1.0, 1.0, 0.0], options)]
    assert chosen in {"가", "나"}
    assert options[::-1][chosen_option([0.0, 1.0, 1.0], options[::-1])] == chosen
    assert chosen_option([1.0, 1.0], ["가", "나"]) == chosen_option([], []) == -1
