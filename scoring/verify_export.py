"""What an export lost against the merged model it was made from."""

from __future__ import annotations

import gc
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kofinlaw import Progress, silent
from kofinlaw.data.files import write_json
from kofinlaw.data.records import Key, Message, Question
from kofinlaw.models.loading import load_model, load_tokenizer
from kofinlaw.models.templates import template_for
from kofinlaw.scoring.verify_gguf import measure_gguf
from kofinlaw.scoring.verify_measure import KeptRows, Measured, Probe, measure
from kofinlaw.scoring.verify_probe import build_probe
from kofinlaw.scoring.verify_reference import compute_dtype
from kofinlaw.trainer.merge_settings import VerifySettings


def verify_export(
    export: Path,
    merged: Path,
    *,
    prompts: Sequence[str | Sequence[Message]] = (),
    questions: Sequence[Question] = (),
    keys: Sequence[Key] = (),
    settings: VerifySettings | None = None,
    threads: int | None = None,
    out: Path | None = None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Compare an export (a .gguf file or a folder of 4-bit safetensors) with the merged model.

    Returns size, share of positions with the same most likely token, both perplexities over the
    positions whose token both state (held-out prompts and the fixed dialogues), agreement and
    accuracy of choices, and tokens a second; with `out`, written there as JSON. `threads` are
    llama.cpp's (none: as many as cores, which is slow where they are busy with other work).
    Raises UserError where one does not load.
    """
    used = settings or VerifySettings.model_validate({})
    probe = build_probe(load_tokenizer(merged), template_for(merged), prompts, questions, used)
    progress("verify export", 0, 2)
    reference = _at_rows(_torch(merged, compute_dtype(used.dtype), probe), probe)
    progress("verify export", 1, 2)
    if export.is_file():
        found = measure_gguf(export, probe, threads=threads)
        size = export.stat().st_size
    else:
        found = _at_rows(_torch(export, "bfloat16", probe), probe)
        size = sum(path.stat().st_size for path in export.glob("*.safetensors"))
    progress("verify export", 2, 2)
    before = sum(path.stat().st_size for path in merged.glob("*.safetensors"))
    losses = [
        (first, second)
        for first, second in zip(reference["losses"], found["losses"], strict=True)
        if second is not None
    ]
    figures: dict[str, Any] = {
        "export": export.name,
        "bytes": size,
        "share_of_merged_bytes": round(size / before, 4),
        "positions": len(reference["argmax"]),
        "argmax_agreement": _same(reference["argmax"], found["argmax"]),
        "perplexity_positions": len(losses),
        "perplexity_merged": math.exp(float(np.mean([first for first, _ in losses]))),
        "perplexity_export": math.exp(float(np.mean([second for _, second in losses]))),
        "tokens_per_second_merged": reference["tokens_per_second"],
        "tokens_per_second_export": found["tokens_per_second"],
    }
    if found["choices"]:
        figures["choice_agreement"] = _same(reference["choices"], found["choices"])
    answers = {key.id: key.answer for key in keys}
    asked = [item for item in questions if item.options][: used.questions]
    right = [answers.get(item.id, "") for item in asked]
    if found["choices"] and all(right):
        for name, model in (("merged", reference), ("export", found)):
            labels = [str(choice + 1) for choice in model["choices"]]
            figures[f"accuracy_{name}"] = _same(labels, right)
    if out is not None:
        write_json(out, figures)
    return figures


def _torch(folder: Path, dtype: Any, probe: Probe) -> Measured:
    model = load_model(folder, dtype=dtype)
    found = measure(model, probe, KeptRows().keep, tick=lambda: None)
    del model
    gc.collect()
    return found


def _at_rows(found: Measured, probe: Probe) -> dict[str, Any]:
    """A torch model's figures at the rows a GGUF is asked for, in the same form."""
    seconds = found.seconds_per_token
    places = [(text, row) for text, rows in enumerate(probe.kl_rows) for row in rows]
    return {
        "argmax": [int(found.argmax[text][row]) for text, row in places],
        "losses": [float(found.losses[text][row]) for text, row in places],
        "choices": [int(np.argmax(scores)) for scores in found.choice_scores],
        "tokens_per_second": 1 / seconds if seconds else 0.0,
    }


def _same(first: Sequence[Any], second: Sequence[Any]) -> float:
    return float(np.mean([a == b for a, b in zip(first, second, strict=True)]))
