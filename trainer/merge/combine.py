"""Combine several adapters into one, which is then merged and proven like any other.

The arithmetic is peft's own (`peft.utils.merge_utils`), applied as its `add_weighted_adapter`
does, but to files: no model is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from peft.utils import merge_utils

from kofinlaw import UserError
from kofinlaw.files import atomic_folder, write_json
from kofinlaw.trainer.merge.adapter_files import (
    CONFIG,
    PREFIX,
    RECORD,
    WEIGHTS,
    Adapter,
    read_adapter,
)
from kofinlaw.trainer.merge.coverage import not_finite
from kofinlaw.trainer.merge.json_objects import JsonObject, integer_at, read_object
from kofinlaw.trainer.merge.merge_plan import plan_merge
from kofinlaw.trainer.merge.tensor_files import ShardWriter, TensorInfo, read_tensor

__all__ = ["METHODS", "SAME_KEYS", "CombinedAdapter", "Factors", "combine_adapters"]

METHODS = ("sum", "linear", "ties", "dare_linear", "dare_ties", "magnitude_prune")
SAME_KEYS = ("base_sha256", "quantization", "template_sha256")  # equal in all adapters
Factors = dict[str, tuple[torch.Tensor, torch.Tensor]]  # A and B by module


@dataclass(frozen=True, slots=True)
class CombinedAdapter:
    """The written combination: its number of tensors, its rank, and the adapters it is made of."""

    tensors: int
    rank: int
    adapters: int


def combine_adapters(
    adapters: Sequence[Path],
    weights: Sequence[float],
    out: Path,
    *,
    method: str = "sum",
    density: float = 0.5,
    seed: int = 0,
    base: Path | None = None,
) -> CombinedAdapter:
    """Write the weighted combination of LoRA adapters on one base as an adapter under `out`.

    Of one adapter it is a share of its change: weights between the base (0) and the trained model
    (1) forget less of what the base could do (WiSE-FT, Wortsman et al., arXiv 2109.01903).

    Methods:
        sum: the exact weighted sum of the changes (peft's `cat`: ranks add up).
        linear: combines A and B separately, with cross terms, as peft defines it.
        ties, magnitude_prune: keep the `density` largest values (TIES, arXiv 2306.01708).
        dare_linear, dare_ties: keep a random share `density` (DARE, arXiv 2311.03099).

    All methods but `sum` work on the factors and need equal ranks.

    Args:
        adapters: the folders.
        weights: one number for each adapter.
        out: target folder. One that already holds this combination stays unchanged.
        method: see above.
        density: share of values kept, above 0 and up to 1.
        seed: of the random choice in `dare_*`.
        base: the base model's folder. With it each adapter is checked as before a merge: none may
            lack a tensor that its config selects.

    Raises UserError for adapters of different bases, templates or kinds, for an unknown method,
    for a density out of range, and for tensors or weights that are not finite numbers.
    """
    if method not in METHODS:
        raise UserError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    if not adapters or len(adapters) != len(weights):
        raise UserError("name an adapter or more, and one weight for each")
    if not 0 < density <= 1:
        raise UserError(f"density must be above 0 and at most 1, not {density}")
    if not all(math.isfinite(weight) for weight in weights):
        raise UserError(f"weights must be finite numbers, not {list(weights)}")
    read = [read_adapter(path) for path in adapters]
    _check(read, method)
    if base is not None:
        for path in adapters:
            plan_merge(path, base, base="original", accept_unrecorded=True)
    shared = (*SAME_KEYS, "base_id")
    record: JsonObject = {key: read[0].record[key] for key in shared if key in read[0].record}
    record["combined"] = {
        "method": method,
        "density": density,
        "seed": seed,
        "adapters": [adapter.sha256 for adapter in read],
        "weights": list(weights),
    }
    if (out / RECORD).exists() and read_object(out / RECORD) == record:
        existing = read_adapter(out)
        rank = integer_at(existing.config, "r", out / CONFIG)
        return CombinedAdapter(len(existing.tensors), rank, len(read))
    torch.manual_seed(seed)
    modules = list(dict.fromkeys(module for adapter in read for module in adapter.parts))
    factors = {m: _combine(m, read, weights, method, density) for m in modules}
    rank = max(a.shape[0] for a, _ in factors.values())
    lower_ranks = {m: a.shape[0] for m, (a, _) in factors.items() if a.shape[0] != rank}
    config: JsonObject = {
        **read[0].config,
        "r": rank,
        "lora_alpha": rank,
        "use_rslora": False,
        "rank_pattern": lower_ranks,
        "alpha_pattern": dict(lower_ranks),
        # Whole paths: they select these modules and no others.
        "target_modules": list(sorted(modules)),
        **dict.fromkeys(("exclude_modules", "layers_to_transform", "layers_pattern")),
    }
    _write(out, factors, config, record)
    return CombinedAdapter(2 * len(factors), rank, len(read))


def _check(read: list[Adapter], method: str) -> None:
    first = read[0]
    for adapter in read:
        for key in SAME_KEYS:
            if adapter.record.get(key) != first.record.get(key):
                raise UserError(
                    f"these adapters cannot be combined: their {key} differs",
                    where=str(adapter.folder / RECORD),
                )
        unfinished = [m for m, parts in adapter.parts.items() if len(parts) == 1]
        if unfinished:
            raise UserError(
                f"{unfinished[0]} lacks one of its two factors",
                where=str(adapter.folder / WEIGHTS),
                remedy="copy the adapter again, or train again",
            )
        broken = not_finite(adapter)
        if broken is not None:
            raise UserError(
                f"{broken} holds NaN or infinity",
                where=str(adapter.folder / WEIGHTS),
                remedy="check the training loss; a diverged adapter cannot be combined",
            )
        kinds = {kind for parts in adapter.parts.values() for kind in parts}
        if adapter.replacements or adapter.token_rows or kinds - {"lora_A.weight", "lora_B.weight"}:
            raise UserError(
                "only plain LoRA on linear layers can be combined (no DoRA, embeddings, biases or "
                "modules_to_save)",
                where=str(adapter.folder),
            )
    ranks = {adapter.rank(module) for adapter in read for module in adapter.parts}
    if method != "sum" and len(ranks) > 1:
        raise UserError(
            f"{method} needs adapters of equal rank, these have {sorted(ranks)}",
            remedy="use method sum, which is exact for any ranks",
        )


def _combine(
    module: str, read: list[Adapter], weights: Sequence[float], method: str, density: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the combined factors (A, B) of one module, from the adapters that have it."""
    present = [
        (adapter, w) for adapter, w in zip(read, weights, strict=True) if module in adapter.parts
    ]
    scaled = [w * adapter.scaling(module) for adapter, w in present]
    a = [_factor(adapter.parts[module]["lora_A.weight"]) for adapter, _ in present]
    b = [_factor(adapter.parts[module]["lora_B.weight"]) for adapter, _ in present]
    if method == "sum":
        return torch.cat([x * s for x, s in zip(a, scaled, strict=True)]), torch.cat(b, dim=1)
    # Both factors get the square root of the weight's size; only A gets its sign.
    roots = [math.sqrt(abs(s)) for s in scaled]
    signed = [math.copysign(root, s) for root, s in zip(roots, scaled, strict=True)]
    out = []
    for tensors, factors in ((a, signed), (b, roots)):
        task_weights = torch.tensor(factors)
        if method == "linear":
            out.append(merge_utils.task_arithmetic(tensors, task_weights))
        else:
            out.append(getattr(merge_utils, method)(tensors, task_weights, density))
    return out[0], out[1]


def _factor(info: TensorInfo) -> torch.Tensor:
    return read_tensor(info).float()


def _write(out: Path, factors: Factors, config: JsonObject, record: JsonObject) -> None:
    if out.exists() and any(out.iterdir()):
        raise UserError("the target folder is not empty", where=str(out))
    tensors = {}
    for module, (a, b) in factors.items():
        tensors[f"{PREFIX}{module}.lora_A.weight"] = a
        tensors[f"{PREFIX}{module}.lora_B.weight"] = b
    with atomic_folder(out) as partial:
        header = [(name, tuple(value.shape), "F32") for name, value in tensors.items()]
        writer = ShardWriter(partial / WEIGHTS, header)
        for name in writer.order:
            writer.write(name, tensors[name])
        writer.close()
        write_json(partial / CONFIG, config)
        write_json(partial / RECORD, record)
