"""State what a study shows for each goal, and where its differences could be chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from kofinlaw.scoring.claims import unequal_plans
from kofinlaw.scoring.scores_record import (
    ControlRecord,
    FigureRecord,
    JudgedRecord,
    JudgeRecord,
    PairRecord,
    SettingsRecord,
)
from kofinlaw.scoring.value_text import Words

__all__ = [
    "LEAST_AUC",
    "Cell",
    "Goal",
    "StudyScores",
    "best_of",
    "conclude",
    "differs",
    "fastest",
    "is_reliable",
    "judge_note",
    "judged_values",
]

# A judge with a smaller AUC on its controls does not distinguish them; 0.5 is chance.
LEAST_AUC = 0.7


class Cell(TypedDict):
    """One system of a study: a model with a retriever. Figures that do not exist are None."""

    system: str
    model: str
    retriever: str
    choice: FigureRecord | None
    free: FigureRecord | None
    hit_3: float | None
    in_context: float | None
    text: dict[str, float | None]
    judged: dict[str, JudgedRecord | None]
    tokens: float | None
    p50: float | None
    p95: float | None


Goal = Literal["choice", "free"]


class StudyScores(TypedDict):
    """The parts of a scoring that conclusions use; see `scores_record.ScoresRecord`."""

    settings: SettingsRecord
    pairs: list[PairRecord]
    judge: JudgeRecord | None


def judge_note(judge: JudgeRecord | None) -> Words | None:
    """Return how well the judge distinguishes its controls, and its unreadable share."""
    if not judge:
        return None
    auc = {name: control["auc"] for name, control in judge["controls"].items()}
    cells = [cell for by_system in judge["criteria"].values() for cell in by_system.values()]
    asked = sum(cell["verdicts"] for cell in cells)
    unreadable = 100 * sum(cell["unreadable"] for cell in cells) / asked if asked else 0.0
    figures = ", ".join(f"{name} {'–' if a is None else f'{a:.2f}'}" for name, a in auc.items())
    korean = (
        f"심판 {judge['judge']}: 모범 답과 다른 문항의 모범 답을 구별한 정도(AUC, 0.5는 우연) "
        f"{figures}; 읽을 수 없는 판정 {unreadable:.0f}%. "
    )
    english = (
        f"Judge {judge['judge']}: distinguishes references from other questions' references with "
        f"AUC {figures} (0.5 is chance); {unreadable:.0f}% of the verdicts are unreadable. "
    )
    if not is_reliable(judge):
        korean += "구별하지 못하므로 판정 점수는 결론에 쓰지 않았습니다."
        english += "It does not distinguish them, so no conclusion uses its scores."
    return korean, english


def is_reliable(judge: JudgeRecord | None) -> bool:
    """Return whether the judge of correctness distinguishes its controls."""
    control: ControlRecord | None = judge["controls"].get("correctness") if judge else None
    return control is not None and (control["auc"] or 0.0) >= LEAST_AUC


def conclude(cells: Sequence[Cell], scores: StudyScores) -> list[tuple[str, Words]]:
    """Return (goal, conclusion) for each goal on its own: few systems are best in all of them."""
    out: list[tuple[str, Words]] = []
    goals: tuple[tuple[str, Goal, Words], ...] = (
        ("choice", "choice", ("객관식", "multiple choice")),
        ("free text", "free", ("주관식", "free text")),
    )
    for name, field, label in goals:
        figures = {cell["system"]: figure for cell in cells if (figure := cell[field])}
        if figures:
            out.append((name, best_of(figures, field, label, scores)))
    judged = judged_values(cells)
    if is_reliable(scores.get("judge")) and judged:
        best = max(judged, key=lambda name: judged[name])
        share = 100 * judged[best]
        out.append(
            (
                "judged correctness",
                (
                    f"심판의 정확성 점수가 가장 높은 것은 {best} ({share:.0f}점)입니다.",
                    f"The judge rates {best} most correct ({share:.0f}).",
                ),
            )
        )
    if any(cell["p50"] is not None and cell["choice"] for cell in cells):
        out.append(("time", fastest(cells, scores)))
    tokens = {
        cell["system"]: cell["tokens"]
        for cell in cells
        if cell["tokens"] is not None and cell["choice"]
    }
    if tokens:
        least, most = min(tokens, key=lambda n: tokens[n]), max(tokens, key=lambda n: tokens[n])
        out.append(
            (
                "tokens",
                (
                    f"토큰을 가장 적게 쓰는 것은 {least} (문항마다 {tokens[least]:.0f}), 가장 많이 "
                    f"쓰는 것은 {most} ({tokens[most]:.0f})입니다.",
                    f"{least} uses fewest tokens ({tokens[least]:.0f} per question), {most} most "
                    f"({tokens[most]:.0f}).",
                ),
            )
        )
    return out


def judged_values(cells: Sequence[Cell]) -> dict[str, float]:
    """Return the judged correctness (0..1) by system, for the systems that have one."""
    out = {}
    for cell in cells:
        judged = cell["judged"].get("correctness")
        if judged and judged["figure"]:
            out[cell["system"]] = judged["figure"]["value"]
    return out


def best_of(
    figures: Mapping[str, FigureRecord], field: Goal, label: Words, scores: StudyScores
) -> Words:
    """Name the system with the best figure, and those that do not differ from it beyond chance."""
    best = max(figures, key=lambda name: figures[name]["value"])
    others = [name for name in figures if name != best]
    similar = [name for name in others if not differs(name, best, field, scores)]
    share = 100 * figures[best]["value"]
    if len(similar) == len(others):
        return (
            f"{label[0]}에서 가장 높은 것은 {best} ({share:.1f})이지만, 이 정도 문항 수로는 "
            "나머지 모두와 차이가 있다고 말할 수 없습니다.",
            f"{best} is highest in {label[1]} ({share:.1f}), but with so few questions no other "
            "system is shown to differ from it.",
        )
    worse = len(others) - len(similar)
    korean = f"{label[0]}은 {best} ({share:.1f})이 가장 높고 {worse}개보다 유의하게 높습니다."
    english = f"{best} is best in {label[1]} ({share:.1f}), significantly better than {worse}."
    if similar:
        korean += f" 차이가 있다고 말할 수 없는 것: {', '.join(similar)}."
        english += f" Not shown to differ from it: {', '.join(similar)}."
    return korean, english


def differs(one: str, other: str, field: Goal, scores: StudyScores) -> bool:
    """Return whether two systems differ beyond chance; never if their plans were not the same.

    Multiple choice: the exact McNemar test after Holm's correction. Free text: the paired
    bootstrap interval excludes 0.
    """
    for pair in scores["pairs"]:
        if {pair["a"], pair["b"]} == {one, other}:
            if unequal_plans(pair):
                return False
            if field == "choice":
                return bool(pair["p_holm"] < scores["settings"]["alpha"])
            low, high = pair["free_low"], pair["free_high"]
            return low is not None and high is not None and (low > 0 or high < 0)
    return False


def fastest(cells: Sequence[Cell], scores: StudyScores) -> Words:
    """Name the fastest system among those not shown to be worse than the best in multiple choice.

    At least one system must have both multiple choice and times.
    """
    seconds = {c["system"]: c["p50"] for c in cells if c["p50"] is not None and c["choice"]}
    values = {c["system"]: c["choice"]["value"] for c in cells if c["choice"]}
    best = max(seconds, key=lambda name: values[name])
    as_good = [n for n in seconds if n == best or not differs(n, best, "choice", scores)]
    fast = min(as_good, key=lambda name: seconds[name])
    slow = max(seconds, key=lambda name: seconds[name])
    return (
        f"객관식에서 가장 높은 것과 차이가 있다고 말할 수 없는 것 가운데 가장 빠른 것은 {fast} "
        f"(P50 {seconds[fast]:.2f}초)이고, 가장 느린 것은 {slow} ({seconds[slow]:.2f}초)입니다.",
        f"Of the systems not shown to be worse than the best in multiple choice, {fast} is fastest "
        f"(P50 {seconds[fast]:.2f} s); {slow} is slowest ({seconds[slow]:.2f} s).",
    )
