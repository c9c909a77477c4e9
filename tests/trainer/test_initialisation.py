"""The start of an adapter; the saved adapter gives the model that was trained."""

import json

import pytest

from kofinlaw import UserError


@pytest.fixture
def run(short_run, tmp_path):
    def call(name, **fields):
        return tmp_path / name / "adapter", *short_run(name, **fields)

    return call


def weights(model):
    """Layer name → weight with its adapter's update added, in float32."""
    found = {}
    for name, layer in model.named_modules():
        if hasattr(layer, "lora_A") and layer.lora_A:
            found[name] = layer.get_base_layer().weight.detach() + layer.get_delta_weight("default")
    return found


def test_pissa_starts_at_the_base_and_is_saved_as_an_adapter_on_the_untouched_base(
    run, pico, settings
):
    import torch

    from kofinlaw.models.loading import load_model
    from kofinlaw.trainer.adapter import attach_adapter

    lora = {"rank": 4, "alpha": 8, "initialization": "pissa"}
    fresh = attach_adapter(
        load_model(pico, dtype="float32", for_training=True), settings(lora=lora).lora, seed=1
    )
    plain = load_model(pico, dtype="float32").state_dict()
    for name, weight in weights(fresh).items():
        original = plain[name.removeprefix("base_model.model.") + ".weight"]
        assert torch.allclose(weight, original, atol=1e-5)

    folder, figures, lines = run("pissa", lora=lora, learning_rate=1e-12)
    _, _, ordinary = run("plain", learning_rate=1e-12)
    assert lines[0]["loss"] == pytest.approx(ordinary[0]["loss"], rel=1e-5)
    config = json.loads((folder / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["init_lora_weights"]) == (8, 16, True)
    read = load_model(pico, dtype="float32", adapter=folder)
    for name, weight in weights(read).items():
        original = plain[name.removeprefix("base_model.model.") + ".weight"]
        assert torch.allclose(weight, original, atol=1e-5), name
    assert figures.frozen_changed == 0


def test_a_trained_pissa_adapter_gives_the_loss_it_was_trained_to(run, pico):
    """One more step from the saved adapter begins at the loss the trained model had."""
    lora = {"rank": 4, "alpha": 8, "initialization": "pissa"}
    all_of_them = {"effective_batch": 40, "epochs": 9}
    folder, _, _ = run("two", lora=lora, max_steps=2, schedule="constant", **all_of_them)
    _, _, again = run(
        "again",
        start_from=folder,
        lora={"rank": 8, "alpha": 16},
        max_steps=1,
        **all_of_them,
    )
    _, _, whole = run("three", lora=lora, max_steps=3, schedule="constant", **all_of_them)
    assert again[0]["loss"] == pytest.approx(whole[2]["loss"], rel=1e-4)


def test_loftq_starts_nearer_to_the_original_weights_than_nf4_alone(pico, settings):
    import torch

    from kofinlaw.models.loading import load_model
    from kofinlaw.trainer.adapter import attach_adapter
    from kofinlaw.trainer.initialisation import fill_quantization_gap

    chosen = settings(quantization="nf4", lora={"rank": 4, "alpha": 8, "initialization": "loftq"})
    model = attach_adapter(
        load_model(pico, quantization="nf4", dtype="float32", for_training=True),
        chosen.lora,
        seed=0,
    )
    fill_quantization_gap(model, pico, seed=0)
    plain = load_model(pico, dtype="float32").state_dict()
    from bitsandbytes.functional import dequantize_4bit

    for name, layer in model.named_modules():
        if hasattr(layer, "lora_A") and layer.lora_A:
            original = plain[name.removeprefix("base_model.model.") + ".weight"]
            held = layer.get_base_layer().weight
            kept = dequantize_4bit(held.data, held.quant_state).float()
            gap = torch.linalg.norm(original - kept)
            left = torch.linalg.norm(original - kept - layer.get_delta_weight("default"))
            assert left < 0.95 * gap, name


def test_a_run_goes_on_from_a_trained_adapter(run):
    folder, _, first = run("first", max_steps=4, effective_batch=40)
    _, figures, second = run("second", max_steps=1, effective_batch=40, start_from=folder)
    assert second[0]["loss"] < first[3]["loss"]
    assert figures.resumed_from is None


def test_an_adapter_of_another_base_shape_or_place_is_refused(run, build_model, tmp_path):
    folder, _, _ = run("first", max_steps=1)
    other = build_model(tmp_path / "other", hidden=32)
    with pytest.raises(UserError, match="belongs to another base"):
        run("a", model=other, start_from=folder)
    with pytest.raises(UserError, match="another rank") as caught:
        run("b", start_from=folder, lora={"rank": 2, "alpha": 8})
    assert "rank 4, alpha 8" in caught.value.remedy
    with pytest.raises(UserError, match="another scaling"):
        run("c", start_from=folder, lora={"rank": 4, "alpha": 16})
    with pytest.raises(UserError, match="cannot be read"):
        run("d", start_from=tmp_path / "nowhere")
