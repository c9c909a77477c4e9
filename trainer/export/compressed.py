"""A merged checkpoint in 4 bits by AWQ or GPTQ, through llm-compressor in its own environment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import atomic_folder, read_jsonl, write_json
from kofinlaw.records import Chunk, Example
from kofinlaw.trainer.base_identity import weight_files
from kofinlaw.trainer.export.environment import LLM_COMPRESSOR, call, environment_python
from kofinlaw.trainer.merge.adapter_files import read_object
from kofinlaw.trainer.merge.card import copy_companions
from kofinlaw.trainer.merge.config import readable_by_both

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
) -> dict[str, Any]:
    """Write `out`, a folder with 4-bit weights (groups of 128, `compressed-tensors`), for vLLM.

    `calibration` are texts of the training's chunks, of which `samples` spread evenly are read, up
    to `tokens` tokens of each. Weights whose width 128 does not divide stay in 16 bits, and so
    does the head. Returns bytes and the number of texts read. Raises UserError for a target that
    is not empty, no calibration text, AWQ without a GPU, and a model llm-compressor refuses.
    """
    if method not in METHODS:
        raise UserError(f"method takes {', '.join(METHODS)}, not {method!r}")
    if out.exists() and any(out.iterdir()):
        raise UserError("the target folder is not empty", where=str(out))
    if not calibration:
        raise UserError(
            f"{method} is calibrated on the training's chunks, and none are named",
            remedy="export from a run, or name its folder",
        )
    weight_files(merged)
    _check_device(method)
    python = environment_python(LLM_COMPRESSOR, environments, cache)
    read = spread(calibration, samples)
    progress(f"export {method}", 0, 2)
    with atomic_folder(out) as partial:
        job = {"model": str(merged), "out": str(partial), "method": method}
        call(
            [str(python), str(WORKER)],
            "llm-compressor refused this model",
            where=str(merged),
            input=json.dumps({**job, "texts": read, "tokens": tokens}),
            cwd=partial,
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
    """`count` of the texts, or all where there are fewer, evenly from the first on."""
    count = min(count, len(texts))
    return [texts[n * len(texts) // count] for n in range(count)]


def calibration_texts(chunks: Path, examples: Path) -> list[str]:
    """The chunks that training examples were made from: never what an evaluation asks about."""
    seen: set[str] = set()
    for example in read_jsonl(examples, Example):
        seen.update(example.provenance.get("chunks") or ())
    return [chunk.text for chunk in read_jsonl(chunks, Chunk) if chunk.id in seen]


def _check_device(method: str) -> None:
    import torch

    if method == "awq" and not torch.cuda.is_available():
        # llm-compressor 0.14 pins its calibration cache, which torch refuses without a GPU.
        raise UserError(
            "awq needs a GPU, and there is none here",
            remedy="export gptq, which a processor calibrates too",
        )
