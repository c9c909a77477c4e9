"""The head on supervised rows gives the ordinary loss and gradients; so does our LoRA pass."""

import pytest

KINDS = {
    "llama": {},
    "qwen2": {},
    "gemma3_text": {"sliding_window": 8, "final_logit_softcapping": 8.0},
    "exaone4": {},
    "granite": {"logits_scaling": 4.0},
    "cohere": {"logit_scale": 0.25},
    "opt": {"ffn_dim": 64, "word_embed_proj_dim": 16, "dropout": 0.0},
}


def small(kind, **more):
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    shape = {
        "vocab_size": 97,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 64,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, **{**shape, **KINDS[kind], **more})
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    with torch.no_grad():  # a plain start gives almost even logits: stretch them
        model.get_output_embeddings().weight.mul_(20)
    return model


def batch():
    import torch

    generator = torch.Generator().manual_seed(3)
    rows = [torch.randint(3, 97, (n,), generator=generator).numpy() for n in (20, 13, 17)]
    masks = [(torch.rand(len(r), generator=generator) < 0.3).numpy() for r in rows]
    for mask in masks:
        mask[0] = False
        mask[-1] = True
    return rows, masks


def ordinary(model, rows, masks):
    """Full logits with an attention mask, summed cross entropy."""
    import torch

    ids = torch.zeros(len(rows), 20, dtype=torch.long)
    seen, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
    for b, (row, mask) in enumerate(zip(rows, masks, strict=True)):
        ids[b, : len(row)] = torch.from_numpy(row)
        seen[b, : len(row)] = 1
        labels[b, : len(row)][torch.from_numpy(mask)] = torch.from_numpy(row[mask])
    logits = model(input_ids=ids, attention_mask=seen).logits[:, :-1]
    return torch.nn.functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1), reduction="sum"
    )


