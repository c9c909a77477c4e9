"""Prove that a merged checkpoint is the model that was trained.

The merged folder is reloaded from the disk and compared with base + adapter: first weight by
weight, then by the predictions of both on the same held-out text.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.prompting.wording import free_messages
from kofinlaw.errors import raise_if_machine
from kofinlaw.files import write_json, write_text
from kofinlaw.models.adapters import AdapterGapError
from kofinlaw.models.loading import load_model
from kofinlaw.models.templates import ChatTemplate, template_for
from kofinlaw.models.tokenizer import Tokenizer, load_tokenizer
from kofinlaw.records import Key, Message, Question
from kofinlaw.trainer.merge.adapter_files import RECORD, Adapter, read_adapter
from kofinlaw.trainer.merge.json_objects import object_at, read_object_if_present, text_at
from kofinlaw.trainer.proof.checks import (
    behaviour_checks,
    compare_models,
    modules_check,
    weight_checks,
)
from kofinlaw.trainer.proof.fixed_prompts import FIXED_DIALOGUES
from kofinlaw.trainer.proof.measure import KeptRows, Measured, Probe, measure
from kofinlaw.trainer.proof.probe_tokens import build_probe, texts_only
from kofinlaw.trainer.proof.proof_page import verdict_page
from kofinlaw.trainer.proof.proof_result import Check, GreedyText, ProofFigures, ProofResult
from kofinlaw.trainer.proof.reference import as_float32, compute_dtype, load_reference
from kofinlaw.trainer.proof.same_origin import SAME_TEXTS, identity_checks
from kofinlaw.trainer.proof.settings import VerifySettings
from kofinlaw.trainer.proof.weights import WeightCheck, check_weights

__all__ = ["prove_merge"]


@dataclass(frozen=True, slots=True)
class _Models:
    """The models of a proof; `kind` is the base of the reference."""

    merged: Path
    adapter: Adapter
    base: Path
    kind: str


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Checks of a comparison, with its figures where both models could be run."""

    checks: list[Check]
    figures: ProofFigures | None = None
    weights: WeightCheck | None = None
    greedy: tuple[GreedyText, ...] | None = None


def prove_merge(
    merged: Path,
    adapter: Path,
    base: Path,
    *,
    prompts: Sequence[str | Sequence[Message]] = (),
    questions: Sequence[Question] = (),
    keys: Sequence[Key] = (),
    template: ChatTemplate | None = None,
    settings: VerifySettings | None = None,
    against: Literal["claimed", "trained"] = "claimed",
    out: Path | None = None,
    progress: Progress = silent,
) -> ProofResult:
    """Compare a merged checkpoint with base + adapter.

    A fixed set of Korean dialogues is always part of the comparison. A damaged merge gives a
    failing verdict, not an exception.

    Args:
        merged: the merged checkpoint's folder.
        adapter: the adapter's folder.
        base: the base model's folder.
        prompts: user turns or whole dialogues, held out from training.
        questions: held-out questions; those without options are added to `prompts`.
        keys: right answers, for the accuracy of both models.
        template: the chat template used in training; None takes the adapter's record of it.
        settings: what is compared, and the thresholds; None takes the defaults.
        against: with `claimed` the reference is on the base that the merge says it was made on,
            which proves the arithmetic. With `trained` it is always on the base that training
            held, which shows what merging on the original changes.
        out: folder for verify.json and verify.md; None writes nothing.
        progress: receives the number of texts, questions and continuations done.

    Returns the verdict with its checks and figures.

    Raises UserError where base or adapter cannot be read.
    """
    settings = settings or VerifySettings()
    trained = read_adapter(adapter)
    record = read_object_if_present(merged / RECORD)
    claimed = text_at(object_at(record, "merge"), "base") or "dequantized"
    models = _Models(merged, trained, base, claimed if against == "claimed" else "dequantized")
    checks = identity_checks(merged, trained, base, record, template)
    compared, not_measured = _Comparison([]), None
    if all(check.ok for check in checks if check.name in SAME_TEXTS):
        choices = [question for question in questions if question.options]
        free = [free_messages(item.question) for item in questions if not item.options]
        probe = build_probe(
            load_tokenizer(merged),
            template or template_for(merged),
            [*prompts, *free],
            choices,
            settings,
        )
        answers = {key.id: key.answer for key in keys}
        asked = choices[: settings.questions]
        labels = [answers[question.id] for question in asked if answers.get(question.id)]
        compared = _compare(models, probe, labels, settings, progress)
    else:
        not_measured = "tokenizer or template differ: the texts would not be the same"
    result = ProofResult(
        merged_base=claimed,
        compared_with=models.kind,
        fixed_dialogues=len(FIXED_DIALOGUES),
        checks=(*checks, *compared.checks),
        figures=compared.figures,
        weights=compared.weights,
        greedy=compared.greedy,
        not_measured=not_measured,
    )
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / "verify.json", result.to_report())
        write_text(out / "verify.md", verdict_page(result))
    return result


def _compare(
    models: _Models,
    probe: Probe,
    labels: Sequence[str],
    settings: VerifySettings,
    progress: Progress,
) -> _Comparison:
    """Compare weights and predictions; only one model is in memory at a time."""
    dtype = compute_dtype(settings.dtype)
    steps = 3 * (len(probe.texts) + len(probe.choices) + len(probe.openings))
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        progress("verify", done, steps)

    try:
        reference = load_reference(models.base, models.adapter, models.kind)
    except AdapterGapError as error:
        return _Comparison([modules_check(error.modules, error.gaps)])
    try:
        weights = check_weights(models.merged, reference)
    except UserError as error:
        raise_if_machine(error, models.merged)
        return _Comparison([Check("weights", str(error), "readable", False)])
    if dtype == "float32":
        as_float32(reference)
    rows = KeptRows()
    trained = measure(reference, probe, rows.keep, tick=tick)
    with reference.disable_adapter():
        base = measure(reference, texts_only(probe), rows.compare, tick=tick)
    effect = rows.take()
    del reference
    gc.collect()
    try:
        model = load_model(models.merged, dtype=dtype)
    except UserError as error:
        raise_if_machine(error, models.merged)
        loads = Check("loads", error.message, "transformers loads the merged folder", False)
        return _Comparison([*weight_checks(weights, settings), loads])
    merged = measure(model, probe, rows.compare, tick=tick)
    divergence = rows.take()
    del model
    gc.collect()
    figures = compare_models(
        base,
        trained,
        merged,
        effect=effect,
        divergence=divergence,
        probe=probe,
        labels=labels,
        dtype=dtype,
    )
    return _Comparison(
        checks=[*weight_checks(weights, settings), *behaviour_checks(figures, settings)],
        figures=figures,
        weights=weights,
        greedy=_greedy_texts(load_tokenizer(models.merged), trained, merged),
    )


def _greedy_texts(
    tokenizer: Tokenizer, trained: Measured, merged: Measured
) -> tuple[GreedyText, ...]:
    return tuple(
        GreedyText(tokenizer.decode(first), tokenizer.decode(second), first == second)
        for first, second in zip(trained.greedy, merged.greedy, strict=True)
    )
