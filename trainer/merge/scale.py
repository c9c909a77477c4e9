"""Multiply the change of an adapter by a number, as an adapter of its own.

Weights between the base (0) and the trained model (1) often keep most of what was learned, and lose
less of what the base could do before (WiSE-FT, Wortsman et al., arXiv 2109.01903).
"""

from __future__ import annotations

import math
import shutil
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import atomic_folder, disk_error, write_json
from kofinlaw.trainer.merge.adapter_files import CONFIG, RECORD, WEIGHTS, Adapter, read_adapter
from kofinlaw.trainer.merge.coverage import not_finite
from kofinlaw.trainer.merge.json_objects import JsonObject, read_object
from kofinlaw.trainer.merge.tensor_files import ShardWriter, read_tensor

__all__ = ["scale_adapter"]

_SCALED = ("lora_B.weight", "lora_embedding_B")
_KEPT = ("lora_A.weight", "lora_embedding_A")


def scale_adapter(adapter: Path, weight: float, out: Path) -> Path:
    """Write the adapter with `weight` times its change of the base under `out`, and return `out`.

    All other files are copied. The factor B is stored as float32, so nothing is rounded. An `out`
    that already holds this adapter stays unchanged.

    Raises UserError for a weight that is not finite, for an adapter with parts that are not
    low-rank changes (DoRA, whole weights, biases, token rows), for one that holds NaN or infinity,
    for an `out` that holds something else, and for a full disk.
    """
    if not math.isfinite(weight):
        raise UserError(f"the weight of an adapter must be a finite number, not {weight}")
    read = read_adapter(adapter)
    _check(read)
    record: JsonObject = {**read.record, "scaled": {"adapter": read.sha256, "weight": weight}}
    if (out / RECORD).exists() and read_object(out / RECORD) == record:
        return out
    if out.exists() and any(out.iterdir()):
        raise UserError(
            "the target folder is not empty",
            where=str(out),
            remedy="name another folder, or delete this one",
        )
    header = [
        (name, info.shape, "F32" if name.endswith(_SCALED) else info.dtype)
        for name, info in read.tensors.items()
    ]
    with atomic_folder(out) as partial:
        for path in sorted(adapter.iterdir()):
            if path.is_file() and path.name not in (WEIGHTS, RECORD):
                _copy(path, partial / path.name)
        writer = ShardWriter(partial / WEIGHTS, header)
        for name in writer.order:
            value = read_tensor(read.tensors[name])
            writer.write(name, value.float() * weight if name.endswith(_SCALED) else value)
        writer.close()
        write_json(partial / RECORD, record)
    return out


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise disk_error(error, target) from error


def _check(adapter: Adapter) -> None:
    """Raise UserError unless each part is a factor of a low-rank change, and finite."""
    other = [name for name in adapter.tensors if not name.endswith((*_SCALED, *_KEPT))]
    if other:
        raise UserError(
            f"only low-rank changes can be weighted, and {other[0]} is none (DoRA, whole weights, "
            "biases, token rows)",
            where=str(adapter.folder / CONFIG),
            remedy="merge it with the weight 1",
        )
    broken = not_finite(adapter)
    if broken is not None:
        raise UserError(
            f"{broken} holds NaN or infinity",
            where=str(adapter.folder / WEIGHTS),
            remedy="check the training loss; a diverged adapter cannot be merged",
        )
