"""Add a LoRA adapter to its base model, one tensor at a time.

The merged checkpoint appears complete or not at all.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import torch

from kofinlaw import Progress, UserError, __version__, silent
from kofinlaw.errors import raise_if_machine
from kofinlaw.files import atomic_folder, sha256_text, write_json
from kofinlaw.trainer.merge import merged_card as merge_card
from kofinlaw.trainer.merge.adapter_files import RECORD, WEIGHTS, Adapter
from kofinlaw.trainer.merge.coverage import not_finite
from kofinlaw.trainer.merge.json_objects import object_at, read_object
from kofinlaw.trainer.merge.merge_plan import plan_merge
from kofinlaw.trainer.merge.merge_result import MergeResult
from kofinlaw.trainer.merge.merged_tokenizer import TEMPLATE
from kofinlaw.trainer.merge.plan_records import LoraTerm, MergePlan, PlannedTensor
from kofinlaw.trainer.merge.quantize import storage_dtype, training_values
from kofinlaw.trainer.merge.tensor_files import FLOATS, TORCH_NAMES, ShardWriter, read_tensor
from kofinlaw.units import GIB, MIB

__all__ = ["COMPANION_BYTES", "add_term", "merge_adapter", "merged_tensor"]

COMPANION_BYTES = 64 * MIB  # room for tokenizer, config and card


def merge_adapter(
    adapter: Path,
    base_folder: Path,
    out: Path,
    *,
    base: str = "dequantized",
    dtype: str = "bfloat16",
    name: str | None = None,
    accept_unrecorded: bool = False,
    progress: Progress = silent,
) -> MergeResult:
    """Write base + adapter as a checkpoint under `out`.

    The sum is computed in float32 and stored as `dtype`. A temporary folder next to `out` takes
    its name when it is complete. An `out` that already holds this merge stays unchanged.

    Args:
        adapter: the adapter's folder.
        base_folder: the 16-bit base model's folder.
        out: target folder; it must be absent, empty, or hold this merge.
        base: values the adapter is added to: `dequantized` (the 4-bit values that training used)
            or `original` (the stored 16-bit values).
        dtype: format of the stored weights: bfloat16, float16 or float32.
        name: the merged model's name; None derives it from the base.
        accept_unrecorded: accept an adapter that does not record its base.
        progress: receives the number of tensors written.

    Returns counts of tensors, parameters and bytes, the base used, and the seconds taken.

    Raises UserError as `plan_merge` does, for a target that is not empty or lies inside a source,
    for a full disk, and for weights that are not finite (in base, adapter or `dtype`'s range).
    """
    _check_target(out, adapter, base_folder)
    plan = plan_merge(
        adapter, base_folder, base=base, dtype=dtype, accept_unrecorded=accept_unrecorded
    )
    title = merge_card.model_name(plan.adapter, plan, name)
    fingerprint = _fingerprint(plan, title)
    if out.exists() and any(out.iterdir()):
        _check_same_merge(out, fingerprint)
        return MergeResult(plan.counts(), plan.base, seconds=0.0)
    began = time.monotonic()
    with atomic_folder(out) as partial:
        _check_space(plan, partial)
        companions = merge_card.write_companions(plan, partial)
        hashes = _write_weights(plan, partial, progress)
        merge_card.write_card(plan, partial, title)
        write_json(partial / RECORD, _record(plan, title, fingerprint, companions, hashes))
    return MergeResult(plan.counts(), plan.base, seconds=round(time.monotonic() - began, 2))


def _check_target(out: Path, adapter: Path, base_folder: Path) -> None:
    target = out.resolve()
    for source in (adapter.resolve(), base_folder.resolve()):
        if target == source or source in target.parents or target in source.parents:
            raise UserError(
                "the target lies inside a source, or a source inside it",
                where=str(out),
                remedy="name a separate folder",
            )


def _check_same_merge(out: Path, fingerprint: str) -> None:
    """Raise UserError unless `out` holds the merge of this fingerprint."""
    try:
        record = read_object(out / RECORD)
    except UserError as error:
        raise_if_machine(error, out / RECORD)
        record = {}
    if object_at(record, "merge").get("fingerprint") != fingerprint:
        raise UserError(
            "the target folder is not empty",
            where=str(out),
            remedy="name another folder, or delete this one",
        )


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
    """Write all shards and their index; returns the SHA-256 of each shard by file name."""
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


def merged_tensor(planned: PlannedTensor, plan: MergePlan) -> torch.Tensor:
    """Return one tensor in its stored format, on the CPU. Raises UserError where it is not
    finite.
    """
    source = read_tensor(planned.source)
    if planned.source.dtype not in FLOATS:
        return source
    if plan.quantization is not None:  # training loaded the whole model in this format
        source = source.to(getattr(torch, storage_dtype(plan.quantization)))
    stored = {code: getattr(torch, name) for name, code in TORCH_NAMES.items()}[planned.dtype]
    if not (planned.dequantised or planned.changed):
        return _finite(source.to(stored), planned, source, plan.adapter)
    if planned.dequantised and plan.quantization is not None:
        total = training_values(source, plan.quantization)
    else:
        total = source.to(torch.float32, copy=True)  # the sum below is in place
    if planned.term is not None:
        total = add_term(total, planned.term)
    if planned.bias_term is not None:
        total = total + read_tensor(planned.bias_term).float() * planned.bias_scaling
    if planned.rows is not None:
        total[list(planned.rows.ids)] = read_tensor(planned.rows.values).float()
    return _finite(total.to(stored), planned, total, plan.adapter)


def add_term(weight: torch.Tensor, term: LoraTerm) -> torch.Tensor:
    """Return weight + scaling · B·A in float32;
    with DoRA, the rows are then rescaled to `magnitude`.

    A contiguous `weight` is changed in place.

    LoRA: https://arxiv.org/abs/2106.09685; rsLoRA's scaling: https://arxiv.org/abs/2312.03732;
    DoRA: https://arxiv.org/abs/2402.09353 (with the norm of base + term, as peft computes it).
    """
    delta = read_tensor(term.b).float() @ read_tensor(term.a).float()
    delta *= term.scaling
    if term.transposed or term.embedding:
        delta = delta.T
    weight = weight.add_(delta) if weight.is_contiguous() else weight + delta
    if term.magnitude is not None:
        magnitude = read_tensor(term.magnitude).float()
        # peft keeps the length of a linear layer's rows (out), but of an embedding's columns.
        dim = 0 if term.transposed or term.embedding else 1
        norm = torch.linalg.norm(weight, dim=dim)
        weight *= (magnitude / norm).unsqueeze(dim)
    return weight


def _finite(
    stored: torch.Tensor, planned: PlannedTensor, exact: torch.Tensor, adapter: Adapter
) -> torch.Tensor:
    """Return `stored`, or raise UserError where it is not finite;
    `exact` is the sum before rounding.
    """
    if bool(stored.isfinite().all()):
        return stored
    if bool(exact.isfinite().all()):
        raise UserError(
            f"{planned.name} does not fit {planned.dtype}: values up to "
            f"{float(exact.abs().max()):.3g}",
            where=str(planned.source.file),
            remedy="store as bfloat16",
        )
    of_adapter = not_finite(adapter)
    if of_adapter is None:
        raise UserError(
            f"{planned.name} is not finite after the sum: the base holds NaN or infinity, or the "
            "sum overflows",
            where=str(planned.source.file),
            remedy="check the base's weights",
        )
    raise UserError(
        f"{planned.name} is not finite after the sum: the adapter's {of_adapter} holds NaN or "
        "infinity",
        where=str(adapter.folder / WEIGHTS),
        remedy="check the training loss; a diverged adapter cannot be merged",
    )


def _record(
    plan: MergePlan,
    title: str,
    fingerprint: str,
    companions: dict[str, str],
    hashes: dict[str, str],
) -> dict[str, object]:
    """Return the merged folder's `kofinlaw.json`: what the model is made of,
    without times or paths.
    """
    return {
        "kind": "merged",
        "name": title,
        "kofinlaw": __version__,
        "base_id": merge_card.base_name(plan.adapter, plan),
        "base_sha256": plan.base_sha256,
        "adapter_sha256": plan.adapter.sha256,
        "template_sha256": companions[TEMPLATE],
        "quantization": plan.adapter.quantization,
        "merge": {
            "base": plan.base,
            "dtype": plan.dtype,
            "fingerprint": fingerprint,
            "notes": list(plan.notes),
        },
        "adapter": plan.adapter.record,
        "files": {**companions, **hashes},
        "counts": plan.counts().to_record(),
    }
