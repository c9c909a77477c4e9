"""What would make a step fit, by how much: told where one example alone does not."""

from __future__ import annotations

from typing import Any

from kofinlaw.trainer.adapter import linear_layers, trainable
from kofinlaw.trainer.settings import TrainSettings
from kofinlaw.units import GIB

NF4_BYTES = 4.127 / 8  # a weight with its doubly quantised constants (QLoRA, arXiv 2305.14314)
TRAINED_BYTES = 4 + 4 + 8  # weight, gradient, AdamW's two moments, all float32
SAVED_BY_8_BIT = 6  # bytes of the moments a trained number
FEW = ("q_proj", "v_proj")


def remedies(
    model: Any, settings: TrainSettings, *, over: int | None, pass_bytes: int | None, longest: int
) -> str:
    """The ways out with what each would save in GiB, and whether it is enough alone.

    `over` is by how many bytes one example is too much (None: unknown), `pass_bytes` what its
    pass takes over the loaded model, `longest` its tokens. Weights and optimizer are counted; the
    pass is taken as linear in tokens.
    """
    ways: list[tuple[str, int]] = []
    if settings.quantization == "none":
        ways.append(("quantization: nf4", _saved_by_nf4(model)))
    numbers = sum(p.numel() for _, p in trainable(model))
    if settings.optimizer == "adamw" and _has_cuda():
        ways.append(("optimizer: paged_adamw_8bit", SAVED_BY_8_BIT * numbers))
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


def _saved_by_nf4(model: Any) -> int:
    base: Any = model.get_base_model()
    width = base.get_input_embeddings().weight.element_size()
    numbers = sum(i * o for n, (i, o) in linear_layers(model).items() if "lora_" not in n)
    return int(numbers * (width - NF4_BYTES))


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()
