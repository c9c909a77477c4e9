"""Build the context of the report's sections on training, time, merge, policy and machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypedDict

import numpy as np

from kofinlaw.decoding import load_json
from kofinlaw.scoring.report import plots
from kofinlaw.scoring.report.gather import lengths_histogram
from kofinlaw.scoring.report.labels import (
    FUNNEL,
    MERGE_CHECKS,
    TRAINING,
    TRAINING_REST,
    stage_label,
    system_label,
)
from kofinlaw.scoring.report.report_record import (
    AugmentFigures,
    LatencyFigures,
    LossPoint,
    MergeCheck,
    MergeFigures,
    ReportFigures,
    StageRow,
    TrainingFigures,
)
from kofinlaw.scoring.report.wording.compliance_words import compliance_context
from kofinlaw.scoring.report.wording.machine_words import INPUTS, environment_label, state_label
from kofinlaw.scoring.report.wording.proof_words import BASES, bound_words, proof_rows
from kofinlaw.scoring.report.wording.question_kinds import (
    ROLES,
    kind_label,
    reason_label,
)
from kofinlaw.scoring.scores_record import ScoresRecord
from kofinlaw.scoring.value_text import (
    Plot,
    Words,
    bars,
    both,
    named,
    plot_of,
    shown,
)
from kofinlaw.tolerant_files import shorten

__all__ = [
    "LOSS_UNIT",
    "TEXT_CHARACTERS",
    "CheckRow",
    "LatencyRow",
    "StageText",
    "check_row",
    "environment_rows",
    "first_example",
    "hash_rows",
    "kept_samples",
    "latency_plots",
    "latency_rows",
    "merge_basis",
    "merge_verdict",
    "proof_context",
    "recipe_text",
    "rejected_samples",
    "reproduce",
    "stage_context",
    "stage_row",
    "training_plots",
]


class LatencyRow(TypedDict):
    """A system's times and tokens as text."""

    label: Words
    cells: list[str]


class CheckRow(TypedDict):
    """A check of the merge proof as text."""

    name: Words
    value: Words
    bound: Words
    ok: bool


class StageText(TypedDict):
    """A stage's time, memory and identity as text."""

    label: Words
    seconds: str
    memory: str
    status: Words
    fingerprint: str


def stage_context(figures: ReportFigures) -> dict[str, object]:
    """Return what the templates of these sections use."""
    training, augment, latency = figures["training"], figures["augment"], figures["latency"]
    merge: MergeFigures = figures["merge"] or {}
    scores = figures["scores"]
    return {
        "training_plots": training_plots(training) if training else [],
        "training_rows": named(training["counts"], TRAINING) if training else [],
        "training_rest": named(training["counts"], TRAINING_REST) if training else [],
        "first_example": first_example(training["first_example"]) if training else None,
        "funnel": {
            "steps": [(FUNNEL[name], f"{count:,}") for name, count in augment["funnel"]],
            "kept": bars(augment["generators"] or augment["tasks"], kind_label),
            "rejected": bars(augment["reasons"], reason_label),
        }
        if augment
        else {},
        "samples": kept_samples(augment) if augment else [],
        "rejected_samples": rejected_samples(augment) if augment else [],
        "latency_plots": latency_plots(latency) if latency else [],
        "latency_rows": latency_rows(latency, scores) if latency else [],
        **proof_context(merge),
        "compliance": compliance_context(figures["compliance"]),
        "stage_rows": [stage_row(stage) for stage in figures["stages"]],
        "environment_rows": environment_rows(figures),
        "hash_rows": hash_rows(scores["sha256"]) if scores else [],
        "reproduce": reproduce(figures),
        "recipe_text": recipe_text(figures["recipe"]),
    }


def proof_context(merge: MergeFigures) -> dict[str, object]:
    """Return what the template of the merge proof uses."""
    checks = merge.get("checks") or ()
    return {
        "merge_checks": [check_row(check) for check in checks if isinstance(check, dict)],
        "merge_verdict": merge_verdict(merge),
        "merge_basis": merge_basis(merge),
        "merge_rows": proof_rows(merge),
        "merge_texts": merge.get("greedy") or [],
    }


TEXT_CHARACTERS = 600  # of a rejected record
_FIRST_EXAMPLE = re.compile(
    r"example (\S+): ([\d,]+) tokens, ([\d,]+) supervised\n"
    r"the model learns to write the text between ⟦ and ⟧\n"
)
LOSS_UNIT = ("손실 (답 토큰당, nat)", "loss (nats per answer token)")


