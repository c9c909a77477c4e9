"""What the report's sections on scores, slices and retrieval show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kofinlaw.scoring.report import plots
from kofinlaw.scoring.report.labels import baseline_label, slice_label, system_label
from kofinlaw.scoring.report.verdict import main_system
from kofinlaw.scoring.study_conclusions import judge_note
from kofinlaw.scoring.value_text import Words, both, figure

NO_SLICES: dict[str, Any] = {"slice_options": [], "score_plots": [], "score_note": ("", "")}


def score_context(scores: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the score, slice and retrieval sections show."""
    if not scores:
        parts = ("scores", "tiles", "slices", "retrieval", "judge", "orders", "grounding")
        empty: dict[str, Any] = dict.fromkeys(parts, None)
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
        "judge": judge_tables(scores),
        "orders": [
            {"label": s["label"], "o": s["scores"]["orders"]}
            for s in systems
            if s["scores"].get("orders")
        ],
        "grounding": [
            {"label": s["label"], "g": s["scores"]["grounding"]}
            for s in systems
            if s["scores"].get("grounding")
        ],
        "score_note": score_note(scores),
        "score_plots": score_plots(scores, systems, baselines),
        "tiles": tiles(scores, main),
    }


def judge_tables(scores: Mapping[str, Any]) -> dict[str, Any] | None:
    """The judge's figures as rows, and what may be thought of them; None without a judge."""
    judge = scores.get("judge")
    if not judge:
        return None

    def label(name: str) -> Words:
        return both(lambda lang: system_label(name, lang))

    return {
        "rows": [
            {"criterion": criterion, "label": label(system), "f": found}
            for criterion, by_system in judge["criteria"].items()
            for system, found in by_system.items()
        ],
        "pairs": [
            {"label": pair_label(pair["a"], pair["b"]), "p": pair} for pair in judge["pairs"]
        ],
        "note": judge_note(scores) or {"ko": "", "en": ""},
    }


def pair_label(first: str, second: str) -> Words:
    """Two systems with an arrow from the first to the second, in Korean and English."""
    return both(lambda lang: f"{system_label(first, lang)} → {system_label(second, lang)}")


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
