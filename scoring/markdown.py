"""A scoring as a short page of tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kofinlaw.scoring.value_text import p_text


def percent(figure: Mapping[str, Any] | None) -> str:
    """A figure as `51.7 [38.3, 65.0]`, a dash where there is none."""
    if not figure:
        return "–"
    return f"{100 * figure['value']:.1f} [{100 * figure['low']:.1f}, {100 * figure['high']:.1f}]"


def scores_markdown(result: Mapping[str, Any]) -> str:
    """The result as a short page of tables (percent, intervals in brackets)."""
    lines = ["# Scores", ""]
    embedder = result["embedder"]
    lines.append(
        f"{result['counts']['choice']} multiple choice, {result['counts']['free']} free text; "
        f"cosine by {embedder['name'] if embedder else 'no embedder'}; seed {result['seed']}."
    )
    lines += ["", "| system | choice % | free % | blend % | hit@1/3/5 | p50/p95 s |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for name, one in result["systems"].items():
        found = one["retrieval"]
        hits = "/".join(f"{100 * found[f'hit_{k}']:.1f}" for k in (1, 3, 5)) if found else "–"
        time = one["seconds"]
        pace = f"{time['p50']:.2f}/{time['p95']:.2f}" if time else "–"
        row = [name, percent(one["choice"]), percent(one["free"]), percent(one["blend"])]
        lines.append("| " + " | ".join([*row, hits, pace]) + " |")
    for name, figure in result["baselines"].items():
        cells = ["–", percent(figure)] if name == "echo" else [percent(figure), "–"]
        lines.append("| " + " | ".join([f"*{name}*", *cells, "–", "–", "–"]) + " |")
    lines += ["", "| pair | only first | only second | difference, points | p | p (Holm) |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for pair in result["pairs"]:
        cells = [f"{pair['a']} → {pair['b']}", str(pair["only_a"]), str(pair["only_b"])]
        low, high = 100 * pair["low"], 100 * pair["high"]
        cells.append(f"{100 * pair['difference']:+.1f} [{low:+.1f}, {high:+.1f}]")
        cells += [p_text(pair["p_value"]), p_text(pair["p_holm"])]
        lines.append("| " + " | ".join(cells) + " |")
    lines += [*order_lines(result), *grounding_lines(result), *judge_lines(result)]
    return "\n".join(lines) + "\n"


def order_lines(result: Mapping[str, Any]) -> list[str]:
    """Permuted options beside the plain order, where there were several orders."""
    found = {n: one["orders"] for n, one in result["systems"].items() if one.get("orders")}
    if not found:
        return []
    lines = ["", "| permuted options | n | orders | plain % | others % | averaged % | same % |"]
    lines.append("| --- | --- | --- | --- | --- | --- | --- |")
    for name, one in found.items():
        figures = (percent(one[f]) for f in ("plain", "permuted", "averaged", "consistent"))
        lines.append("| " + " | ".join([name, str(one["n"]), str(one["orders"]), *figures]) + " |")
    return lines


def grounding_lines(result: Mapping[str, Any]) -> list[str]:
    """Claims of free answers that stand in the evidence, where there were claims."""
    found = {n: one["grounding"] for n, one in result["systems"].items() if one.get("grounding")}
    if not found:
        return []
    lines = ["", "| grounding | answers | claims | grounded % |", "| --- | --- | --- | --- |"]
    for name, one in found.items():
        lines.append(f"| {name} | {one['answers']} | {one['claims']} | {100 * one['share']:.1f} |")
    return lines


def judge_lines(result: Mapping[str, Any]) -> list[str]:
    """The judge's figures with what it could not say, and whether it knows its controls."""
    judge = result.get("judge")
    if not judge:
        return []
    lines = ["", f"Judge: {judge['judge']}, {judge['items']} items, {judge['repeats']} verdicts."]
    for name, one in judge["controls"].items():
        auc = "–" if one["auc"] is None else f"{one['auc']:.2f}"
        lines.append(f"{name}: references told from strangers' with AUC {auc} (0.5 is chance).")
    lines += ["", "| judged | system | score | items | unreadable % | repeats agree % (chance) |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for criterion, by_system in judge["criteria"].items():
        for name, one in by_system.items():
            agree = "–"
            if one["agreement"] is not None:
                agree = f"{100 * one['agreement']:.0f} ({100 * one['by_chance']:.0f})"
            cells = [criterion, name, percent(one["figure"]), f"{one['judged']}/{one['items']}"]
            cells += [f"{100 * one['unreadable_share']:.0f}", agree]
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def report_markdown(figures: Mapping[str, Any]) -> str:
    """The report's figures as Markdown, verdict first, Korean above English."""
    environment, verdict = figures["environment"], figures["verdict"]
    lines = [f"# {figures['name']}", ""]
    if figures["description"]:
        lines += [figures["description"], ""]
    for language in ("ko", "en"):
        lines += [*(line for line in verdict[language] if line), ""]
    for warning in verdict["warnings"]:
        lines.append(f"- {warning['ko']} ({warning['en']})")
    if figures["missing"]:
        lines.append(f"- 없는 단계 (absent stages): {', '.join(figures['missing'])}")
    if figures["scores"]:
        page = scores_markdown(figures["scores"])
        lines += ["", page.replace("# Scores", "## 점수 (Scores)", 1).rstrip()]
    lines += model_lines(figures)
    lines += ["", "## 단계 (Stages)", "", "| stage | seconds | peak GiB | status |"]
    lines.append("| --- | --- | --- | --- |")
    for stage in figures["stages"]:
        cells = (stage["seconds"], stage["peak_memory_gib"], stage["status"])
        shown = " | ".join("–" if cell is None else str(cell) for cell in cells)
        lines.append(f"| {stage['stage']} | {shown} |")
    packages = ", ".join(f"{n} {v}" for n, v in environment.get("packages", {}).items())
    lines += ["", "## 환경 (Environment)", ""]
    for name, value in environment.items():
        if name != "packages" and value not in ("", []):
            lines.append(f"- {name}: {value}")
    lines.append(f"- packages: {packages}")
    return "\n".join(lines) + "\n"


def model_lines(figures: Mapping[str, Any]) -> list[str]:
    """Training, augmentation and merge proof in a line or two each."""
    lines = []
    training, augment, merge = figures["training"], figures["augment"], figures["merge"]
    if training and training["points"]:
        first, last = training["points"][0], training["points"][-1]
        lines += ["", "## 학습 (Training)", ""]
        lines.append(f"{last['step']} steps; loss {first['loss']:.4f} → {last['loss']:.4f}")
    if augment:
        lines += ["", "## 증강 (Augmentation)", ""]
        lines.append(f"{augment['kept']} kept, {augment['rejected']} rejected")
        lines += [f"- {reason}: {count}" for reason, count in augment["reasons"].items()]
    if merge:
        lines += ["", "## 병합 증명 (Merge proof)", "", f"verdict: {merge.get('verdict')}"]
    return lines
