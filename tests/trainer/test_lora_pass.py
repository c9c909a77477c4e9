"""The patched forward pass of a LoRA layer."""

import pytest


def test_16_bit_cuts_of_a_batch_agree_because_gradients_are_summed_in_float32(small_model, batch):
    import torch

    from kofinlaw.trainer.adapter import attach_adapter, trainable
    from kofinlaw.trainer.batching import pad_micro_batch
    from kofinlaw.trainer.lora_pass import patch_lora_forward
    from kofinlaw.trainer.loss import supervised_nll
    from kofinlaw.trainer.settings import LoraSettings

    model = attach_adapter(small_model("llama").to(torch.bfloat16), LoraSettings(rank=4), seed=1)
    # sdpa sums attention in blocks that depend on the padded length: there 2e-3
    model.get_base_model().set_attn_implementation("eager")
    patch_lora_forward(model)
    rows, masks = batch
    found = []
    for cuts in ([[0, 1, 2]], [[0], [1], [2]]):
        model.zero_grad()
        for part in cuts:
            arrays = pad_micro_batch([rows[i] for i in part], [masks[i] for i in part])
            ids, positions, targets = (torch.from_numpy(a) for a in arrays)
            supervised_nll(model, ids, positions, targets, 8).backward()
        found.append(torch.cat([p.grad.flatten() for _, p in trainable(model)]))
    assert found[0].dtype == torch.float32
    assert (found[0] - found[1]).norm() <= 1e-6 * found[0].norm()


def test_a_base_layer_whose_weight_a_hook_brings_is_called_itself(small_model, move_off_zero):
    import torch

    from kofinlaw.trainer.adapter import attach_adapter, trainable
    from kofinlaw.trainer.lora_pass import patch_lora_forward
    from kofinlaw.trainer.settings import LoraSettings

    model = attach_adapter(small_model("qwen2"), LoraSettings(rank=4), seed=1)  # with biases
    move_off_zero(model)
    patch_lora_forward(model)
    called = []

    def step():
        model.zero_grad()
        logits = model(input_ids=torch.arange(3, 15)[None]).logits
        logits.square().mean().backward()
        return [logits.detach(), *(p.grad.clone() for _, p in trainable(model))]

    at_once = step()
    for module in model.modules():
        if hasattr(module, "base_layer"):
            module.base_layer.register_forward_pre_hook(lambda *_: called.append(1))
    after_hooks = step()
    assert len(called) == sum(hasattr(module, "base_layer") for module in model.modules())
    for one, other in zip(at_once, after_hooks, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-7)


def test_layers_with_dropout_keep_pefts_own_pass(small_model):
    from kofinlaw.trainer.adapter import attach_adapter
    from kofinlaw.trainer.lora_pass import patch_lora_forward
    from kofinlaw.trainer.settings import LoraSettings

    assert (
        patch_lora_forward(
            attach_adapter(small_model("llama"), LoraSettings(rank=4, dropout=0.1), seed=1)
        )
        == 0
    )
    assert (
        patch_lora_forward(
            attach_adapter(small_model("llama"), LoraSettings(rank=4, decomposed=True), seed=1)
        )
        == 0
    )


@pytest.mark.parametrize("kind", ["llama", "qwen2"])  # qwen2 has biases
@pytest.mark.parametrize("checkpointing", [False, True])
def test_a_4_bit_layer_and_its_adapter_in_one_function_give_the_same_gradients(
    kind, checkpointing, build_model, move_off_zero, tmp_path
):
    import torch

    from kofinlaw.models.loading import load_model
    from kofinlaw.trainer.adapter import attach_adapter, trainable
    from kofinlaw.trainer.lora_pass import patch_lora_forward
    from kofinlaw.trainer.settings import LoraSettings

    folder = build_model(tmp_path / "model", kind=kind, hidden=64)
    ids = torch.arange(5, 29).view(2, 12)
    found = []
    for fused in (False, True):
        base = load_model(folder, quantization="nf4", dtype="float32", for_training=True)
        with torch.no_grad():
            for name, parameter in base.named_parameters():
                if name.endswith("bias"):
                    parameter.normal_(generator=torch.Generator().manual_seed(7))
        model = attach_adapter(base, LoraSettings(rank=4), seed=1)
        move_off_zero(model)
        patch_lora_forward(model, fused=fused)
        if checkpointing:
            base.gradient_checkpointing_enable({"use_reentrant": False})
            model.train()
        output = model(input_ids=ids).logits
        used = "LoraPacked" in _functions(output.grad_fn)
        assert used is fused
        output.square().mean().backward()
        found.append([output.detach(), *(p.grad.clone() for _, p in trainable(model))])
    for one, other in zip(*found, strict=True):
        assert (one - other).norm() <= 1e-5 * one.norm()


def _functions(node, seen=None):
    """The names of the functions in a graph, without the ending `Backward`."""
    seen = {} if seen is None else seen
    if node is not None and node not in seen:
        seen[node] = type(node).__name__.removesuffix("Backward")
        for before, _ in node.next_functions:
            _functions(before, seen)
    return set(seen.values())


def test_one_buffer_holds_the_weights_of_all_layers_and_only_grows():
    import bitsandbytes
    import torch

    from kofinlaw.trainer.lora_pass import UnpackedWeight

    torch.manual_seed(0)
    layers = []
    for inputs, outputs in ((64, 64), (128, 192), (64, 128)):
        layer = bitsandbytes.nn.Linear4bit(
            inputs, outputs, bias=False, compute_dtype=torch.float32, quant_type="nf4"
        )
        layers.append(layer.to("cpu"))
    buffer = UnpackedWeight()
    sizes = []
    for layer in layers:
        expected = bitsandbytes.functional.dequantize_4bit(
            layer.weight.view(-1, 1), layer.weight.quant_state
        )
        assert torch.equal(buffer.of(layer), expected)
        sizes.append(buffer.memory.numel())
    assert sizes == [64 * 64, 128 * 192, 128 * 192]


def test_a_product_in_float32_is_the_one_of_float32_copies():
    import torch

    from kofinlaw.trainer.lora_pass import float32_product

    torch.manual_seed(0)
    one, other = torch.randn(33, 4).bfloat16(), torch.randn(33, 7).bfloat16()
    found = float32_product(one, other)
    assert found.dtype == torch.float32
    assert torch.equal(found, one.float().T @ other.float())
