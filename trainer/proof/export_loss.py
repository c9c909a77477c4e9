"""Measure what an export lost compared with the merged model it was made from."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kofinlaw import Progress, silent
from kofinlaw.models.loading import load_model
from kofinlaw.models.settings import Dtype
from kofinlaw.models.templates import ChatTemplate, template_for
from kofinlaw.models.tokenizer import Tokenizer, load_tokenizer
from kofinlaw.records import Key, Message, Question
from kofinlaw.trainer.export.dialogues import DIALOGUES
from kofinlaw.trainer.export.modelfile import expected_texts
from kofinlaw.trainer.proof.export_figures import ExportFigures
from kofinlaw.trainer.proof.gguf_measure import measure_gguf
from kofinlaw.trainer.proof.measure import KeptRows, Measured, Probe, RowFigures, measure
from kofinlaw.trainer.proof.probe_tokens import build_probe
from kofinlaw.trainer.proof.proof_result import Verdict
from kofinlaw.trainer.proof.reference import compute_dtype
from kofinlaw.trainer.proof.settings import VerifySettings

__all__ = ["compare_exports"]


def compare_exports(
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
) -> dict[str, ExportFigures]:
    """Compare exports with the merged model they were made from.

    The verdict of an export is `fail` where its perplexity is over `max_export_perplexity_ratio`
    times the merged model's, where a GGUF's vocabulary gives a text of `corpus` other tokens, or
    where its chat template writes a dialogue differently.

    Args:
        exports: .gguf files, or folders of quantised safetensors, by name.
        merged: the merged checkpoint's folder.
        prompts: user turns or whole dialogues, held out from training.
        passages: held-out chunks that perplexity is measured on; without any, it is measured on
            the prompts and the fixed dialogues.
        corpus: texts that a GGUF must cut into the merged model's tokens.
        questions: only multiple-choice questions are used.
        keys: their right answers.
        settings: what is compared, and the thresholds; None takes the defaults.
        threads: of llama.cpp; None takes as many as cores, which is slow where they are busy.
        progress: receives the number of models done.

    Raises UserError where an export does not load.
    """
    settings = settings or VerifySettings()
    tokenizer = load_tokenizer(merged)
    template = template_for(merged)
    probe = build_probe(tokenizer, template, prompts, questions, settings, passages=passages)
    progress("verify export", 0, len(exports) + 1)
    reference = _Reference(
        rows=_torch_rows(merged, compute_dtype(settings.dtype), probe),
        bytes=_weight_bytes(merged),
        probe=probe,
        labels=_labels(questions, keys, settings),
        tokenizer=tokenizer,
        template=template,
        corpus=corpus,
    )
    compared = {}
    for done, (name, export) in enumerate(exports.items(), 1):
        progress("verify export", done, len(exports) + 1)
        if export.is_file():
            rows = measure_gguf(export, probe, texts=corpus, dialogues=DIALOGUES, threads=threads)
        else:
            rows = _torch_rows(export, "bfloat16", probe)
        compared[name] = _export_figures(reference, export, rows, settings)
    progress("verify export", len(exports) + 1, len(exports) + 1)
    return compared


@dataclass(frozen=True, slots=True)
class _Reference:
    """The merged model's figures, and what its exports are compared on."""

    rows: RowFigures
    bytes: int
    probe: Probe
    labels: list[str]
    tokenizer: Tokenizer
    template: ChatTemplate
    corpus: Sequence[str]


def _labels(
    questions: Sequence[Question], keys: Sequence[Key], settings: VerifySettings
) -> list[str]:
    """Return the right answer of each question of the probe; empty where it is not known."""
    answers = {key.id: key.answer for key in keys}
    asked = [question for question in questions if question.options][: settings.questions]
    return [answers.get(question.id, "") for question in asked]