def stir(model):
    """B as after some training: at the start it is zero and an adapter adds nothing."""
    import torch

    from kofinlaw.trainer.adapter import trainable

    with torch.no_grad():
        for name, parameter in trainable(model):
            if "lora_B" in name:
                parameter.normal_(0, 0.1, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("chunk_rows", [3, 100])
def test_loss_and_gradients_equal_the_ordinary_ones(kind, chunk_rows):
    import torch

    from kofinlaw.trainer.adapter import attach_adapter, trainable
    from kofinlaw.trainer.batching import pad_micro_batch
    from kofinlaw.trainer.lora_pass import patch_lora_forward
    from kofinlaw.trainer.loss import check_head, supervised_nll
    from kofinlaw.trainer.settings import LoraSettings

    model = attach_adapter(small(kind), LoraSettings(rank=4), seed=1)
    stir(model)
    rows, masks = batch()
    expected = ordinary(model, rows, masks)
    expected.backward()
    wanted = {name: p.grad.clone() for name, p in trainable(model)}
    model.zero_grad()
    assert patch_lora_forward(model) > 4
    ids, positions, targets = (torch.from_numpy(a) for a in pad_micro_batch(rows, masks))
    loss = supervised_nll(model, ids, positions, targets, chunk_rows)
    loss.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    for name, parameter in trainable(model):
        scale = wanted[name].norm()
        assert (parameter.grad - wanted[name]).norm() <= 1e-5 * scale, name
    check_head(model, ids[:1, :10], chunk_rows)


def most_bytes(work):
    """Bytes of the tensors that live at once while `work` runs, at most."""
    import weakref

    import torch
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    class Watch(TorchDispatchMode):
        def __init__(self):
            super().__init__()
            self.live, self.most = {}, 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            for tensor in tree_leaves(args):
                if isinstance(tensor, torch.Tensor):  # what comes from outside does not count
                    self.live.setdefault(tensor.untyped_storage()._cdata, 0)
            out = function(*args, **(kwargs or {}))
            for tensor in tree_leaves(out):
                storage = tensor.untyped_storage()
                if storage._cdata not in self.live:
                    self.live[storage._cdata] = storage.nbytes()
                    weakref.finalize(storage, self.live.pop, storage._cdata, None)
            self.most = max(self.most, sum(self.live.values()))
            return out

    with Watch() as watch:
        work()
    return watch.most


def test_a_chunks_loss_takes_six_bytes_a_logit_and_goes_before_the_next():
    """As the memory plan counts it (models/memory/plan.py, LOSS_BYTES)."""
    import torch

    from kofinlaw.models.memory.plan import LOSS_BYTES
    from kofinlaw.trainer.loss import _frozen_head

    rows = torch.randn(60, 8, dtype=torch.bfloat16, requires_grad=True)
    weight = torch.randn(5000, 8, dtype=torch.bfloat16)
    targets = torch.arange(60)

    def work():
        _frozen_head()(rows, weight, None, targets, 1.0, None, 20)

    assert LOSS_BYTES <= most_bytes(work) / (20 * 5000) <= 1.05 * LOSS_BYTES


def test_a_head_that_is_trained_too_gets_its_gradient():
    import torch

    from kofinlaw.trainer.batching import pad_micro_batch
    from kofinlaw.trainer.loss import supervised_nll

    model = small("llama", tie_word_embeddings=False)
    rows, masks = batch()
    ordinary(model, rows, masks).backward()
    wanted = model.lm_head.weight.grad.clone()
    model.zero_grad()
    ids, positions, targets = (torch.from_numpy(a) for a in pad_micro_batch(rows, masks))
    supervised_nll(model, ids, positions, targets, 4).backward()
    assert (model.lm_head.weight.grad - wanted).norm() <= 1e-5 * wanted.norm()


def test_a_head_that_the_config_does_not_describe_is_refused(monkeypatch):
    import torch

    from kofinlaw import UserError
    from kofinlaw.trainer import loss
    from kofinlaw.trainer.loss import check_head

    model = small("granite")
    monkeypatch.setattr(loss, "head_scale", lambda config: (1.0, None))
    with pytest.raises(UserError, match="head is not understood"):
        check_head(model, torch.arange(3, 15)[None], 8)


def test_16_bit_cuts_of_a_batch_agree_because_gradients_are_summed_in_float32():
    import torch

    from kofinlaw.trainer.adapter import attach_adapter, trainable
    from kofinlaw.trainer.batching import pad_micro_batch
    from kofinlaw.trainer.lora_pass import patch_lora_forward
    from kofinlaw.trainer.loss import supervised_nll
    from kofinlaw.trainer.settings import LoraSettings

    model = attach_adapter(small("llama").to(torch.bfloat16), LoraSettings(rank=4), seed=1)
    # sdpa sums attention in blocks that depend on the padded length: there 2e-3
    model.get_base_model().set_attn_implementation("eager")
    patch_lora_forward(model)
    rows, masks = batch()
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


def test_a_base_layer_whose_weight_a_hook_brings_is_called_itself():
    import torch

    from kofinlaw.trainer.adapter import attach_adapter, trainable
    from kofinlaw.trainer.lora_pass import patch_lora_forward
    from kofinlaw.trainer.settings import LoraSettings

    model = attach_adapter(small("qwen2"), LoraSettings(rank=4), seed=1)  # with biases
    stir(model)
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


def test_layers_with_dropout_keep_pefts_own_pass():
    from kofinlaw.trainer.adapter import attach_adapter
    from kofinlaw.trainer.lora_pass import patch_lora_forward
    from kofinlaw.trainer.settings import LoraSettings

    assert (
        patch_lora_forward(
            attach_adapter(small("llama"), LoraSettings(rank=4, dropout=0.1), seed=1)
        )
        == 0
    )
    assert (
        patch_lora_forward(
            attach_adapter(small("llama"), LoraSettings(rank=4, decomposed=True), seed=1)
        )
        == 0
    )


@pytest.mark.parametrize(
    "text",
    [
        "CUDA out of memory. Tried to allocate 2.00 GiB",
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory",
    ],
)
def test_out_of_memory_is_told_in_every_form(text):
    import torch

    from kofinlaw.models.memory.out_of_memory import is_out_of_memory

    assert is_out_of_memory(RuntimeError(text))
    assert is_out_of_memory(torch.OutOfMemoryError(text))
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(RuntimeError("CUDA error: device-side assert triggered"))
    assert not is_out_of_memory(ValueError(text))
