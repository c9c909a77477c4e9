"""The report as one HTML page: the gathered figures, the items and the plots in the template."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kofinlaw.scoring import plots
from kofinlaw.scoring.gather import lengths_histogram
from kofinlaw.scoring.item_rows import item_rows
from kofinlaw.scoring.labels import (
    FUNNEL,
    MERGE_CHECKS,
    SECTIONS,
    TRAINING,
    baseline_label,
    slice_label,
    stage_label,
    system_label,
)
from kofinlaw.scoring.verdict import main_system

FOLDER = Path(__file__).resolve().parent
Words = tuple[str, str]
BARS = 12
ITEM_WORDS: dict[str, Words] = {
    "gold": ("정답", "gold"),
    "unit": ("정답 조문", "gold article"),
    "found": ("찾은 근거", "evidence found"),
    "reference": ("모범 답", "reference"),
    "keywords": ("핵심어", "keywords"),
    "nothing": ("답 없음", "no answer"),
    "characters": ("자", "characters"),
}
STATES = (
    ("wrong", "틀린 문항", "wrong"),
    ("", "모든 문항", "all items"),
    ("right", "맞힌 문항", "right"),
    ("gained", "새로 맞힌 문항", "newly right"),
    ("lost", "새로 틀린 문항", "newly wrong"),
)


def render(figures: Mapping[str, Any], run: Path) -> str:
    """The page. Every text of the run is escaped by the template; the page runs one script,
    named by its hash in the content security policy, so nothing in an answer can run."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined
    )
    script = (FOLDER / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode()
    scores = figures["scores"]
    rows, left_out = item_rows(run, scores) if scores else ([], 0)
    words = {
        **ITEM_WORDS,
        **{n: both(partial(system_label, n)) for n in (scores or {}).get("systems", ())},
    }
    context = {
        "f": figures,
        "css": (FOLDER / "report.css").read_text(encoding="utf-8"),
        "js": script,
        "script_hash": f"sha256-{digest}",
        "sections": SECTIONS,
        "states": STATES,
        "name": system_label,
        "p_value": p_text,
        "missing": both(lambda lang: ", ".join(stage_label(n, lang) for n in figures["missing"])),
        "item_rows": rows,
        "items_left_out": left_out,
        "words": words,
        "words_json": script_json(words),
        **score_context(scores),
        **stage_context(figures),
    }
    return environment.get_template("report.html").render(context)


def script_json(value: Any) -> str:
    """JSON for a data block of the page: no sign in it can end the block or open another."""
    text = json.dumps(value, ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def both(words: Any) -> Words:
    """A function of the language as (Korean, English)."""
    return words("ko"), words("en")


def p_text(value: float) -> str:
    """A p-value as people write it."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def score_context(scores: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the score, slice and retrieval sections show."""
    if not scores:
        empty: dict[str, Any] = dict.fromkeys(("scores", "tiles", "slices", "retrieval"), None)
        return {**empty, "systems": [], "baselines": [], "text_names": [], "other": "", **NO_SLICES}
    main = main_system(scores) or ""
    systems = [
        {
            "name": name,
            "label": both(lambda lang, name=name: system_label(name, lang)),
            "scores": one,
            "main": name == main,
        }
        for name, one in scores["systems"].items()
    ]
    baselines = [
        {
            "name": name,
            "label": both(lambda lang, name=name: baseline_label(name, lang)),
            "figure": figure,
        }
        for name, figure in scores["baselines"].items()
    ]
    names = sorted({name for s in systems for name in s["scores"]["slices"]}, key=slice_order)
    slices = [
        {
            "label": both(lambda lang, name=name: slice_label(name, lang)),
            "n": max(s["scores"]["slices"].get(name, {"n": 0})["n"] for s in systems),
            "figures": [s["scores"]["slices"].get(name) for s in systems],
        }
        for name in names
    ]
    text_names = list(dict.fromkeys(n for s in systems for n in s["scores"]["text"]))
    return {
        "scores": scores,
        "systems": systems,
        "baselines": baselines,
        "slices": slices,
        "slice_options": [(n, *both(lambda lang, n=n: slice_label(n, lang))) for n in names],
        "text_names": text_names,
        "other": compared_with(scores, main),
        "retrieval": [
            {"label": s["label"], "r": s["scores"]["retrieval"]}
            for s in systems
            if s["scores"]["retrieval"]
        ],
        "score_note": score_note(scores),
        "score_plots": score_plots(scores, systems, baselines),
        "tiles": tiles(scores, main),
    }


NO_SLICES: dict[str, Any] = {"slice_options": [], "score_plots": [], "score_note": ("", "")}


def slice_order(name: str) -> tuple[int, str]:
    """Negative and positive first, then option counts, then the rest."""
    first = ("negative", "positive", "options-4", "options-5", "numeric", "article-quoted")
    return (first.index(name) if name in first else len(first), name)


def compared_with(scores: Mapping[str, Any], main: str) -> str:
    """The system that `main` is shown against: the same without training, else the first."""
    names = [name for name in scores["systems"] if name != main]
    counterpart = main.replace("trained", "base", 1)
    return counterpart if counterpart in names else (names[0] if names else main)


def score_note(scores: Mapping[str, Any]) -> Words:
    """How the figures were come by, in a sentence or two."""
    settings, counts, embedder = scores["settings"], scores["counts"], scores["embedder"]
    level = 100 * settings["confidence"]
    korean = (
        f"객관식 {counts['choice']}문항, 주관식 {counts['free']}문항. 작은 글씨는 {level:.0f}% 구간"
        f"(부트스트랩 {settings['bootstrap_samples']:,}번)."
    )
    english = (
        f"{counts['choice']} multiple-choice and {counts['free']} free-text items. Small figures "
        f"are {level:.0f}% intervals ({settings['bootstrap_samples']:,} bootstrap resamples)."
    )
    if counts["free"] and embedder:
        cosine, keyword = settings["cosine_weight"], settings["keyword_weight"]
        korean += (
            f" 주관식 = {cosine:g} × 코사인({embedder['name']}) + {keyword:g} × 핵심어 재현율."
        )
        english += (
            f" Free text = {cosine:g} × cosine ({embedder['name']}) + {keyword:g} × keyword recall."
        )
        if embedder["floor"] is not None:
            floor = f"{100 * embedder['floor']:.0f}"
            korean += " 이 임베더에서는 서로 다른 문항의 모범 답끼리도 코사인이 100점 만점에 "
            korean += f"{floor}점입니다."
            english += (
                f" With this embedder references of different items have cosine {floor} (of 100)."
            )
    return korean, english


def tiles(scores: Mapping[str, Any], main: str) -> list[dict[str, Any]]:
    """The four figures at the top."""
    one = scores["systems"][main]
    base = scores["systems"].get(compared_with(scores, main))
    out = []

    def versus(field: str) -> Words:
        if not base or base is one or not base[field]:
            return "", ""
        points = 100 * (one[field]["value"] - base[field]["value"])
        other = compared_with(scores, main)
        return (
            f"{system_label(other, 'ko')}보다 {points:+.1f}점",
            f"{points:+.1f} points against {system_label(other, 'en')}",
        )

    for field, name in (
        ("choice", ("객관식", "Multiple choice")),
        ("free", ("주관식 (FSKU)", "Free text (FSKU)")),
    ):
        if one[field]:
            value = f"{100 * one[field]['value']:.1f}"
            unit = ("%", "%") if field == "choice" else ("/ 100", "/ 100")
            out.append({"name": name, "value": value, "unit": unit, "under": versus(field)})
    if one["retrieval"]:
        found = one["retrieval"]
        under = (f"조문 hit@3, {found['n']}문항", f"hit@3 over articles, {found['n']} items")
        value = f"{100 * found['hit_3']:.1f}"
        name = ("정답 조문을 찾음", "Gold article found")
        out.append({"name": name, "value": value, "unit": ("%", "%"), "under": under})
    if one["seconds"]:
        pace = one["seconds"]
        under = (
            f"한 문항 p50; p95 {pace['p95']:.2f}초",
            f"a question, p50; p95 {pace['p95']:.2f} s",
        )
        name = ("답하는 시간", "Time to answer")
        unit = ("초", "s")
        out.append({"name": name, "value": f"{pace['p50']:.2f}", "unit": unit, "under": under})
    return out


def score_plots(
    scores: Mapping[str, Any], systems: Sequence[Any], baselines: Sequence[Any]
) -> list[dict[str, Any]]:
    """Multiple choice beside the baselines, and free text where there is any."""
    out = []
    for field, title in (
        ("choice", ("객관식 정답률", "Multiple-choice accuracy")),
        ("free", ("주관식 점수 (FSKU)", "Free-text score (FSKU)")),
    ):
        entries = [(s["name"], s["label"], s["scores"][field], False) for s in systems]
        entries += [
            (b["name"], b["label"], b["figure"], True)
            for b in baselines
            if (b["name"] == "echo") == (field == "free")
        ]
        entries = [entry for entry in entries if entry[2]]
        if not any(not trivial for *_, trivial in entries):
            continue

        def draw(lang: str, entries: Any = entries, field: str = field) -> str:
            at = ("ko", "en").index(lang)
            rows = [
                plots.Row(label[at], f["value"], f["low"], f["high"], name, trivial)
                for name, label, f, trivial in entries
            ]
            return plots.score_plot(rows, f"{field}-{lang}")

        words = both(
            lambda lang, entries=entries: "; ".join(
                f"{label[('ko', 'en').index(lang)]} {100 * f['value']:.1f} "
                f"({100 * f['low']:.0f}–{100 * f['high']:.0f})"
                for _, label, f, _ in entries
            )
        )
        note = (
            "● 시스템, ◇ 읽지 않거나 세기만 하는 기준; 선은 구간",
            "● systems, ◇ trivial baselines; lines are intervals",
        )
        out.append(figure(title, note, words, draw))
    return out


def figure(title: Words, note: Words | None, words: Words, draw: Any) -> dict[str, Any]:
    """A plot in both languages with its text alternative."""
    alternative = (f"{title[0]}: {words[0]}", f"{title[1]}: {words[1]}")
    return {
        "title": title,
        "note": note,
        "words": alternative,
        "ko": draw("ko"),
        "en": draw("en"),
    }


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


def named(values: Mapping[str, Any], labels: Mapping[str, Words]) -> list[tuple[Words, str]]:
    """The values that have a name for people, in the names' order."""
    rows = [(label, values.get(key)) for key, label in labels.items()]
    return [(label, shown(value)) for label, value in rows if value is not None]


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


def bars(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Counts with their width in percent of the largest; the rarest are put together."""
    top = max(counts.values(), default=1) or 1
    if len(counts) > BARS + 1:
        common = sorted(counts, key=lambda name: -counts[name])
        counts = {name: counts[name] for name in common[:BARS]} | {
            f"… {len(common) - BARS}": sum(counts[name] for name in common[BARS:])
        }
    return [
        {"name": name, "count": f"{count:,}", "share": round(100 * count / top, 1)}
        for name, count in counts.items()
    ]


def is_table(value: Any) -> bool:
    """Whether a value is a list of records."""
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def table(name: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Records as columns and rows of text."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [[shown(row.get(column)) for column in columns] for row in rows[:60]]
    return {"name": name, "columns": columns, "rows": cells}


def flat(value: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """(dotted name, text) of every value below, in order."""
    out = []
    for name, item in value.items():
        dotted = f"{prefix}{name}"
        if isinstance(item, Mapping):
            out += flat(item, f"{dotted}.")
        else:
            out.append((dotted, shown(item)))
    return out


def shown(value: Any) -> str:
    """A value as a person reads it, at most 300 characters."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else text[:300] + "…"


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