def _export_figures(
    reference: _Reference, export: Path, rows: RowFigures, settings: VerifySettings
) -> ExportFigures:
    probe, merged = reference.probe, reference.rows
    skipped = sum(map(len, probe.kl_rows[: -probe.passages])) if probe.passages else 0
    losses = [
        (first, second)
        for first, second in list(zip(merged.losses, rows.losses, strict=True))[skipped:]
        if first is not None and second is not None
    ]
    perplexity_merged, perplexity_export = (
        math.exp(float(np.mean(column))) for column in zip(*losses, strict=True)
    )
    picked = [
        (first, second, label)
        for first, second, label in zip(merged.choices, rows.choices, reference.labels, strict=True)
        if first is not None and second is not None
    ]
    labelled = bool(picked) and all(label for _, _, label in picked)
    same_tokens = _same_tokens(reference, export, rows)
    same_dialogues = _same_dialogues(reference.template, rows)
    ratio = perplexity_export / perplexity_merged
    alike = all(same_tokens) and all(same_dialogues)
    kept = ratio <= settings.max_export_perplexity_ratio and alike
    verdict: Verdict = "pass" if kept else "fail"
    size = _weight_bytes(export)
    return ExportFigures(
        export=export.name,
        bytes=size,
        share_of_merged_bytes=round(size / reference.bytes, 4),
        positions=len(merged.argmax),
        argmax_agreement=_share(a == b for a, b in zip(merged.argmax, rows.argmax, strict=True)),
        perplexity_on="held-out chunks" if probe.passages else "prompts and fixed dialogues",
        perplexity_positions=len(losses),
        perplexity_merged=perplexity_merged,
        perplexity_export=perplexity_export,
        tokens_per_second_merged=merged.tokens_per_second,
        tokens_per_second_export=rows.tokens_per_second,
        choices=len(picked) or None,
        choice_agreement=_share(a == b for a, b, _ in picked) if picked else None,
        accuracy_merged=_share(str(a + 1) in label.split(",") for a, _, label in picked)
        if labelled
        else None,
        accuracy_export=_share(str(b + 1) in label.split(",") for _, b, label in picked)
        if labelled
        else None,
        verdict=verdict,
        texts_tokenized=len(same_tokens) or None,
        tokenization_same=_share(same_tokens) if same_tokens else None,
        dialogues=len(same_dialogues) or None,
        dialogues_same=_share(same_dialogues) if same_dialogues else None,
    )


def _same_dialogues(template: ChatTemplate, rows: RowFigures) -> list[bool]:
    """Return for each dialogue that the checkpoint's template accepts whether a GGUF's template
    writes it alike. llama.cpp leaves out the BOS token where it adds one itself.
    """
    if not rows.rendered:
        return []
    expected = expected_texts(template, without_bos=True)
    return [
        text.removeprefix(template.bos) == wanted
        for text, wanted in zip(rows.rendered, expected, strict=True)
        if wanted is not None
    ]


def _same_tokens(reference: _Reference, export: Path, rows: RowFigures) -> list[bool]:
    """Return for each corpus text whether a GGUF gives it the merged model's tokens."""
    if not export.is_file():
        return []
    encode = reference.tokenizer.encode
    return [
        encode(text) == tokens for text, tokens in zip(reference.corpus, rows.tokens, strict=True)
    ]


def _weight_bytes(model: Path) -> int:
    """Return the size of a .gguf file, or of a folder's safetensors."""
    if model.is_file():
        return model.stat().st_size
    return sum(path.stat().st_size for path in model.glob("*.safetensors"))


def _torch_rows(folder: Path, dtype: Dtype, probe: Probe) -> RowFigures:
    """Load a checkpoint and measure it on the probe."""
    model = load_model(folder, dtype=dtype)
    found = measure(model, probe, KeptRows().keep, tick=lambda: None)
    del model
    gc.collect()
    return _at_rows(found, probe)


def _at_rows(found: Measured, probe: Probe) -> RowFigures:
    """Return a torch model's figures at the rows that a GGUF file is also measured at."""
    seconds = found.seconds_per_token
    positions = [(text, row) for text, rows in enumerate(probe.kl_rows) for row in rows]
    return RowFigures(
        argmax=[int(found.argmax[text][row]) for text, row in positions],
        losses=[float(found.losses[text][row]) for text, row in positions],
        choices=[int(np.argmax(scores)) for scores in found.choice_scores],
        tokens_per_second=1 / seconds if seconds else 0.0,
    )


def _share(hits: Iterable[bool]) -> float:
    """Return the share of true values."""
    return float(np.mean(list(hits)))
