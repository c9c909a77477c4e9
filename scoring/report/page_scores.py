"""Build the context of the report's sections on scores, slices, retrieval and the judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from kofinlaw.scoring.claims import best_baseline, main_system
from kofinlaw.scoring.report import plots
from kofinlaw.scoring.report.labels import (
    CRITERIA,
    baseline_label,
    pair_label,
    slice_label,
    system_label,
)
from kofinlaw.scoring.scores_record import (
    AgainstRecord,
    FigureRecord,
    JudgedRecord,
    JudgePairRecord,
    JudgeRecord,
    ScoreName,
    ScoresRecord,
    SystemRecord,
)
from kofinlaw.scoring.stats.free_baselines import is_free_baseline
from kofinlaw.scoring.study_conclusions import judge_note
from kofinlaw.scoring.value_text import Plot, Words, both, plot_of

__all__ = [
    "FIRST_SLICES",
    "TEXT_SCORES",
    "WITHOUT_SCORES",
    "BaselineRow",
    "Gauge",
    "GaugeMark",
    "JudgePairRow",
    "JudgeTables",
    "JudgedRow",
    "SortRow",
    "SystemRow",
    "Tile",
    "TileLine",
    "compared_with",
    "difference_text",
    "judge_tables",
    "score_context",
    "score_note",
    "score_plot",
    "score_plots",
    "slice_order",
    "sort_rows",
    "strongest_baseline",
    "tiles",
]

TEXT_SCORES = {
    "bleu": "BLEU",
    "chrf": "chrF",
    "rouge1": "ROUGE-1",
    "rouge2": "ROUGE-2",
    "rougeL": "ROUGE-L",
    "meteor_exact": "METEOR",
}
FIRST_SLICES = ("negative", "positive", "options-4", "options-5", "numeric", "article-quoted")
# The context without scores. StrictUndefined requires every name.
WITHOUT_SCORES: Mapping[str, object] = {
    **dict.fromkeys(("scores", "tiles", "slices", "retrieval", "judge", "orders", "grounding")),
    "calibration": [],
    "law_citations": [],
    **{
        name: []
        for name in (
            "systems",
            "baselines",
            "text_names",
            "text_titles",
            "slice_options",
            "score_plots",
        )
    },
    "against": [],
    "sorts": [],
    "other": "",
    "score_note": ("", ""),
}


class SystemRow(TypedDict):
    """A system with its label; `main` marks the system that the report is about."""

    name: str
    label: Words
    scores: SystemRecord
    main: bool


class BaselineRow(TypedDict):
    """A trivial baseline with its label; `free` baselines also have a key-fact score."""

    name: str
    label: Words
    figure: FigureRecord
    free: bool
    facts: FigureRecord | None


class SortRow(TypedDict):
    """A system on one sort of generated question, next to the best solver on these questions."""

    sort: Words
    system: Words
    figure: FigureRecord
    baseline: Words | None
    best: AgainstRecord | None


class GaugeMark(TypedDict):
    """A mark on a gauge: `baseline` or `base`, at `at` percent."""

    kind: str
    at: float


class Gauge(TypedDict):
    """A bar from 0 to 100 with marks."""

    value: float
    marks: list[GaugeMark]


class TileLine(TypedDict):
    """A line below a large figure; `kind` is the mark of the gauge that it explains, or empty."""

    kind: str
    text: Words


class Tile(TypedDict):
    """A figure at the top of the page with lines below it; `large` marks the results."""

    name: Words
    value: str
    unit: Words
    under: list[TileLine]
    large: bool
    gauge: Gauge | None


class JudgedRow(TypedDict):
    """One system by one criterion of the judge."""

    criterion: str
    title: Words
    label: Words
    f: JudgedRecord


class JudgePairRow(TypedDict):
    """Two systems compared by the judge."""

    label: Words
    p: JudgePairRecord


class JudgeTables(TypedDict):
    """The judge's figures, its comparisons, and a note on its reliability."""

    rows: list[JudgedRow]
    pairs: list[JudgePairRow]
    note: Words


