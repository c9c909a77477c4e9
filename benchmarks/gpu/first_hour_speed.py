"""Compare ways to make a training step faster, each against the way before it, on one card.

`first_hour.py` runs these parts next to those of `first_hour_parts.py`:

- kept: layers that keep their activations in spare memory, against recomputing all layers.
- joined: examples end to end with varlen attention, against padded ones.
- lora: a 4-bit layer and its adapter in one function, and float32 sums without copies, against
  one after the other with copies.
- encoder: batches of tokens against batches of 32 texts.

Each part does the same both ways and returns how many times faster the new way is, and how far
apart the results are. With `args.rehearse` it uses tiny shapes on a processor, and the times
mean nothing.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

__all__ = ["encoder", "joined", "kept", "lora"]


def kept(args: argparse.Namespace) -> dict[str, Any]:
    """Time a step of 16 examples with the probe's choice of kept layers, and with none kept."""
    import torch
    from first_hour_parts import stepping
    from shapes import cap_memory

    from kofinlaw.trainer.device.kept_layers import keep_layers, kept_layers
    from kofinlaw.trainer.memory_use import memory_limit
    from kofinlaw.trainer.passes import Passes
    from kofinlaw.trainer.step import Stepper
    from kofinlaw.trainer.token_probe import probe_budget

    length, rows = (64, 4) if args.rehearse else (2048, 16)
    chosen, model = stepping(args, length, rows)
    limit = memory_limit(None) if args.rehearse else cap_memory(args.cap_gib)
    figures: dict[str, Any] = {}
    found: dict[str, list[torch.Tensor]] = {}
    for way, layers in (("before", 0), ("kept", "auto")):
        settings = chosen.settings.model_copy(update={"kept_layers": layers})
        passes = Passes(model, chosen.examples, chosen.ranks, settings)
        keep_layers(model, 0)
        budget, measured = probe_budget(passes, limit=limit)
        stepper = Stepper(passes, seed=0, budget=budget, log_event=lambda _: None)
        figures[way] = {"tokens_per_second": rate(stepper, rows, length), "budget": stepper.budget}
        figures[way] |= {"layers": kept_layers(model), "probe": measured}
        found[way] = gradients(model)
    figures["times_before"] = ratio(figures["kept"], figures["before"])
    figures["gradient_difference"] = difference(found["kept"], found["before"])
    return figures


def joined(args: argparse.Namespace) -> dict[str, Any]:
    """Time a step of 16 examples of mixed lengths, padded and end to end."""
    import numpy as np
    import torch
    from first_hour_parts import stepping

    from kofinlaw.trainer.device.padding_free import why_padded
    from kofinlaw.trainer.encoding import Encoded
    from kofinlaw.trainer.passes import Passes
    from kofinlaw.trainer.step import Stepper

    length, rows = (64, 4) if args.rehearse else (2048, 16)
    made, model = stepping(args, length, rows)
    examples = []
    for number, example in enumerate(made.examples):  # from a quarter of the length to all of it
        count = length * (number % 4 + 1) // 4
        learned = np.arange(count) >= count // 2
        examples.append(Encoded(example.id, example.tokens[:count], learned))
    tokens = sum(len(example) for example in examples)
    figures: dict[str, Any] = {}
    found: dict[str, list[torch.Tensor]] = {}
    for way in ("before", "joined"):
        settings = made.settings.model_copy(update={"padding_free": True})
        reason = ""
        if way == "joined":
            reason = why_padded(model, examples, settings, made.ranks)
        passes = Passes(model, examples, made.ranks, settings, joined=way == "joined")
        stepper = Stepper(passes, seed=0, budget=8 * length, log_event=lambda _: None)
        figures[way] = {"tokens_per_second": rate(stepper, rows, tokens / rows), "reason": reason}
        found[way] = gradients(model)
    figures["times_before"] = ratio(figures["joined"], figures["before"])
    figures["gradient_difference"] = difference(found["joined"], found["before"])
    return figures


