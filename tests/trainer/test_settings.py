"""Settings that contradict each other are rejected."""

import pytest


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