def score_context(scores: ScoresRecord | None, chunks: int | None = None) -> Mapping[str, object]:
    """Return what the templates of the score, slice and retrieval sections use.

    `chunks` is the size of the corpus, if it is known.
    """
    if not scores:
        return WITHOUT_SCORES
    main = main_system(scores) or ""
    solvers = scores["solvers"]
    systems: list[SystemRow] = [
        {"name": name, "label": system_label(name), "scores": system, "main": name == main}
        for name, system in scores["systems"].items()
    ]
    baselines: list[BaselineRow] = [
        {
            "name": name,
            "label": baseline_label(
                name, solver["method"] if (solver := solvers.get(name)) else ""
            ),
            "figure": figure,
            "free": is_free_baseline(name),
            "facts": scores.get("fact_baselines", {}).get(name),
        }
        for name, figure in scores["baselines"].items()
    ]
    text_names = list(dict.fromkeys(n for s in systems for n in s["scores"]["text"]))
    slices = sorted({name for s in systems for name in s["scores"]["slices"]}, key=slice_order)
    return {
        "scores": scores,
        "systems": systems,
        "baselines": baselines,
        "slices": [
            {
                "label": slice_label(name),
                "n": max(
                    figure["n"] if (figure := s["scores"]["slices"].get(name)) else 0
                    for s in systems
                ),
                "figures": [s["scores"]["slices"].get(name) for s in systems],
            }
            for name in slices
        ],
        "slice_options": [(name, *slice_label(name)) for name in slices],
        "text_names": text_names,
        "text_titles": [TEXT_SCORES.get(name, name) for name in text_names],
        "other": compared_with(scores, main),
        "retrieval": [
            {"label": s["label"], "r": s["scores"]["retrieval"]}
            for s in systems
            if s["scores"]["retrieval"]
        ],
        "judge": judge_tables(scores["judge"]) if scores.get("judge") else None,
        "orders": [
            {"label": s["label"], "o": s["scores"]["orders"]}
            for s in systems
            if s["scores"].get("orders")
        ],
        "calibration": [
            {"label": s["label"], "c": s["scores"]["calibration"]}
            for s in systems
            if s["scores"].get("calibration")
        ],
        "grounding": [
            {"label": s["label"], "g": s["scores"]["grounding"]}
            for s in systems
            if s["scores"].get("grounding")
        ],
        "law_citations": [
            {"label": s["label"], "l": s["scores"]["law_citations"]}
            for s in systems
            if s["scores"].get("law_citations")
        ],
        "score_note": score_note(scores),
        "against": [
            {
                "system": system_label(one["system"]),
                "baseline": baseline_label(one["baseline"], solvers[one["baseline"]]["method"]),
                "a": one,
            }
            for one in scores["against"]
        ],
        "sorts": sort_rows(scores),
        "score_plots": score_plots(scores, main, systems, baselines),
        "tiles": tiles(scores, main, chunks),
    }


def sort_rows(scores: ScoresRecord) -> list[SortRow]:
    """Return a row for each sort of question and system, with the best solver on these."""
    return [
        {
            "sort": slice_label(sort),
            "system": system_label(name),
            "figure": figure,
            "baseline": baseline_label(
                best["baseline"], scores["solvers"][best["baseline"]]["method"]
            )
            if best
            else None,
            "best": best,
        }
        for sort, record in scores.get("sorts", {}).items()
        for name, figure in record["systems"].items()
        for best in (record["best"].get(name),)
    ]


def judge_tables(judge: JudgeRecord | None) -> JudgeTables | None:
    """Return the judge's figures as rows, with a note on its reliability; None without a judge."""
    if not judge:
        return None
    return {
        "rows": [
            {
                "criterion": criterion,
                "title": (CRITERIA.get(criterion, criterion), criterion),
                "label": system_label(system),
                "f": found,
            }
            for criterion, by_system in judge["criteria"].items()
            for system, found in by_system.items()
        ],
        "pairs": [{"label": pair_label(p["a"], p["b"]), "p": p} for p in judge["pairs"]],
        "note": judge_note(judge) or ("", ""),
    }


