"""What the report's sections on training, time, merge, compliance and environment show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kofinlaw.scoring.report import plots
from kofinlaw.scoring.report.gather import lengths_histogram
from kofinlaw.scoring.report.labels import FUNNEL, MERGE_CHECKS, TRAINING, stage_label, system_label
from kofinlaw.scoring.value_text import (
    Words,
    bars,
    both,
    figure,
    flat,
    is_table,
    named,
    shown,
    table,
)


def stage_context(figures: Mapping[str, Any]) -> dict[str, Any]:
    """What the sections on training, augmentation, time, merge, policy and machine show."""
    training, augment, latency = figures["training"], figures["augment"], figures["latency"]
    merge, compliance = figures["merge"] or {}, figures["compliance"] or {}
    checks = merge.get("checks") or []
    return {
        "training_plots": training_plots(training) if training else [],
        "training_rows": named(training["counts"], TRAINING) if training else [],
        "training_rest": flat(training["counts"]) if training else [],
        "funnel": {
            "steps": [(FUNNEL[name], f"{count:,}") for name, count in augment["funnel"]],
            "kept": bars(augment["generators"] or augment["tasks"]),
            "rejected": bars(augment["reasons"]),
        }
        if augment
        else {},
        "latency_plots": latency_plots(latency) if latency else [],
        "latency_rows": latency_rows(latency, figures["scores"]) if latency else [],
        "merge_checks": [merge_check(check) for check in checks] if is_table(checks) else [],
        "merge_verdict": merge_verdict(merge),
        "merge_rows": flat({k: v for k, v in merge.items() if not is_table(v)}),
        "compliance_tables": [table(k, v) for k, v in compliance.items() if is_table(v)],
        "compliance_rows": flat({k: v for k, v in compliance.items() if not is_table(v)}),
        "stage_rows": [stage_row(stage) for stage in figures["stages"]],
        "environment_rows": environment_rows(figures),
        "hash_rows": list(((figures["scores"] or {}).get("sha256") or {}).items()),
        "reproduce": reproduce(figures),
        "recipe_text": recipe_text(figures["recipe"]),
    }


def training_plots(training: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The loss curve and the histogram of lengths."""
    out = []
    points = training["points"]
    losses = [p["loss"] for p in points if p["loss"] is not None]
    if losses:
        smooth = plots.running_mean(losses)
        held = any(p["eval_loss"] is not None for p in points)
        note = (
            "점은 단계마다, 선은 움직이는 평균" + ("; 네모는 따로 둔 예" if held else ""),
            "dots are steps, the line a running mean" + ("; squares: held out" if held else ""),
        )
        words = (
            f"{len(losses)}단계, 처음 {smooth[0]:.3f}, 끝 {smooth[-1]:.3f}",
            f"{len(losses)} steps, {smooth[0]:.3f} at first, {smooth[-1]:.3f} at the end",
        )

        def loss(lang: str) -> str:
            korean = lang == "ko"
            return plots.loss_plot(
                points,
                f"loss-{lang}",
                x_label="단계" if korean else "step",
                y_label="손실 (답 토큰마다, nat)" if korean else "loss (nats per answer token)",
                smooth="평균" if korean else "mean",
            )

        out.append(figure(("학습 손실", "Training loss"), note, words, loss))
    lengths = training["lengths"]
    if lengths:
        edges, counts = lengths_histogram(lengths)
        limit = training["max_length"]
        words = (
            f"예 {sum(counts)}개, {edges[0]:.0f}–{edges[-1]:.0f}토큰",
            f"{sum(counts)} examples, {edges[0]:.0f}–{edges[-1]:.0f} tokens",
        )

        def histogram(lang: str) -> str:
            korean = lang == "ko"
            return plots.histogram_plot(
                edges,
                counts,
                f"lengths-{lang}",
                x_label="토큰" if korean else "tokens",
                y_label="예의 수" if korean else "examples",
                limit=limit,
                limit_label=f"한도 {limit}" if korean else f"limit {limit}",
            )

        out.append(figure(("예의 길이", "Lengths of the examples"), None, words, histogram))
    return out