def training_plots(training: TrainingFigures) -> list[Plot]:
    """Return the plots of the loss and of the lengths."""
    out = []
    points = training["points"]
    losses = [p["loss"] for p in points if p["loss"] is not None]
    right = [p["accuracy"] for p in points if p["accuracy"] is not None]
    unit = ("손실 (nat)", "loss (nats)") if right else LOSS_UNIT
    if losses:
        held = any(p["eval_loss"] is not None for p in points)
        title, dots = ("학습 손실", "Training loss"), ("스텝별 손실", "steps")
        out.append(_curve_plot(points, losses, held, title, dots, unit, "loss", plots.loss_plot))
    if right:
        held = any(p["eval_accuracy"] is not None for p in points)
        title = ("학습 문항 정확도", "Accuracy on training items")
        dots = (
            "스텝에서 업데이트 전에 맞힌 학습 문항의 비율",
            "the share of a step's training items right before its update",
        )
        unit = ("맞힌 문항의 비율", "share of items right")
        out.append(
            _curve_plot(points, right, held, title, dots, unit, "accuracy", plots.accuracy_plot)
        )
    lengths = training["lengths"]
    if lengths:
        edges, counts = lengths_histogram(lengths)
        limit = training["max_length"]
        words = (
            f"예제 {sum(counts)}개, {edges[0]:.0f}–{edges[-1]:.0f}토큰",
            f"{sum(counts)} examples, {edges[0]:.0f}–{edges[-1]:.0f} tokens",
        )

        def histogram(lang: str) -> str:
            korean = lang == "ko"
            return plots.histogram_plot(
                edges,
                counts,
                f"lengths-{lang}",
                x_label="토큰" if korean else "tokens",
                y_label="예제 수" if korean else "examples",
                limit=limit,
                limit_label=f"한도 {limit}" if korean else f"limit {limit}",
            )

        out.append(plot_of(("예제의 길이", "Lengths of the examples"), None, words, histogram))
    return out


def _curve_plot(
    points: Sequence[LossPoint],
    values: Sequence[float],
    held: bool,
    title: Words,
    dots: Words,
    unit: Words,
    prefix: str,
    draw: Callable[..., str],
) -> Plot:
    """Return the plot of a value by step.

    Args:
        points: all steps.
        values: the values of the training steps that have one.
        held: whether there are values of held-out examples.
        title: of the plot.
        dots: what a dot is, for the note.
        unit: label of the y axis.
        prefix: of the ids in the drawing.
        draw: `plots.loss_plot` or `plots.accuracy_plot`.
    """
    smooth = plots.running_mean(values)
    note = (
        f"점은 {dots[0]}, 선은 이동 평균" + ("; 네모는 홀드아웃" if held else ""),
        f"dots are {dots[1]}, the line a running mean" + ("; squares: held out" if held else ""),
    )
    words = (
        f"{len(values)}스텝, 처음 {smooth[0]:.3f}, 마지막 {smooth[-1]:.3f}",
        f"{len(values)} steps, first {smooth[0]:.3f}, last {smooth[-1]:.3f}",
    )

    def drawn(lang: str) -> str:
        at = ("ko", "en").index(lang)
        return draw(
            points,
            f"{prefix}-{lang}",
            x_label=("스텝", "step")[at],
            y_label=unit[at],
            smooth=("평균", "mean")[at],
        )

    return plot_of(title, note, words, drawn)


def first_example(text: str) -> tuple[Words, str]:
    """Return the heading of the first training example in both languages, and its text.

    The file begins with its id and its numbers of tokens; other texts have no heading.
    """
    match = _FIRST_EXAMPLE.match(text)
    if not match:
        return ("", ""), text
    name, tokens, supervised = match.groups()
    heading = (
        f"예제 {name}: {tokens}토큰, 학습 대상 {supervised}토큰. 모델은 ⟦와 ⟧ 사이의 글을 쓰도록 "
        "학습합니다.",
        f"Example {name}: {tokens} tokens, {supervised} supervised. The model learns to write the "
        "text between ⟦ and ⟧.",
    )
    return heading, text[match.end() :].lstrip("\n")


def kept_samples(augment: AugmentFigures) -> list[dict[str, object]]:
    """Return the samples of kept examples with their kind, chunks and turns."""
    return [
        {
            "kind": kind_label(str(sample["task"])),
            "chunks": sample["chunks"],
            "turns": [
                (ROLES.get(m["role"], (m["role"], m["role"])), m["content"])
                for m in sample["messages"]
            ],
        }
        for sample in augment["samples"]
    ]


