"""Quantise a merged checkpoint to 4 bits (NF4) and write it."""

from __future__ import annotations

from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import atomic_folder, write_json
from kofinlaw.models.loading import load_model
from kofinlaw.models.settings import Dtype
from kofinlaw.trainer.export.export_result import ExportFacts
from kofinlaw.trainer.merge.json_objects import read_object
from kofinlaw.trainer.merge.merged_card import copy_companions
from kofinlaw.trainer.merge.merged_config import readable_by_both

__all__ = ["to_bnb4"]


def to_bnb4(
    merged: Path, out: Path, *, dtype: Dtype = "bfloat16", progress: Progress = silent
) -> ExportFacts:
    """Write the folder `out` with NF4 weights (block 64, double quantisation).

    transformers and vLLM load it without further settings. Embeddings, norms and the head keep
    `dtype`. Quantising once, after the merge, keeps the adapter; adding an adapter to 4-bit
    weights would lose it. Raises UserError for a target that is not empty.
    """
    if out.exists() and any(out.iterdir()):
        raise UserError("the target folder is not empty", where=str(out))
    progress("export bnb-4bit", 0, 2)
    with atomic_folder(out) as partial:
        model = load_model(merged, quantization="nf4", dtype=dtype)
        model.save_pretrained(partial, max_shard_size="4GB")
        progress("export bnb-4bit", 1, 2)
        copy_companions(merged, partial)
        saved = read_object(partial / "config.json")
        original = read_object(merged / "config.json")
        config = {**original, "quantization_config": saved["quantization_config"]}
        write_json(partial / "config.json", readable_by_both(config, dtype=dtype))
    progress("export bnb-4bit", 2, 2)
    return {
        "folder": out.name,
        "bytes": sum(path.stat().st_size for path in out.glob("*.safetensors")),
    }
