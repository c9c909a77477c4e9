"""Several adapters into one, which then takes the same plan, merge and proof as any other.

The arithmetic is peft's own (`peft.utils.merge_utils`), applied as its `add_weighted_adapter`
does, but to files: no model is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.files import atomic_folder, write_json
from kofinlaw.trainer.merge.adapter_files import PREFIX, Adapter, read_adapter, read_object
from kofinlaw.trainer.merge.tensor_files import ShardWriter, TensorInfo, read_tensor

RECORD = "kofinlaw.json"
METHODS = ("sum", "linear", "ties", "dare_linear", "dare_ties", "magnitude_prune")
SAME = ("base_sha256", "quantization", "template_sha256")


def combine_adapters(
    adapters: Sequence[Path],
    weights: Sequence[float],
    out: Path,
    *,
    method: str = "sum",
    density: float = 0.5,
    seed: int = 0,
) -> dict[str, Any]:
    """Write the weighted combination of LoRA adapters on one base as an adapter under `out`.

    `sum` is the exact weighted sum of the changes (peft's `cat`: ranks add up). The others work on
    the factors, as peft defines them, and want equal ranks: `linear` mixes A and B apart (cross
    terms and all), `ties` and `magnitude_prune` keep the `density` largest values (TIES,
    arXiv 2306.01708), `dare_*` a random `density` of them (DARE, arXiv 2311.03099; from `seed`).
    An `out` that holds this very combination is left alone. Raises UserError for adapters of
    different bases, templates or kinds, and a bad density.
    """
    if method not in METHODS:
        raise UserError(f"method takes {', '.join(METHODS)}, not {method!r}")
    if len(adapters) < 2 or len(adapters) != len(weights):
        raise UserError("two adapters or more are wanted, each with its weight")
    if not 0 < density <= 1:
        raise UserError(f"density must lie above 0 and up to 1, not {density}")
    read = [read_adapter(path) for path in adapters]
    _check(read, method)
    record = {key: read[0].record[key] for key in (*SAME, "base_id") if key in read[0].record}
    record["combined"] = {
        "method": method,
        "density": density,
        "seed": seed,
        "adapters": [adapter.sha256 for adapter in read],
        "weights": list(weights),
    }
    if (out / RECORD).exists() and read_object(out / RECORD) == record:
        there = read_adapter(out)
        return _counts(len(there.tensors), int(there.config["r"]), len(read))
    import torch

    torch.manual_seed(seed)
    modules = list(dict.fromkeys(module for adapter in read for module in adapter.parts))
    factors = {m: _combine(m, read, weights, method, density) for m in modules}
    rank = max(a.shape[0] for a, _ in factors.values())
    config = {
        **read[0].config,
        "r": rank,
        "lora_alpha": rank,
        "use_rslora": False,
        "rank_pattern": {m: a.shape[0] for m, (a, _) in factors.items() if a.shape[0] != rank},
        "alpha_pattern": {m: a.shape[0] for m, (a, _) in factors.items() if a.shape[0] != rank},
        "target_modules": sorted({module.rsplit(".", 1)[-1] for module in modules}),
    }
    _write(out, factors, config, record)
    return _counts(2 * len(factors), rank, len(read))


def _counts(tensors: int, rank: int, adapters: int) -> dict[str, Any]:
    return {"tensors": tensors, "rank": rank, "adapters": adapters}


def _check(read: list[Adapter], method: str) -> None:
    first = read[0]
    for adapter in read:
        for key in SAME:
            if adapter.record.get(key) != first.record.get(key):
                raise UserError(
                    f"the adapters were not trained alike: {key} differs",
                    where=str(adapter.folder / "kofinlaw.json"),
                )
        kinds = {kind for parts in adapter.parts.values() for kind in parts}
        if adapter.replacements or kinds - {"lora_A.weight", "lora_B.weight"}:
            raise UserError(
                "only plain LoRA on linear layers can be combined (no DoRA, embeddings, biases or "
                "modules trained whole)",
                where=str(adapter.folder),
            )
    ranks = {adapter.rank(module) for adapter in read for module in adapter.parts}
    if method != "sum" and len(ranks) > 1:
        raise UserError(
            f"{method} mixes the factors and wants equal ranks, here are {sorted(ranks)}",
            remedy="use method sum, which is exact for any ranks",
        )


def _combine(
    module: str, read: list[Adapter], weights: Sequence[float], method: str, density: float
) -> tuple[Any, Any]:
    import torch
    from peft.utils import merge_utils

    present = [
        (adapter, w) for adapter, w in zip(read, weights, strict=True) if module in adapter.parts
    ]
    scaled = [w * adapter.scaling(module) for adapter, w in present]
    a = [_factor(adapter.parts[module]["lora_A.weight"]) for adapter, _ in present]
    b = [_factor(adapter.parts[module]["lora_B.weight"]) for adapter, _ in present]
    if method == "sum":
        return torch.cat([x * s for x, s in zip(a, scaled, strict=True)]), torch.cat(b, dim=1)
    # The sign goes to one side only; √ of the rest to both.
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


def _factor(info: TensorInfo) -> Any:
    return read_tensor(info).float()


def _write(
    out: Path, factors: dict[str, tuple[Any, Any]], config: dict[str, Any], record: dict[str, Any]
) -> None:
    if out.exists() and any(out.iterdir()):
        raise UserError("the target folder is not empty", where=str(out))
    tensors = {}
    for module, (a, b) in factors.items():
        tensors[f"{PREFIX}{module}.lora_A.weight"] = a
        tensors[f"{PREFIX}{module}.lora_B.weight"] = b
    with atomic_folder(out) as partial:
        header = [(name, tuple(value.shape), "F32") for name, value in tensors.items()]
        writer = ShardWriter(partial / "adapter_model.safetensors", header)
        for name in writer.order:
            writer.write(name, tensors[name])
        writer.close()
        write_json(partial / "adapter_config.json", config)
        write_json(partial / RECORD, record)