def rejected_samples(augment: AugmentFigures) -> list[dict[str, object]]:
    """Return the samples of rejected records: reason, detail, kind, and the texts of the record."""
    out: list[dict[str, object]] = []
    for sample in augment["rejected_samples"]:
        record = _record_of(sample["record"])
        text = record.get("stem") or record.get("text") or record.get("question")
        options = record.get("options")
        kind = str(record.get("kind") or record.get("task") or "")
        out.append(
            {
                "reason": reason_label(str(sample["reason"])),
                "detail": str(sample["detail"] or ""),
                "kind": kind_label(kind) if kind else None,
                "text": shorten(text, TEXT_CHARACTERS)
                if text
                else _plain(record, sample["record"]),
                "options": [str(o) for o in options] if isinstance(options, list) else [],
            }
        )
    return out


def _plain(record: Mapping[str, object], text: str) -> str:
    """Return the text of a record that is no JSON object; empty for JSON."""
    return "" if record or text.startswith(("{", "[")) else shorten(text, TEXT_CHARACTERS)


def _record_of(text: str) -> Mapping[str, object]:
    """Return a rejected record that is JSON text; empty if it is something else or was cut."""
    try:
        record = load_json(text)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def latency_plots(latency: LatencyFigures) -> list[Plot]:
    """Return the plots of the cumulative time with the budget, and of the time per question."""
    curves, budget = latency["curves"], latency["budget_seconds"]
    ends = {name: curve[-1] for name, curve in curves.items()}
    labels = {language: _labels(curves, language) for language in ("ko", "en")}
    words = both(lambda lang: "; ".join(f"{labels[lang][n]} {s:.0f} s" for n, s in ends.items()))
    note = ("시간 제한 없음", "no deadline")
    if budget:
        share = 100 * max(ends.values()) / budget
        note = (
            f"가장 느린 시스템이 제한 시간 {budget / 60:g}분의 {share:.0f}%를 사용",
            f"the slowest system used {share:.0f}% of the {budget / 60:g} minutes",
        )
    if any(latency["changes"].values()):
        note = (note[0] + "; ▲ 계획이 바뀐 문항", note[1] + "; ▲ where the plan changed")

    def draw(lang: str) -> str:
        korean = lang == "ko"
        minutes = f"{budget / 60:g}" if budget else ""
        return plots.latency_plot(
            curves,
            labels[lang],
            f"latency-{lang}",
            x_label="답한 문항" if korean else "questions answered",
            y_label="누적 시간 ({unit})" if korean else "cumulative time ({unit})",
            budget=budget,
            budget_label=f"제한 시간 {minutes}분" if korean else f"budget {minutes} min",
            changes=latency["changes"],
        )

    each = {name: np.diff([0.0, *curve]).tolist() for name, curve in curves.items()}

    def spread(lang: str) -> str:
        korean = lang == "ko"
        return plots.share_plot(
            each,
            labels[lang],
            f"seconds-{lang}",
            x_label="문항당 시간 (s)" if korean else "seconds per question",
            y_label="완료한 문항의 비율" if korean else "share of questions answered",
        )

    p95 = {name: float(np.quantile(values, 0.95)) for name, values in each.items()}
    slow = both(lambda lang: "; ".join(f"{labels[lang][n]} p95 {s:.2f} s" for n, s in p95.items()))
    return [
        plot_of(("누적 시간", "Cumulative time"), note, words, draw),
        plot_of(
            ("문항당 시간", "Time per question"),
            ("점은 p50과 p95", "dots are p50 and p95"),
            slow,
            spread,
        ),
    ]


def _labels(names: Iterable[str], language: str) -> dict[str, str]:
    """Return the systems' labels in one language."""
    return {name: system_label(name)[("ko", "en").index(language)] for name in names}


def latency_rows(latency: LatencyFigures, scores: ScoresRecord | None) -> list[LatencyRow]:
    """Return p50, p95, total, mean parts and tokens by system."""
    out: list[LatencyRow] = []
    for name in latency["curves"]:
        system = scores["systems"].get(name) if scores else None
        tokens, parts = system["tokens"] if system else {}, latency["parts"]
        each = np.diff([0.0, *latency["curves"][name]])
        cells = [f"{value:.2f}" for value in np.quantile(each, [0.5, 0.95])]
        cells.append(f"{latency['curves'][name][-1]:,.0f}")
        for part in ("retrieve", "prefill", "decode"):
            cells.append(f"{parts[name][part]:.3f}" if part in parts[name] else "–")
        cells.append(f"{tokens['total']:,.0f}" if tokens else "–")
        out.append({"label": system_label(name), "cells": cells})
    return out