def slice_order(name: str) -> tuple[int, str]:
    """Return a sort key: negative and positive first, then option counts, then the rest."""
    return (FIRST_SLICES.index(name) if name in FIRST_SLICES else len(FIRST_SLICES), name)


def compared_with(scores: ScoresRecord, main: str) -> str:
    """Return the system to compare `main` with: the same without training, else the first."""
    names = [name for name in scores["systems"] if name != main]
    counterpart = main.replace("trained", "base", 1)
    return counterpart if counterpart in names else (names[0] if names else main)


def score_note(scores: ScoresRecord) -> Words:
    """Return how the figures were computed, in a sentence or two."""
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
    if counts["free"]:
        korean += (
            " 핵심 사실 = 모범 답의 수치, 주체, 조문, 조건, 의무 가운데 질문에 없고 답에 맞게 있는 "
            "것의 비율."
        )
        english += (
            " Key facts = share of the reference's figures, actors, articles, conditions and duties"
            " that the question does not hold and the answer states without contradiction."
        )
    return korean, english


def tiles(scores: ScoresRecord, main: str, chunks: int | None = None) -> list[Tile]:
    """Return the figures at the top of the page, at most four.

    A result has a bar that also marks the strongest trivial baseline and the base model, and its
    differences from both. `chunks` is the size of the corpus.
    """
    system = scores["systems"][main]
    other = compared_with(scores, main)
    out: list[Tile] = []
    fields: tuple[tuple[ScoreName, Words, Words], ...] = (
        ("choice", ("객관식", "Multiple choice"), ("%", "%")),
        ("free", ("주관식 (FSKU)", "Free text (FSKU)"), ("/ 100", "/ 100")),
    )
    for field, name, unit in fields:
        figure = system[field]
        if not figure:
            continue
        lines: list[TileLine] = []
        marks: list[GaugeMark] = []
        best = strongest_baseline(scores, main, field)
        if best:
            title = (
                f"가장 강한 단순 기준선({best[0][0]})",
                f"strongest trivial baseline ({best[0][1]})",
            )
            lines.append({"kind": "baseline", "text": difference_text(figure, best[1], title)})
            marks.append({"kind": "baseline", "at": round(100 * best[1]["value"], 1)})
        before = scores["systems"][other][field] if other != main else None
        if before:
            text = difference_text(figure, before, system_label(other))
            lines.append({"kind": "base", "text": text})
            marks.append({"kind": "base", "at": round(100 * before["value"], 1)})
        value = 100 * figure["value"]
        out.append(
            {
                "name": name,
                "value": f"{value:.1f}",
                "unit": unit,
                "under": lines,
                "large": True,
                "gauge": {"value": round(value, 1), "marks": marks},
            }
        )
    found, time = system["retrieval"], system["seconds"]
    if found:
        of = (f", 청크 {chunks:,}개에서 검색", f", among {chunks:,} chunks") if chunks else ("", "")
        out.append(
            _small_tile(
                ("정답 조문 검색", "Gold article found"),
                f"{100 * found['hit_3']:.1f}",
                ("%", "%"),
                (
                    f"조문 hit@3, {found['n']}문항{of[0]}",
                    f"hit@3 over articles, {found['n']} items{of[1]}",
                ),
            )
        )
    if time:
        out.append(
            _small_tile(
                ("답변 시간", "Time to answer"),
                f"{time['p50']:.2f}",
                ("초", "s"),
                (
                    f"한 문항 p50; p95 {time['p95']:.2f}초",
                    f"per question, p50; p95 {time['p95']:.2f} s",
                ),
            )
        )
    return out


