import pytest

from kofinlaw.augment.enough import FEWEST_EXAMPLES, FEWEST_STEPS, can_train, fewest_examples


@pytest.mark.parametrize(("batch", "epochs"), [(4, 1), (4, 3), (16, 1), (16, 2.5), (1, 1)])
def test_the_fewest_examples_give_four_steps(batch, epochs):
    fewest = fewest_examples(batch, epochs)
    assert can_train(fewest, batch, epochs)
    assert not can_train(fewest - 1, batch, epochs)
    assert fewest >= FEWEST_EXAMPLES
    assert fewest * epochs > (FEWEST_STEPS - 1) * batch


def test_three_examples_never_train():
    assert not can_train(3, 1, 1000)