def lora(args: argparse.Namespace) -> dict[str, Any]:
    """Time a step of 8 examples with the former LoRA pass and with the one of a card."""
    import torch
    from first_hour_parts import stepping

    from kofinlaw.trainer import lora_pass
    from kofinlaw.trainer.step import Stepper

    length, rows = (64, 4) if args.rehearse else (2048, 8)
    passes, model = stepping(args, length, rows)
    stepper = Stepper(passes, seed=0, budget=4 * length, log_event=lambda _: None)
    figures: dict[str, Any] = {}
    found: dict[str, list[torch.Tensor]] = {}
    product = lora_pass.float32_product
    for way in ("before", "fused"):
        for module in model.modules():
            if hasattr(module, "lora_A"):
                vars(module).pop("forward", None)  # peft's own again
        fused = way == "fused"
        layers = lora_pass.patch_lora_forward(model, fused=fused)
        lora_pass.float32_product = product if fused else copied
        try:
            figures[way] = {"tokens_per_second": rate(stepper, rows, length), "layers": layers}
        finally:
            lora_pass.float32_product = product
        found[way] = gradients(model)
    figures["times_before"] = ratio(figures["fused"], figures["before"])
    figures["gradient_difference"] = difference(found["fused"], found["before"])
    return figures


def copied(one: Any, other: Any) -> Any:
    """Return the product in float32 as it was made before, of float32 copies."""
    return one.float().T @ other.float()


def encoder(args: argparse.Namespace) -> dict[str, Any]:
    """Time an encoder of KURE-v1's shape on short texts, by number and by tokens."""
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaModel

    from kofinlaw.models.embedding.batches import CARD_TEXTS, CARD_TOKENS, cut_batches

    device = "cpu" if args.rehearse else "cuda"
    wide, layers, count = (64, 2, 64) if args.rehearse else (1024, 24, 2048)
    config = XLMRobertaConfig(
        vocab_size=1000,
        hidden_size=wide,
        num_hidden_layers=layers,
        num_attention_heads=wide // 16 if args.rehearse else 16,
        intermediate_size=4 * wide,
    )
    torch.manual_seed(0)
    model = XLMRobertaModel(config).eval()
    model = model.to(device, torch.float32 if args.rehearse else torch.float16)
    lengths = sorted(10 + n % 40 for n in range(count))
    rows = [torch.arange(n)[None, :].remainder(900) + 10 for n in lengths]
    figures: dict[str, Any] = {}
    states: dict[str, torch.Tensor] = {}
    for way, limits in (
        ("before", {"texts": 32}),
        ("tokens", {"texts": CARD_TEXTS, "tokens": CARD_TOKENS}),
    ):
        started = time.perf_counter()
        firsts = []
        for start, end in cut_batches(lengths, **limits):
            ids = torch.ones(end - start, lengths[end - 1], dtype=torch.long)
            seen = torch.zeros_like(ids)
            for row, tokens in enumerate(rows[start:end]):
                ids[row, : tokens.shape[1]] = tokens
                seen[row, : tokens.shape[1]] = 1
            with torch.inference_mode():
                out = model(input_ids=ids.to(device), attention_mask=seen.to(device))
            firsts.append(out.last_hidden_state[:, 0].float().cpu())
        seconds = time.perf_counter() - started
        figures[way] = {"tokens_per_second": round(sum(lengths) / seconds, 1)}
        states[way] = torch.cat(firsts)
    figures["times_before"] = ratio(figures["tokens"], figures["before"])
    figures["vector_difference"] = difference([states["tokens"]], [states["before"]])
    return figures


def rate(stepper: Any, rows: int, length: float) -> float:
    """Return the tokens a second of the second of two equal steps over `rows` examples."""
    import torch

    seconds = 0.0
    for _ in range(2):
        started = time.perf_counter()
        stepper.gradients(0, range(rows))
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds = time.perf_counter() - started
    return round(rows * length / seconds, 1)


def ratio(new: dict[str, Any], old: dict[str, Any]) -> float:
    """Return how many times faster the new way is."""
    return round(new["tokens_per_second"] / old["tokens_per_second"], 3)


def gradients(model: Any) -> list[Any]:
    """Return copies of the gradients of the adapter."""
    from kofinlaw.trainer.adapter import trainable

    return [p.grad.detach().clone() for _, p in trainable(model) if p.grad is not None]


def difference(one: list[Any], other: list[Any]) -> float:
    """Return the largest distance of two gradients of a tensor, relative to the second one."""
    return max(
        float((a - b).norm() / b.norm().clamp_min(1e-12)) for a, b in zip(one, other, strict=True)
    )