def _small_tile(name: Words, value: str, unit: Words, under: Words) -> Tile:
    """Return a figure that is not a result: no bar and no comparison."""
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "under": [{"kind": "", "text": under}],
        "large": False,
        "gauge": None,
    }


def strongest_baseline(
    scores: ScoresRecord, system: str, field: str
) -> tuple[Words, FigureRecord] | None:
    """Return the label and the figure of the trivial baseline with the highest score, or None.

    `field` is `choice`, `free` or `facts`. For multiple choice only baselines that read the same
    evidence as `system`, or none, count if the comparisons are recorded.
    """
    best = best_baseline(scores, system) if field == "choice" else None
    if best:
        name = best["baseline"]
        method = scores["solvers"][name]["method"]
        return baseline_label(name, method), scores["baselines"][name]
    figures = scores.get("fact_baselines", {}) if field == "facts" else scores["baselines"]
    found = {
        name: figure
        for name, figure in figures.items()
        if is_free_baseline(name) == (field != "choice")
    }
    if not found:
        return None
    name = max(found, key=lambda one: found[one]["value"])
    solver = scores["solvers"].get(name)
    return baseline_label(name, solver["method"] if solver else ""), found[name]


def difference_text(figure: FigureRecord, before: FigureRecord, label: Words) -> Words:
    """Return another figure with its label, and the difference from it in points."""
    points = 100 * (figure["value"] - before["value"])
    value = 100 * before["value"]
    return (
        f"{label[0]} {value:.1f}보다 {points:+.1f}점",
        f"{points:+.1f} points against {label[1]} {value:.1f}",
    )


def score_plots(
    scores: ScoresRecord,
    main: str,
    systems: Sequence[SystemRow],
    baselines: Sequence[BaselineRow],
) -> list[Plot]:
    """Return the plots of multiple choice and free text, with the trivial baselines."""
    fields: tuple[tuple[ScoreName, Words], ...] = (
        ("choice", ("객관식 정답률", "Multiple-choice accuracy")),
        ("free", ("주관식 점수 (FSKU)", "Free-text score (FSKU)")),
        ("facts", ("주관식 핵심 사실", "Key facts of free text")),
    )
    out = []
    for field, title in fields:
        scored = [(s["name"], s["label"], f) for s in systems if (f := s["scores"].get(field))]
        trivial = [
            (b["name"], b["label"], figure)
            for b in baselines
            if b["free"] == (field != "choice")
            and (figure := b["facts"] if field == "facts" else b["figure"])
        ]
        if scored:
            best = strongest_baseline(scores, main, field)
            out.append(score_plot(field, title, scored, trivial, best[0] if best else None))
    return out


def score_plot(
    field: str,
    title: Words,
    scored: Sequence[tuple[str, Words, FigureRecord]],
    trivial: Sequence[tuple[str, Words, FigureRecord]],
    best: Words | None = None,
) -> Plot:
    """Return the plot of one score; systems and baselines are (name, label, figure).

    `best` is the label of the strongest baseline, which the plot marks.
    """

    def draw(language: str) -> str:
        at = ("ko", "en").index(language)
        rows = [
            plots.Row(
                label[at],
                f["value"],
                f["low"],
                f["high"],
                name,
                trivial=is_trivial,
                best=is_trivial and label == best,
            )
            for group, is_trivial in ((scored, False), (trivial, True))
            for name, label, f in group
        ]
        return plots.score_plot(rows, f"{field}-{language}")

    def text(language: str) -> str:
        at = ("ko", "en").index(language)
        return "; ".join(
            f"{label[at]} {100 * f['value']:.1f} ({100 * f['low']:.0f}–{100 * f['high']:.0f})"
            for _, label, f in (*scored, *trivial)
        )

    note = (
        "● 시스템, ◇ 단순 기준선(◆과 점선: 가장 강한 것); 선은 신뢰 구간",
        "● systems, ◇ trivial baselines (◆ and dashes: the strongest); lines: confidence intervals",
    )
    return plot_of(title, note, both(text), draw)
