"""Turn the figures of forced evidence into the report's section: rows, plots and a note."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from kofinlaw.scoring.abstention.abstention_record import AbstentionRecord, AbstentionRow
from kofinlaw.scoring.report import plots
from kofinlaw.scoring.report.labels import EVIDENCE, PARTS, system_label
from kofinlaw.scoring.value_text import Plot, Words, both, plot_of

__all__ = ["AbstentionTable", "abstention_context", "coverage_plot"]


class AbstentionTable(TypedDict):
    """The section on forced evidence: a note, plots, rows, and the coverages as headings."""

    note: Words
    plots: list[Plot]
    rows: list[Mapping[str, object]]
    at: list[Words]


def abstention_context(record: AbstentionRecord | None) -> AbstentionTable | None:
    """Return what the template of forced evidence uses; None without such answers."""
    if not record or not record["rows"]:
        return None
    threshold = f"{record['threshold']:g}"
    note = (
        "위험은 답한 문항의 평균 손실(주관식은 1 − 핵심 사실), AURC는 모든 응답률에 걸친 평균 "
        f"위험입니다. 확신한 오답은 확신도 {threshold} 이상인 오답의 비율입니다. 거부한 문항에는 "
        "확신도가 없습니다. 나빠지지 않음: 같은 응답률에서 학습 모델의 평균 위험이 기본 모델보다 "
        "크지 않은 경우입니다.",
        "Risk is the mean loss of the answered items (free text: 1 − key facts), AURC the mean "
        "risk over all coverages. Confident wrong: share of wrong answers with confidence "
        f"{threshold} or more. Refused items have no confidence. Not worse: at equal coverage the "
        "trained model's mean risk is not above the base model's.",
    )
    rows: list[Mapping[str, object]] = []
    for row in record["rows"]:
        kind, part = EVIDENCE[row["evidence"]], PARTS[row["part"]]
        verdict = None
        if row["meets"] is not None:
            verdict = ("충족", "meets") if row["meets"] else ("미충족", "does not meet")
        models = list(row["systems"])
        rows.append(
            {
                "label": (f"{kind[0]}, {part[0]}", f"{kind[1]}, {part[1]}"),
                "systems": [
                    {"label": system_label(name), "one": one, "last": name == models[-1]}
                    for name, one in row["systems"].items()
                ],
                "difference": row["difference"],
                "verdict": verdict,
            }
        )
    return {
        "note": note,
        "plots": [coverage_plot(row) for row in record["rows"]],
        "rows": rows,
        "at": [
            (f"응답률 {100 * c:.0f}%의 위험", f"Risk at {100 * c:.0f}%")
            for c in record["coverages"]
        ],
    }


def coverage_plot(row: AbstentionRow) -> Plot:
    """Return the risk–coverage curves of one kind of evidence and question."""
    kind, part = EVIDENCE[row["evidence"]], PARTS[row["part"]]
    curves = {name: one["curve"] for name, one in row["systems"].items() if one["curve"]}

    def draw(language: str) -> str:
        at = ("ko", "en").index(language)
        return plots.coverage_plot(
            curves,
            {name: system_label(name)[at] for name in curves},
            f"coverage-{row['evidence']}-{row['part']}-{language}",
            x_label=("응답률", "coverage")[at],
            y_label=("위험", "risk")[at],
        )

    def text(language: str) -> str:
        at = ("ko", "en").index(language)
        return "; ".join(
            f"{system_label(name)[at]} AURC {100 * (one['aurc'] or 0):.1f}%, n {one['n']}"
            for name, one in row["systems"].items()
        )

    title = (f"{kind[0]}, {part[0]}", f"{kind[1]}, {part[1]}")
    return plot_of(title, None, both(text), draw)
