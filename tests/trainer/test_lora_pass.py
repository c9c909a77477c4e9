"""The patched forward pass of a LoRA layer."""


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
