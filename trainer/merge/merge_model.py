"""Add an adapter to its base, one tensor at a time, whole or not at all."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, __version__, silent
from kofinlaw.files import atomic_folder, sha256_text, write_json
from kofinlaw.trainer.merge import card as merge_card
from kofinlaw.trainer.merge.plan import plan_merge
from kofinlaw.trainer.merge.quantize import storage_dtype, training_values
from kofinlaw.trainer.merge.steps import LoraTerm, MergePlan, PlannedTensor
from kofinlaw.trainer.merge.tensor_files import FLOATS, TORCH_NAMES, ShardWriter, read_tensor
from kofinlaw.units import GIB, MIB

__all__ = ["MergePlan", "merge", "plan_merge"]

RECORD = "kofinlaw.json"
COMPANION_BYTES = 64 * MIB


def merge(
    adapter: Path,
    base_folder: Path,
    out: Path,
    *,
    base: str = "dequantized",
    dtype: str = "bfloat16",
    name: str | None = None,
    accept_unrecorded: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Write base + adapter as a checkpoint under `out`, which must not exist or be empty.

    The sum is taken in float32 and stored as `dtype`. Everything is written into a folder beside
    `out` that takes its name when complete; an `out` that already holds this very merge is left
    alone. Returns counts (tensors, bytes, seconds, SHA-256 of the shards).
    Raises UserError as `plan_merge`, and for a target inside a source or not empty, a full disk,
    and weights that are not finite (in the base, the adapter, or by `dtype`'s range).
    """
    _check_target(out, adapter, base_folder)
    plan = plan_merge(
        adapter, base_folder, base=base, dtype=dtype, accept_unrecorded=accept_unrecorded
    )
    title = merge_card.model_name(plan.adapter, plan, name)
    mark = _fingerprint(plan, title)
    if out.exists() and any(out.iterdir()):
        return _already_there(out, mark)
    began = time.monotonic()
    with atomic_folder(out) as partial:
        _check_space(plan, partial)
        companions = merge_card.write_companions(plan, partial)
        hashes = _write_weights(plan, partial, progress)
        merge_card.write_card(plan, partial, title)
        record = _record(plan, title, mark, companions, hashes)
        write_json(partial / RECORD, record)
    return {**record["counts"], "base": plan.base, "seconds": round(time.monotonic() - began, 2)}


def _check_target(out: Path, adapter: Path, base_folder: Path) -> None:
    target = out.resolve()
    for source in (adapter.resolve(), base_folder.resolve()):
        if target == source or source in target.parents or target in source.parents:
            raise UserError(
                "the target lies inside a source, or a source inside it",
                where=str(out),
                remedy="name a folder of its own",
            )