def check_row(check: MergeCheck) -> CheckRow:
    """Return a check of the merge proof: its name, the value, the bound and the outcome."""
    name = str(check.get("name"))
    return {
        "name": MERGE_CHECKS.get(name, (name, name)),
        "value": bound_words(check.get("value")),
        "bound": bound_words(check.get("bound")),
        "ok": bool(check.get("ok")),
    }


def merge_verdict(merge: MergeFigures) -> Words:
    """Return the verdict of the proof as a sentence; empty without a proof."""
    result = str(merge.get("verdict", "")).lower()
    if not result:
        return "", ""
    if result == "pass":
        return (
            "통과: 병합한 모델은 학습한 모델(기본 + 어댑터)과 같은 결과를 냅니다.",
            "Passed: the merged model behaves like the model that was trained (base + adapter).",
        )
    names = [MERGE_CHECKS.get(str(n), (str(n), str(n))) for n in merge.get("failed") or ()]
    return (
        f"실패: {', '.join(korean for korean, _ in names) or result}",
        f"Failed: {', '.join(english for _, english in names) or result}",
    )


def merge_basis(merge: MergeFigures) -> Words:
    """Return on which base the model was merged and what it was compared with; empty if unknown."""
    base, against = merge.get("merged_base"), merge.get("compared_with")
    if base not in BASES or against not in BASES:
        return "", ""
    return (
        f"{BASES[base][0]}에 병합해, {BASES[against][0]} + 어댑터와 비교했습니다.",
        f"Merged on the {BASES[base][1]} and compared with the {BASES[against][1]} + adapter.",
    )


def stage_row(stage: StageRow) -> StageText:
    """Return a stage's time, memory and identity as text."""
    seconds, memory = stage["seconds"], stage["peak_memory_gib"]
    return {
        "label": stage_label(stage["stage"]),
        "seconds": f"{seconds:,.1f}" if seconds is not None else "–",
        "memory": f"{memory:.2f}" if memory is not None else "–",
        "status": state_label(stage["status"] or "–"),
        "fingerprint": (stage["fingerprint"] or "")[:12],
    }


def environment_rows(figures: ReportFigures) -> list[tuple[Words, str]]:
    """Return the seed, the machine and the versions as (name, text)."""
    environment, scores = figures["environment"], figures["scores"]
    packages = environment.get("packages", {})
    seed = scores["seed"] if scores else figures["recipe"].get("seed")
    rows = [("seed", str(seed))] if seed is not None else []
    rows += [
        (name, ", ".join(map(str, value)) if isinstance(value, list) else shown(value))
        for name, value in environment.items()
        if name != "packages" and value not in ("", [])
    ]
    rows.append(("packages", ", ".join(f"{name} {value}" for name, value in packages.items())))
    return [(environment_label(name), text) for name, text in rows]


def hash_rows(hashes: Mapping[str, str]) -> list[tuple[Words, str]]:
    """Return the hashes of the scoring's inputs as (name, text); `answers:NAME` names a system."""
    rows: list[tuple[Words, str]] = []
    for name, value in hashes.items():
        kind, _, system = name.partition(":")
        korean, english = INPUTS.get(kind, (kind, kind))
        label = system_label(system) if system else None
        words = (f"{korean}: {label[0]}", f"{english}: {label[1]}") if label else (korean, english)
        rows.append((words, value))
    return rows


def reproduce(figures: ReportFigures) -> Words:
    """Return the commands that repeat this run, with comments in both languages."""
    commit = figures["environment"].get("commit") or ""
    out = []
    for changed, below in (
        ("작업 폴더에는 이 커밋에 없는 변경이 있었습니다", "아래의 레시피"),
        ("the working tree had changes that are not in this commit", "the recipe below"),
    ):
        lines = [f"git checkout {commit.removesuffix('+changes')}"] if commit else []
        if commit.endswith("+changes"):
            lines.append(f"# {changed}")
        if figures["recipe"]:
            lines.append(f"kofinlaw run recipe.yaml   # {below}")
        lines.append(f"kofinlaw report runs/{figures['name']}")
        out.append("\n".join(lines))
    return out[0], out[1]


def recipe_text(recipe: Mapping[str, object]) -> str:
    """Return the recipe as YAML; empty without a recipe."""
    if not recipe:
        return ""
    import yaml

    return yaml.safe_dump(dict(recipe), allow_unicode=True, sort_keys=False)
