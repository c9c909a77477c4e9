"""What an export lost against the merged model it was made from."""

from __future__ import annotations

import gc
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kofinlaw import Progress, silent
from kofinlaw.models.loading import load_model
from kofinlaw.models.templates import template_for
from kofinlaw.models.tokenizer import load_tokenizer
from kofinlaw.records import Key, Message, Question
from kofinlaw.trainer.proof.gguf import measure_gguf
from kofinlaw.trainer.proof.measure import KeptRows, Measured, Probe, measure
from kofinlaw.trainer.proof.probe_tokens import build_probe
from kofinlaw.trainer.proof.reference import compute_dtype
from kofinlaw.trainer.proof.settings import VerifySettings


def verify_exports(
    exports: Mapping[str, Path],
    merged: Path,
    *,
    prompts: Sequence[str | Sequence[Message]] = (),
    passages: Sequence[str] = (),
    corpus: Sequence[str] = (),
    questions: Sequence[Question] = (),
    keys: Sequence[Key] = (),
    settings: VerifySettings | None = None,
    threads: int | None = None,
    progress: Progress = silent,
) -> dict[str, dict[str, Any]]:
    """Compare exports (.gguf files or folders of quantised safetensors) with the merged model.

    Of each, by name: size, share of positions with the same most likely token, both perplexities
    (over `passages`, held-out chunks; without any, over prompts and the fixed dialogues), agreement
    and accuracy of choices, tokens a second, and `verdict`: `fail` where the perplexity is over
    `max_export_perplexity_ratio` times the merged model's, or a GGUF's vocabulary cuts a text of
    `corpus` otherwise. `threads` are llama.cpp's (none: as
    many as cores, which is slow where they are busy with other work). Raises UserError where one
    does not load.
    """
    used = settings or VerifySettings.model_validate({})
    tokenizer = load_tokenizer(merged)
    template = template_for(merged)
    probe = build_probe(tokenizer, template, prompts, questions, used, passages=passages)
    progress("verify export", 0, len(exports) + 1)
    reference = _at_rows(_torch(merged, compute_dtype(used.dtype), probe), probe)
    before = sum(path.stat().st_size for path in merged.glob("*.safetensors"))
    answers = {key.id: key.answer for key in keys}
    asked = [item for item in questions if item.options][: used.questions]
    right = [answers.get(item.id, "") for item in asked]
    out = {}
    for done, (name, export) in enumerate(exports.items(), 1):
        progress("verify export", done, len(exports) + 1)
        if export.is_file():
            found = measure_gguf(export, probe, texts=corpus, threads=threads)
            size = export.stat().st_size
        else:
            found = _at_rows(_torch(export, "bfloat16", probe), probe)
            size = sum(path.stat().st_size for path in export.glob("*.safetensors"))
        figures = {"export": export.name, "bytes": size}
        figures["share_of_merged_bytes"] = round(size / before, 4)
        figures |= compare_export(reference, found, probe, right, used)
        if export.is_file() and corpus:
            same = [
                tokenizer.encode(t) == ids for t, ids in zip(corpus, found["tokens"], strict=True)
            ]
            figures |= {"texts_tokenized": len(same), "tokenization_same": float(np.mean(same))}
            figures["verdict"] = figures["verdict"] if all(same) else "fail"
        out[name] = figures
    progress("verify export", len(exports) + 1, len(exports) + 1)
    return out


def compare_export(
    reference: Mapping[str, Any],
    found: Mapping[str, Any],
    probe: Probe,
    right: Sequence[str],
    settings: VerifySettings,
) -> dict[str, Any]:
    """Figures and verdict of two models' lists over the probe's rows (`_at_rows`' form)."""
    skipped = sum(map(len, probe.kl_rows[: -probe.passages])) if probe.passages else 0
    losses = [
        (first, second)
        for first, second in list(zip(reference["losses"], found["losses"], strict=True))[skipped:]
        if second is not None
    ]
    merged, export = (math.exp(float(np.mean(column))) for column in zip(*losses, strict=True))
    figures: dict[str, Any] = {
        "positions": len(reference["argmax"]),
        "argmax_agreement": _same(reference["argmax"], found["argmax"]),
        "perplexity_on": "held-out chunks" if probe.passages else "prompts and fixed dialogues",
        "perplexity_positions": len(losses),
        "perplexity_merged": merged,
        "perplexity_export": export,
        "tokens_per_second_merged": reference["tokens_per_second"],
        "tokens_per_second_export": found["tokens_per_second"],
    }
    picked = [
        (first, second, label)
        for first, second, label in zip(reference["choices"], found["choices"], right, strict=True)
        if second is not None
    ]
    if picked:
        ours, theirs, labels = zip(*picked, strict=True)
        figures["choices"] = len(picked)
        figures["choice_agreement"] = _same(ours, theirs)
        if all(labels):
            figures["accuracy_merged"] = _same([str(choice + 1) for choice in ours], labels)
            figures["accuracy_export"] = _same([str(choice + 1) for choice in theirs], labels)
    ratio = export / merged
    figures["verdict"] = "pass" if ratio <= settings.max_export_perplexity_ratio else "fail"
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
