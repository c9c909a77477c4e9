"""Settings that contradict each other are rejected."""

import pytest

from kofinlaw.trainer.settings import FEWEST_EXAMPLES, FEWEST_STEPS


def test_settings_that_do_not_fit_together_are_refused(settings):
    with pytest.raises(ValueError, match="patience needs held-out examples"):
        settings(patience=2)
    with pytest.raises(ValueError, match="not int8"):
        settings(quantization="int8", lora={"decomposed": True})
    with pytest.raises(ValueError, match="learning_rat"):
        settings(learning_rat=1)


def test_starts_that_do_not_fit_the_base_are_refused(settings):
    pissa, loftq = ({"rank": 4, "initialization": kind} for kind in ("pissa", "loftq"))
    with pytest.raises(ValueError, match="pissa changes the base's weights"):
        settings(lora=pissa, quantization="nf4")
    with pytest.raises(ValueError, match="loftq needs quantization: nf4"):
        settings(lora=loftq)
    with pytest.raises(ValueError, match="exclude each other"):
        settings(lora=pissa, start_from="somewhere")


@pytest.mark.parametrize(("batch", "epochs"), [(4, 1), (4, 3), (16, 1), (16, 2.5), (1, 1)])
def test_the_fewest_examples_give_four_steps(settings, batch, epochs):
    fewest = settings(effective_batch=batch, epochs=epochs).fewest_examples
    steps = -(-fewest * epochs // batch)
    assert steps >= FEWEST_STEPS
    assert fewest >= FEWEST_EXAMPLES
    fewer = -(-(fewest - 1) * epochs // batch)
    assert fewest == FEWEST_EXAMPLES or fewer < FEWEST_STEPS


def test_three_examples_never_train(settings):
    assert settings(effective_batch=1, epochs=1000).fewest_examples > 3


def test_kept_layers_and_padding_free_take_their_values_only(settings):
    from pydantic import ValidationError

    for wrong in ({"kept_layers": -1}, {"kept_layers": "many"}, {"padding_free": "sometimes"}):
        with pytest.raises(ValidationError, match=next(iter(wrong))):
            settings(**wrong)
    assert settings(kept_layers=3, padding_free=False).kept_layers == 3
