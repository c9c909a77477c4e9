"""The loss on supervised rows equals the ordinary loss, and so do its gradients."""

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


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("chunk_rows", [3, 100])
def test_loss_and_gradients_equal_the_ordinary_ones(
    kind, chunk_rows, small_model, batch, move_off_zero
):
    import torch

    from kofinlaw.trainer.adapter import attach_adapter, trainable
    from kofinlaw.trainer.batching import pad_micro_batch
    from kofinlaw.trainer.lora_pass import patch_lora_forward
    from kofinlaw.trainer.loss import check_head, supervised_nll
    from kofinlaw.trainer.settings import LoraSettings

    model = attach_adapter(small_model(kind, **KINDS[kind]), LoraSettings(rank=4), seed=1)
    move_off_zero(model)
    rows, masks = batch
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
    """As the memory plan counts it (models/memory/memory_plan.py, LOSS_BYTES)."""
    import torch

    from kofinlaw.models.memory.memory_plan import LOSS_BYTES
    from kofinlaw.trainer.loss import FrozenHeadLoss

    rows = torch.randn(60, 8, dtype=torch.bfloat16, requires_grad=True)
    weight = torch.randn(5000, 8, dtype=torch.bfloat16)
    targets = torch.arange(60)

    def work():
        FrozenHeadLoss.apply(rows, weight, None, targets, 1.0, None, 20)

    assert LOSS_BYTES <= most_bytes(work) / (20 * 5000) <= 1.05 * LOSS_BYTES


def test_a_head_that_is_trained_too_gets_its_gradient(small_model, batch):
    import torch

    from kofinlaw.trainer.batching import pad_micro_batch
    from kofinlaw.trainer.loss import supervised_nll

    model = small_model("llama", tie_word_embeddings=False)
    rows, masks = batch
    ordinary(model, rows, masks).backward()
    wanted = model.lm_head.weight.grad.clone()
    model.zero_grad()
    ids, positions, targets = (torch.from_numpy(a) for a in pad_micro_batch(rows, masks))
    supervised_nll(model, ids, positions, targets, 4).backward()
    assert (model.lm_head.weight.grad - wanted).norm() <= 1e-5 * wanted.norm()


def test_a_head_that_the_config_does_not_describe_is_refused(monkeypatch, small_model):
    import torch

    from kofinlaw import UserError
    from kofinlaw.trainer import loss
    from kofinlaw.trainer.loss import check_head

    model = small_model("granite", **KINDS["granite"])
    monkeypatch.setattr(loss, "head_scale", lambda config: (1.0, None))
    with pytest.raises(UserError, match="output head of this model is not supported"):
        check_head(model, torch.arange(3, 15)[None], 8)
