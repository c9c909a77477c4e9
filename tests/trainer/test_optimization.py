"""The optimizer and the learning rate of each step."""

import pytest

from kofinlaw import UserError


def test_the_learning_rate_warms_up_and_falls(settings):
    from kofinlaw.trainer.optimization import learning_rate

    cosine = settings(learning_rate=1.0, warmup_share=0.2, schedule="cosine")
    rates = [learning_rate(s, 10, cosine) for s in range(10)]
    assert rates[:3] == [pytest.approx(1 / 3), pytest.approx(2 / 3), pytest.approx(1.0)]
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert rates[-1] > 0.1
    linear = settings(learning_rate=1.0, warmup_share=0, schedule="linear")
    assert [learning_rate(s, 4, linear) for s in range(4)] == [1, 0.75, 0.5, 0.25]


def test_b_learns_faster_where_asked(pico, settings):
    from kofinlaw.models.loading import load_model
    from kofinlaw.trainer.adapter import attach_adapter
    from kofinlaw.trainer.optimization import make_optimizer, set_learning_rate

    chosen = settings(learning_rate_ratio_b=16.0)
    model = attach_adapter(
        load_model(pico, dtype="float32", for_training=True), chosen.lora, seed=0
    )
    optimizer = make_optimizer(model, chosen)
    set_learning_rate(optimizer, 0.01)
    assert [g["lr"] for g in optimizer.param_groups] == [0.01, 0.16]


def test_an_eight_bit_optimizer_without_cuda_is_one_line(run):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is CUDA here")
    with pytest.raises(UserError, match="adamw_8bit needs CUDA"):
        run(optimizer="adamw_8bit")
