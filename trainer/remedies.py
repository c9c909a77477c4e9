"""List what would make a step fit into memory, with the GiB that each way saves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from kofinlaw.trainer.adapter import linear_layers, trainable
from kofinlaw.trainer.loss import causal_model
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.units import GIB

if TYPE_CHECKING:
    from peft import PeftModel

__all__ = ["FEW", "NF4_BYTES", "SAVED_BY_8_BIT", "TRAINED_BYTES", "remedies"]

NF4_BYTES = 4.127 / 8  # a weight with its doubly quantised constants (QLoRA, arXiv 2305.14314)
TRAINED_BYTES = 4 + 4 + 8  # weight, gradient, AdamW's two moments, all float32
SAVED_BY_8_BIT = 6  # bytes of the moments per trained number
FEW = ("q_proj", "v_proj")


def remedies(
    model: PeftModel,
    settings: TrainSettings,
    *,
    over: int | None,
    pass_bytes: int | None,
    longest: int,
) -> str:
    """Describe the ways to save memory, how many GiB each saves, and whether it alone is enough.

    Weights and optimizer are counted. The memory of a pass is assumed to be linear in its tokens.

    Args:
        model: the model with its adapter.
        settings: the settings of the run; ways that are already used are not listed.
        over: bytes by which one example exceeds the limit; None if unknown.
        pass_bytes: bytes of the pass of that example, without the loaded model; None if unknown.
        longest: tokens of that example.
    """
    ways: list[tuple[str, int]] = []
    if settings.quantization == "none":
        ways.append(("quantization: nf4", _saved_by_nf4(model)))
    numbers = sum(p.numel() for _, p in trainable(model))
    if settings.optimizer == "adamw" and torch.cuda.is_available():
        ways.append(("optimizer: adamw_8bit", SAVED_BY_8_BIT * numbers))
    few = sum(p.numel() for n, p in trainable(model) if any(f".{t}." in n for t in FEW))
    if 0 < few < numbers:
        ways.append((f"lora.targets: [{', '.join(FEW)}]", TRAINED_BYTES * (numbers - few)))
    if settings.gradient_checkpointing is False and pass_bytes is not None:
        layers = model.config.get_text_config().num_hidden_layers
        ways.append(("gradient_checkpointing: true", int(pass_bytes * max(0, 1 - 2 / layers))))
    lines = [_line(way, saved, over) for way, saved in sorted(ways, key=lambda w: -w[1])]
    return "; ".join([_shorter(over, pass_bytes, longest), *lines, "or raise memory_limit_gib"])


def _shorter(over: int | None, pass_bytes: int | None, longest: int) -> str:
    if over is None or pass_bytes is None:
        return f"train.max_length below {longest} tokens"
    if over >= pass_bytes:
        return "a shorter train.max_length is not enough: the loaded model alone is too large"
    return f"train.max_length: {max(1, int(0.95 * longest * (1 - over / pass_bytes)))} would fit"


def _line(way: str, saved: int, over: int | None) -> str:
    text = f"{way} saves about {saved / GIB:.2f} GiB"
    if over is None:
        return text
    return text + (", enough" if saved >= over else ", not enough alone")


def _saved_by_nf4(model: PeftModel) -> int:
    width = causal_model(model).get_input_embeddings().weight.element_size()
    numbers = sum(i * o for n, (i, o) in linear_layers(model).items() if "lora_" not in n)
    return int(numbers * (width - NF4_BYTES))
