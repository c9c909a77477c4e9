"""Stored weights against base + adapter as peft and bitsandbytes hold them in memory.

This does not call the merge's own arithmetic: what the trained model multiplies by is read off
its modules, and each stored weight must be that value rounded once.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kofinlaw.trainer.merge.tensor_files import checkpoint_tensors, read_tensor

# Half a unit in the last place, relative, and the smallest step of subnormal numbers.
ROUNDING = {"BF16": (2.0**-8, 0.0), "F16": (2.0**-11, 2.0**-25), "F32": (2.0**-24, 0.0)}
SUM_NOISE = 1e-5  # float32 sums taken in another order, relative to the tensor's largest value


@dataclass
class WeightCheck:
    """Counts over all tensors. `delta_kept` is, for the worst weight, how much of the adapter's
    own change the stored weight shows: <stored - base, delta> / <delta, delta>."""

    tensors: int = 0
    parameters: int = 0
    parameters_expected: int = 0
    wrong: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    delta_kept: float = 1.0
    delta_kept_at: str = ""
    rounding_share: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Plain values, the lists cut after ten names."""
        out = asdict(self)
        for key in ("wrong", "missing", "extra"):
            out[key] = {"count": len(out[key]), "first": out[key][:10]}
        return out


def check_weights(merged: Path, reference: Any) -> WeightCheck:
    """Compare every stored tensor with the peft model `reference` (as loaded for training).

    `rounding_share` is the norm of storing's rounding error over the norm of the delta, over all
    adapted weights: what the number format costs of what was learnt.
    """
    stored = checkpoint_tensors(merged)
    out = WeightCheck()
    seen: set[str] = set()
    error_square = delta_square = 0.0
    for name, value, delta in expected_weights(reference):
        out.parameters_expected += value.numel()
        info = stored.get(name)
        if info is None:
            out.missing.append(name)
            continue
        seen.add(name)
        total = value if delta is None else value + delta
        found = read_tensor(info).float()
        out.tensors += 1
        out.parameters += found.numel()
        if found.shape != total.shape:
            out.wrong.append(name)
            continue
        if not _rounded_once(found, total, info.dtype):
            out.wrong.append(name)
        if delta is not None:
            square = float((delta.double() ** 2).sum())
            error_square += float(((found - total).double() ** 2).sum())
            delta_square += square
            kept = (
                float(((found - value).double() * delta.double()).sum() / square) if square else 1
            )
            if abs(kept - 1) > abs(out.delta_kept - 1):
                out.delta_kept, out.delta_kept_at = kept, name
    out.extra = sorted(set(stored) - seen)
    out.rounding_share = (error_square / delta_square) ** 0.5 if delta_square else 0.0
    return out


def _rounded_once(found: Any, exact: Any, dtype: str) -> bool:
    relative, smallest = ROUNDING.get(dtype, (0.0, 0.0))
    largest = float(exact.abs().max()) if exact.numel() else 0.0
    allowed = exact.abs().mul_(relative).add_(smallest + SUM_NOISE * largest)
    return bool(((found - exact).abs_() <= allowed).all())


def expected_weights(reference: Any) -> Any:
    """Yield (name in the checkpoint, base value float32, adapter's delta or None), on the CPU."""
    import torch
    from peft.tuners.lora import LoraLayer
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils import ModulesToSaveWrapper

    model = reference.base_model.model
    covered: set[int] = set()
    with torch.no_grad():
        for name, module in model.named_modules():
            if isinstance(module, ModulesToSaveWrapper):
                trained = module.modules_to_save["default"]
                covered |= {id(p) for p in module.parameters()}
                for part, parameter in trained.named_parameters():
                    yield f"{name}.{part}", parameter.detach().float().cpu(), None
            elif isinstance(module, BaseTunerLayer) and isinstance(module, LoraLayer):
                covered |= {id(p) for p in module.parameters()}
                base = plain_weight(module.base_layer)
                yield f"{name}.weight", base, lora_delta(module, base)
                bias = getattr(module.base_layer, "bias", None)
                if bias is not None:
                    yield f"{name}.bias", bias.detach().float().cpu(), None
        for name, module in model.named_modules():
            for part, parameter in module.named_parameters(recurse=False):
                if id(parameter) in covered:
                    continue
                covered.add(id(parameter))
                value = plain_weight(module) if part == "weight" else parameter.detach()
                yield f"{name}.{part}" if name else part, value.float().cpu(), None


def plain_weight(module: Any) -> Any:
    """The weight a module multiplies by, float32 on the CPU; 4-bit weights dequantised and cast
    to the module's compute dtype, as its forward pass does."""
    weight = module.weight
    state = getattr(weight, "quant_state", None)
    if state is None:
        return weight.detach().float().cpu()
    from bitsandbytes.functional import dequantize_4bit

    value = dequantize_4bit(weight.data, state)
    compute = getattr(module, "compute_dtype", None)
    return (value if compute is None else value.to(compute)).float().cpu()


def lora_delta(module: Any, base: Any) -> Any:
    """What the adapter adds to `base` in this module, float32 on the CPU."""
    delta = module.get_delta_weight("default").float().cpu()
    magnitude = getattr(module, "lora_magnitude_vector", None)
    if not magnitude or "default" not in magnitude:
        return delta
    import torch

    lengths = magnitude["default"].weight.float().cpu()
    total = base + delta
    rows = 0 if "Embedding" in type(magnitude["default"]).__name__ else 1
    norms = torch.linalg.norm(total, dim=rows)
    return total * (lengths.flatten() / norms).unsqueeze(rows) - base