def latency_plots(latency: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The cumulative time against the budget."""
    curves, budget = latency["curves"], latency["budget_seconds"]
    ends = {name: curve[-1] for name, curve in curves.items()}
    words = both(
        lambda lang: "; ".join(f"{system_label(n, lang)} {s:.0f} s" for n, s in ends.items())
    )
    note = ("시간 제한 없음", "no deadline")
    if budget:
        share = 100 * max(ends.values()) / budget
        note = (
            f"가장 느린 시스템이 주어진 시간 {budget / 60:g}분의 {share:.0f}%를 씀",
            f"the slowest system used {share:.0f}% of the {budget / 60:g} minutes",
        )
    if any(latency["changes"].values()):
        note = (note[0] + "; ▲ 계획이 바뀐 곳", note[1] + "; ▲ where the plan changed")

    def draw(lang: str) -> str:
        korean = lang == "ko"
        minutes = f"{budget / 60:g}" if budget else ""
        return plots.latency_plot(
            curves,
            {name: system_label(name, lang) for name in curves},
            f"latency-{lang}",
            x_label="답한 문항" if korean else "questions answered",
            y_label="쌓인 시간 ({unit})" if korean else "cumulative time ({unit})",
            budget=budget,
            budget_label=f"주어진 시간 {minutes}분" if korean else f"budget {minutes} min",
            changes=latency["changes"],
        )

    each = {name: np.diff([0.0, *curve]).tolist() for name, curve in curves.items()}

    def spread(lang: str) -> str:
        korean = lang == "ko"
        return plots.share_plot(
            each,
            {name: system_label(name, lang) for name in curves},
            f"seconds-{lang}",
            x_label="한 문항에 걸린 시간 (s)" if korean else "seconds a question",
            y_label="끝난 문항의 몫" if korean else "share of questions answered",
        )

    p95 = {name: float(np.quantile(values, 0.95)) for name, values in each.items()}
    slow = both(
        lambda lang: "; ".join(f"{system_label(n, lang)} p95 {s:.2f} s" for n, s in p95.items())
    )
    return [
        figure(("쌓인 시간", "Cumulative time"), note, words, draw),
        figure(
            ("한 문항에 걸린 시간", "Time of one question"),
            ("점은 p50과 p95", "dots are p50 and p95"),
            slow,
            spread,
        ),
    ]


def latency_rows(
    latency: Mapping[str, Any], scores: Mapping[str, Any] | None
) -> list[dict[str, Any]]:
    """p50, p95, total, mean parts and tokens by system."""
    out = []
    for name in latency["curves"]:
        one = (scores or {}).get("systems", {}).get(name) or {}
        tokens, parts = one.get("tokens") or {}, latency["parts"]
        each = np.diff([0.0, *latency["curves"][name]])
        cells = [f"{value:.2f}" for value in np.quantile(each, [0.5, 0.95])]
        cells.append(f"{latency['curves'][name][-1]:,.0f}")
        for part in ("retrieve", "prefill", "decode"):
            cells.append(f"{parts[name][part]:.3f}" if part in parts[name] else "–")
        cells.append(f"{tokens['total']:,.0f}" if tokens else "–")
        out.append({"label": both(lambda lang, n=name: system_label(n, lang)), "cells": cells})
    return out


def merge_check(check: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the merge proof: what was measured, what was found, the bound, whether it held."""
    name = str(check.get("name"))
    return {
        "name": MERGE_CHECKS.get(name, (name, name)),
        "value": shown(check.get("value")),
        "bound": shown(check.get("bound")),
        "ok": bool(check.get("ok")),
    }


def merge_verdict(merge: Mapping[str, Any]) -> Words:
    """The proof's verdict in words."""
    result = str(merge.get("verdict", "")).lower()
    if not result:
        return "", ""
    if result == "pass":
        return (
            "통과: 병합한 모델은 학습한 모델(기본 + 어댑터)과 같이 움직입니다.",
            "Passed: the merged model behaves like the model that was trained (base + adapter).",
        )
    failed = ", ".join(str(name) for name in merge.get("failed") or ()) or result
    return f"실패: {failed}", f"Failed: {failed}"


def stage_row(stage: Mapping[str, Any]) -> dict[str, Any]:
    """A stage's time, memory and identity."""
    seconds, memory = stage["seconds"], stage["peak_memory_gib"]
    return {
        "label": both(lambda lang: stage_label(stage["stage"], lang)),
        "seconds": f"{seconds:,.1f}" if seconds is not None else "–",
        "memory": f"{memory:.2f}" if memory is not None else "–",
        "status": stage["status"] or "–",
        "fingerprint": (stage["fingerprint"] or "")[:12],
    }


def environment_rows(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The machine and the versions."""
    environment = dict(figures["environment"])
    packages = environment.pop("packages", {})
    seed = (figures["scores"] or {}).get("seed", figures["recipe"].get("seed"))
    rows = [("seed", str(seed))] if seed is not None else []
    rows += [(name, shown(value)) for name, value in environment.items() if value not in ("", [])]
    rows.append(("packages", ", ".join(f"{name} {value}" for name, value in packages.items())))
    return rows


def reproduce(figures: Mapping[str, Any]) -> str:
    """The commands that make this run again."""
    commit = figures["environment"].get("commit") or ""
    lines = [f"git checkout {commit.removesuffix('+changes')}"] if commit else []
    if commit.endswith("+changes"):
        lines.append("# the tree had changes that are not in this commit")
    if figures["recipe"]:
        lines.append("kofinlaw run recipe.yaml   # the recipe below")
    lines.append(f"kofinlaw report runs/{figures['name']}")
    return "\n".join(lines)


def recipe_text(recipe: Mapping[str, Any]) -> str:
    """The recipe as YAML."""
    if not recipe:
        return ""
    import yaml

    return yaml.safe_dump(dict(recipe), allow_unicode=True, sort_keys=False)
