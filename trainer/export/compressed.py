"""Quantise a merged checkpoint to 4 bits by AWQ or GPTQ, with llm-compressor in its own
environment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import atomic_folder, read_jsonl, write_json
from kofinlaw.models.weight_headers import weight_files
from kofinlaw.records import Chunk, Example
from kofinlaw.trainer.export.environment import LLM_COMPRESSOR, environment_python, run_exporter
from kofinlaw.trainer.export.export_result import ExportFacts
from kofinlaw.trainer.merge.json_objects import read_object
from kofinlaw.trainer.merge.merged_card import copy_companions
from kofinlaw.trainer.merge.merged_config import readable_by_both

__all__ = ["METHODS", "WORKER", "calibration_texts", "spread", "to_compressed"]

METHODS = ("awq", "gptq")
WORKER = Path(__file__).with_name("worker.py")


def to_compressed(
    merged: Path,
    out: Path,
    method: str,
    calibration: Sequence[str],
    *,
    samples: int = 128,
    tokens: int = 512,
    environments: Path | None = None,
    cache: Path | None = None,
    progress: Progress = silent,
) -> ExportFacts:
    """Write the folder `out` with 4-bit weights (groups of 128, `compressed-tensors`) for vLLM.

    The head, and weights whose width is not a multiple of 128, stay in 16 bits.

    Args:
        merged: the merged checkpoint.
        out: target folder, absent or empty.
        method: `awq` or `gptq`.
        calibration: texts of the chunks that training used.
        samples: how many of these texts are read, spread evenly over them.
        tokens: how many tokens of each text are read at most.
        environments: folder of the exporters' virtual environments; None: in the cache.
        cache: the cache's folder; None: the user's.
        progress: receives the steps done.

    Raises UserError for a target that is not empty, for missing calibration texts, for AWQ
    without a GPU, and for a model that llm-compressor refuses.
    """
    if method not in METHODS:
        raise UserError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    if out.exists() and any(out.iterdir()):
        raise UserError("the target folder is not empty", where=str(out))
    if not calibration:
        raise UserError(
            f"{method} is calibrated on the training's chunks, but there are none",
            remedy="name the folder of the run that trained the model (--run)",
        )
    weight_files(merged)
    _check_device(method)
    python = environment_python(LLM_COMPRESSOR, environments, cache)
    read = spread(calibration, samples)
    progress(f"export {method}", 0, 2)
    with atomic_folder(out) as partial:
        job = {"model": str(merged), "out": str(partial), "method": method}
        run_exporter(
            [str(python), str(WORKER)],
            "llm-compressor refused this model",
            where=str(merged),
            stdin=json.dumps({**job, "texts": read, "tokens": tokens}),
            folder=partial,
        )
        progress(f"export {method}", 1, 2)
        saved = read_object(partial / "config.json")
        original = read_object(merged / "config.json")
        config = {**original, "quantization_config": saved["quantization_config"]}
        copy_companions(merged, partial)
        write_json(partial / "config.json", readable_by_both(config, dtype="bfloat16"))
    progress(f"export {method}", 2, 2)
    return {
        "folder": out.name,
        "bytes": sum(path.stat().st_size for path in out.glob("*.safetensors")),
        "calibration_texts": len(read),
    }


def spread(texts: Sequence[str], count: int) -> list[str]:
    """Return `count` of the texts, spread evenly from the first;
    all of them where there are fewer.
    """
    count = min(count, len(texts))
    return [texts[n * len(texts) // count] for n in range(count)]


def calibration_texts(chunks: Path, examples: Path) -> list[str]:
    """Return the texts of the chunks that training examples came from,
    so never of an evaluation's chunks.
    """
    seen: set[str] = set()
    for example in read_jsonl(examples, Example):
        seen.update(example.provenance.get("chunks") or ())
    return [chunk.text for chunk in read_jsonl(chunks, Chunk) if chunk.id in seen]


def _check_device(method: str) -> None:
    if method == "awq" and not torch.cuda.is_available():
        # llm-compressor 0.14 pins its calibration cache, which torch refuses without a GPU.
        raise UserError(
            "awq needs a GPU, and this machine has none",
            remedy="export gptq, which also runs on a CPU",
        )