def _already_there(out: Path, mark: str) -> dict[str, Any]:
    try:
        record = json.loads((out / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        record = {}
    if record.get("merge", {}).get("fingerprint") != mark:
        raise UserError(
            "the target folder is not empty",
            where=str(out),
            remedy="name another folder, or delete this one",
        )
    return {**record["counts"], "base": record["merge"]["base"], "seconds": 0.0}


def _check_space(plan: MergePlan, folder: Path) -> None:
    needed = plan.total_bytes + COMPANION_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UserError(
            f"the merge needs {needed / GIB:.1f} GiB, {free / GIB:.1f} GiB are free",
            where=str(folder.parent),
            remedy="free some space or name a folder on another disk",
        )


def _fingerprint(plan: MergePlan, title: str) -> str:
    parts = [plan.adapter.sha256, plan.base_sha256, plan.base, plan.dtype, title, __version__]
    parts.append(json.dumps(plan.quantization, sort_keys=True))
    return sha256_text("\n".join(parts))


def _write_weights(plan: MergePlan, folder: Path, progress: Progress) -> dict[str, str]:
    hashes: dict[str, str] = {}
    weight_map: dict[str, str] = {}
    done = 0
    progress("merge", 0, len(plan.tensors))
    for shard in plan.shards:
        planned = {tensor.name: tensor for tensor in plan.tensors if tensor.shard == shard}
        header = [(tensor.name, tensor.shape, tensor.dtype) for tensor in planned.values()]
        writer = ShardWriter(folder / shard, header)
        try:
            for name in writer.order:
                writer.write(name, merged_tensor(planned[name], plan))
                weight_map[name] = shard
                done += 1
                progress("merge", done, len(plan.tensors), tensor=name)
            hashes[shard] = writer.close()
        finally:
            writer.abandon()
    if plan.shards != ("model.safetensors",):
        index = {
            "metadata": {"total_size": plan.total_bytes, "total_parameters": plan.parameters},
            "weight_map": dict(sorted(weight_map.items())),
        }
        write_json(folder / "model.safetensors.index.json", index)
    return hashes


def merged_tensor(planned: PlannedTensor, plan: MergePlan) -> Any:
    """One tensor as it is stored (torch, CPU). Raises UserError where it is not finite."""
    import torch

    source = read_tensor(planned.source)
    if planned.source.dtype not in FLOATS:
        return source
    if plan.quantization is not None:  # the whole model was loaded in this format
        source = source.to(getattr(torch, storage_dtype(plan.quantization)))
    target = {code: getattr(torch, name) for name, code in TORCH_NAMES.items()}[planned.dtype]
    touched = planned.dequantised or planned.term is not None or planned.bias_term is not None
    if not touched:
        return _finite(source.to(target), planned, source)
    if planned.dequantised and plan.quantization is not None:
        total = training_values(source, plan.quantization)
    else:
        total = source.to(torch.float32, copy=True)  # the sum is in place, the file stays
    if planned.term is not None:
        total = add_term(total, planned.term)
    if planned.bias_term is not None:
        total = total + read_tensor(planned.bias_term).float() * planned.bias_scaling
    return _finite(total.to(target), planned, total)


def add_term(weight: Any, term: LoraTerm) -> Any:
    """weight + scaling · B·A in float32, in place; DoRA rescales the rows to `magnitude`.

    LoRA: https://arxiv.org/abs/2106.09685; rsLoRA's scaling: https://arxiv.org/abs/2312.03732;
    DoRA: https://arxiv.org/abs/2402.09353 (with the norm of base + term, as peft computes it).
    """
    import torch

    delta = read_tensor(term.b).float() @ read_tensor(term.a).float()
    delta *= term.scaling
    if term.transposed or term.embedding:
        delta = delta.T
    weight = weight.add_(delta) if weight.is_contiguous() else weight + delta
    if term.magnitude is not None:
        magnitude = read_tensor(term.magnitude).float()
        # PEFT keeps a Linear's rows (out) in length, an embedding's columns (width).
        dim = 0 if term.transposed or term.embedding else 1
        norm = torch.linalg.norm(weight, dim=dim)
        weight *= (magnitude / norm).unsqueeze(dim)
    return weight


def _finite(stored: Any, planned: PlannedTensor, exact: Any) -> Any:
    if bool(stored.isfinite().all()):
        return stored
    if bool(exact.isfinite().all()):
        raise UserError(
            f"{planned.name} does not fit {planned.dtype}: values up to "
            f"{float(exact.abs().max()):.3g}",
            where=str(planned.source.file),
            remedy="store as bfloat16",
        )
    raise UserError(
        f"{planned.name} is not finite after the sum: base or adapter holds NaN or infinity",
        where=str(planned.source.file),
        remedy="look at the training's loss; a diverged adapter cannot be merged",
    )


def _record(
    plan: MergePlan,
    title: str,
    mark: str,
    companions: dict[str, str],
    hashes: dict[str, str],
) -> dict[str, Any]:
    record = plan.adapter.record
    return {
        "kind": "merged",
        "name": title,
        "kofinlaw": __version__,
        "base_id": merge_card.base_name(plan.adapter, plan),
        "base_sha256": plan.base_sha256,
        "adapter_sha256": plan.adapter.sha256,
        "template_sha256": companions[merge_card.TEMPLATE],
        "quantization": plan.adapter.quantization,
        "merge": {
            "base": plan.base,
            "dtype": plan.dtype,
            "fingerprint": mark,
            "notes": list(plan.notes),
        },
        "adapter": record,
        "files": {**companions, **hashes},
        "counts": plan.counts(),
    }
