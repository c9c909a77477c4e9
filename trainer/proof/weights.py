"""Compare stored weights with base + adapter as peft and bitsandbytes hold them in memory.

This does not use the merge's own arithmetic. It reads from the trained model's modules what they
multiply by, and each stored weight must be that value rounded once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from peft.utils import AuxiliaryTrainingWrapper, ModulesToSaveWrapper

from kofinlaw.results import JsonValue
from kofinlaw.trainer.merge.json_objects import read_object
from kofinlaw.trainer.merge.tensor_files import checkpoint_tensors, read_tensor

__all__ = [
    "ROUNDING",
    "SUM_NOISE",
    "WeightCheck",
    "check_weights",
    "expected_weights",
    "lora_delta",
    "plain_weight",
]

# Allowed rounding error by format: half a unit in the last place, relative to the value, and half
# the step between subnormal numbers.
ROUNDING = {"BF16": (2.0**-8, 0.0), "F16": (2.0**-11, 2.0**-25), "F32": (2.0**-24, 0.0)}
# Allowed error of float32 sums in another order, relative to the tensor's largest value.
SUM_NOISE = 1e-5


@dataclass
class WeightCheck:
    """Result of the comparison over all tensors.

    Attributes:
        modules: modules with LoRA factors in base + adapter; peft selects them by the config.
        tensors: tensors compared.
        parameters: stored parameters of these tensors.
        parameters_expected: parameters of base + adapter.
        wrong: names of tensors that are not base + adapter rounded once.
        missing: names that base + adapter has and the checkpoint lacks.
        extra: names that only the checkpoint has.
        delta_kept: for the worst weight, the share of the adapter's change that the stored weight
            shows: <stored - base, delta> / <delta, delta>.
        delta_kept_at: the name of that weight.
        rounding_share: over all adapted weights, the norm of the rounding error of the stored
            format divided by the norm of the adapter's change.
    """

    modules: int = 0
    tensors: int = 0
    parameters: int = 0
    parameters_expected: int = 0
    wrong: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    delta_kept: float = 1.0
    delta_kept_at: str = ""
    rounding_share: float = 0.0

    def to_record(self) -> dict[str, JsonValue]:
        """Return the figures as JSON values; of each list, its length and the first ten names."""
        return {
            "modules": self.modules,
            "tensors": self.tensors,
            "parameters": self.parameters,
            "parameters_expected": self.parameters_expected,
            "wrong": _first_names(self.wrong),
            "missing": _first_names(self.missing),
            "extra": _first_names(self.extra),
            "delta_kept": self.delta_kept,
            "delta_kept_at": self.delta_kept_at,
            "rounding_share": self.rounding_share,
        }


def _first_names(names: list[str]) -> dict[str, JsonValue]:
    return {"count": len(names), "first": [*names[:10]]}


def check_weights(merged: Path, reference: PeftModel) -> WeightCheck:
    """Compare every stored tensor of `merged` with the peft model, as loaded for training.

    Raises UserError where the checkpoint cannot be read.
    """
    stored = checkpoint_tensors(merged)
    shared = _shared_head(merged, reference)
    out = WeightCheck(modules=sum(isinstance(m, LoraLayer) for m in reference.modules()))
    seen: set[str] = set()
    error_square = delta_square = 0.0
    for name, value, delta in expected_weights(reference):
        alias = shared.get(name) if name not in stored else None
        out.parameters_expected += 0 if alias else value.numel()
        info = stored.get(alias or name)
        if info is None:
            out.missing.append(name)
            continue
        seen.add(info.name)
        total = value if delta is None else value + delta
        found = read_tensor(info).float()
        out.tensors += 1
        out.parameters += 0 if alias else found.numel()
        if found.shape != total.shape:
            out.wrong.append(name)
            continue
        if not _rounded_once(found, total, info.dtype):
            out.wrong.append(name)
        if delta is not None:
            square = float((delta.double() ** 2).sum())
            error_square += float(((found - total).double() ** 2).sum())
            delta_square += square
            product = ((found - value).double() * delta.double()).sum()
            kept = float(product / square) if square else 1.0
            if abs(kept - 1) > abs(out.delta_kept - 1):
                out.delta_kept, out.delta_kept_at = kept, name
    out.extra = sorted(set(stored) - seen)
    out.rounding_share = (error_square / delta_square) ** 0.5 if delta_square else 0.0
    return out


def _shared_head(merged: Path, reference: PeftModel) -> dict[str, str]:
    """Return the name of the head's weight with that of the embedding's, where `merged` says that
    they are one tensor."""
    if read_object(merged / "config.json").get("tie_word_embeddings") is False:
        return {}
    model = reference.base_model.model
    layers = (model.get_output_embeddings(), model.get_input_embeddings())
    names = {id(module): name for name, module in model.named_modules()}
    head, embedding = (names.get(id(layer)) for layer in layers)
    return {f"{head}.weight": f"{embedding}.weight"} if head and embedding else {}


def _rounded_once(found: torch.Tensor, exact: torch.Tensor, dtype: str) -> bool:
    """Return whether `found` is `exact` rounded once to the safetensors format `dtype`."""
    relative, smallest = ROUNDING.get(dtype, (0.0, 0.0))
    largest = float(exact.abs().max()) if exact.numel() else 0.0
    allowed = exact.abs().mul_(relative).add_(smallest + SUM_NOISE * largest)
    return bool(((found - exact).abs_() <= allowed).all())


def expected_weights(
    reference: PeftModel,
) -> Iterator[tuple[str, torch.Tensor, torch.Tensor | None]]:
    """Yield for every weight its name in a checkpoint, the base's value, and the adapter's change.

    Both are float32 on the CPU; the change is None where the adapter does not add to the weight.
    """
    model = reference.base_model.model
    adapted: list[str] = []  # paths of the modules that peft has wrapped
    covered: set[int] = set()  # tied weights are yielded once, unless peft has wrapped one of them
    with torch.no_grad():
        for name, module in model.named_modules():
            if any(name.startswith(path) for path in adapted):
                continue
            if isinstance(module, AuxiliaryTrainingWrapper | LoraLayer):
                adapted.append(f"{name}.")
                yield from _adapted_weights(name, module)
                continue
            for part, parameter in module.named_parameters(recurse=False):
                if id(parameter) in covered:
                    continue
                covered.add(id(parameter))
                value = plain_weight(module) if part == "weight" else parameter.detach()
                yield f"{name}.{part}" if name else part, value.float().cpu(), None


def _adapted_weights(
    name: str, module: torch.nn.Module
) -> Iterator[tuple[str, torch.Tensor, torch.Tensor | None]]:
    """Yield as `expected_weights` the weights of one module that peft has wrapped."""
    if isinstance(module, ModulesToSaveWrapper):
        for part, parameter in module.modules_to_save["default"].named_parameters():
            yield f"{name}.{part}", parameter.detach().float().cpu(), None
    elif isinstance(module, AuxiliaryTrainingWrapper):  # of rows for single tokens
        base = plain_weight(module.token_adapter.base_layer)
        rows = module.token_adapter.get_merged_weights(["default"]).detach().float().cpu()
        yield f"{name}.weight", base, rows - base
    elif isinstance(module, LoraLayer):
        base = plain_weight(module.base_layer)
        yield f"{name}.weight", base, lora_delta(module, base)
        bias = getattr(module.base_layer, "bias", None)
        if bias is not None:
            own = module.lora_B["default"].bias if module.lora_bias.get("default") else None
            delta = None if own is None else own.float().cpu() * module.scaling["default"]
            yield f"{name}.bias", bias.detach().float().cpu(), delta


def plain_weight(module: torch.nn.Module) -> torch.Tensor:
    """Return the weight that a module multiplies by, float32 on the CPU.

    4-bit weights are dequantised and cast to the module's compute dtype, as in its forward pass.
    """
    weight = module.weight
    state = getattr(weight, "quant_state", None)
    if state is None:
        return weight.detach().float().cpu()
    from bitsandbytes.functional import dequantize_4bit

    value = dequantize_4bit(weight.data, state)
    compute = getattr(module, "compute_dtype", None)
    return (value if compute is None else value.to(compute)).float().cpu()


def lora_delta(module: LoraLayer, base: torch.Tensor) -> torch.Tensor:
    """Return the change of the weight `base` by the adapter of this module, float32 on the CPU."""
    delta = module.get_delta_weight("default").float().cpu()
    magnitude = getattr(module, "lora_magnitude_vector", None)
    if not magnitude or "default" not in magnitude:
        return delta
    lengths = magnitude["default"].weight.float().cpu()
    total = base + delta
    rows = 0 if "Embedding" in type(magnitude["default"]).__name__ else 1
    norms = torch.linalg.norm(total, dim=rows)
    return total * (lengths.flatten() / norms).unsqueeze(rows) - base
