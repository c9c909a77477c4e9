"""Noise on the embeddings (NEFTune)."""

import pytest


def test_noise_on_the_embeddings_does_not_depend_on_the_cut(short_run):
    _, whole = short_run("whole", neftune_alpha=5.0)
    _, cut = short_run("cut", neftune_alpha=5.0, max_tokens_per_micro_batch=1)
    _, without = short_run("without")
    assert [line["micro_batches"] for line in cut] == [8, 8]
    for a, b in zip(whole, cut, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)
        assert a["gradient_norm"] == pytest.approx(b["gradient_norm"], rel=1e-4)
    assert abs(whole[0]["loss"] - without[0]["loss"]) > 1e-4


def test_noise_is_as_strong_as_the_paper_says_and_absent_in_evaluation(pico):
    import torch

    from kofinlaw.models.loading import load_model
    from kofinlaw.trainer.noise import EmbeddingNoise

    model = load_model(pico, dtype="float32")
    embed = model.get_input_embeddings()
    ids = torch.zeros(2, 64, dtype=torch.long)
    plain = embed(ids).detach()
    noise = EmbeddingNoise(model, 5.0, seed=0)
    assert torch.equal(embed(ids), plain)
    with noise.during(3, [7, 9], {7: 64, 9: 16}):
        added = embed(ids).detach() - plain
    most = 5.0 / (64 * 64) ** 0.5
    assert 0.95 * most < added[0].abs().max() <= most * 1.001
    assert added[1, :16].abs().max() <= 2 * most * 1.001
    assert added[1, 16:].abs().max() == 0
    assert torch.equal(embed(ids), plain)
